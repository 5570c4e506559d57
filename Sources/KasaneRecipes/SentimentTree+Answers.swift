// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData

extension SentimentTree {
  /// How good the answers to some trees are.
  struct Judgement {
    /// The answers for whole sentences.
    var roots = ConfusionMatrix(classCount: SentimentTrees.classCount)
    var loss = 0.0
    var (binaryRight, binaryTotal) = (0, 0)
    var (phrasesRight, phrasesTotal) = (0, 0)

    var fine: Double { roots.accuracy }
    var binary: Double { binaryTotal == 0 ? 0 : Double(binaryRight) / Double(binaryTotal) }
    var phrases: Double { Double(phrasesRight) / Double(max(1, phrasesTotal)) }

    var summary: String {
      "sentences \(percent(fine)) of five, \(percent(binary)) of two  phrases \(percent(phrases))"
    }
    func percent(_ share: Double) -> String { "\(fixed(100 * share, 2)) %" }
  }

  /// Counts what is right of some trees.
  func judge(_ items: [Item]) -> Judgement {
    var result = Judgement()
    let classes = SentimentTrees.classCount
    for start in stride(from: 0, to: items.count, by: 100) {
      let part = Array(items[start..<min(start + 100, items.count)])
      let (words, labels, trees) = batch(part)
      let logits = model(words, trees)
      result.loss += crossEntropy(logits, labels, reduction: .sum).scalar
      let answers = logits.argmax(axis: 1).elements(as: Int64.self)
      let probabilities = softmax(logits).elements(as: Float.self)
      for (answer, label) in zip(answers, labels.elements(as: Int64.self)) where answer == label {
        result.phrasesRight += 1
      }
      result.phrasesTotal += trees.nodeCount
      for (item, rows) in zip(part, trees.rows) {
        let (label, row) = (item.labels.last!, rows.last!)
        result.roots.add(label: label, answer: Int(answers[row]))
        // Neutral sentences are left out, and neutral is no answer.
        guard label != classes / 2 else { continue }
        let share = probabilities[row * classes..<(row + 1) * classes]
        let isPositive = share.suffix(classes / 2).reduce(0, +) > share.prefix(classes / 2).reduce(0, +)
        result.binaryTotal += 1
        if isPositive == (label > classes / 2) { result.binaryRight += 1 }
      }
    }
    result.loss /= Double(max(1, result.phrasesTotal))
    return result
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    // The best may be from before the run was stopped.
    if let best, let data, lastJudgement.map({ 1 - $0.fine }) != best {
      lastJudgement = judge(data.validation)
    }
    var lines = [
      "Try next: \(command) predict \(run) \"(2 (3 good) (2 film))\" --svg tree.svg",
      "          \(command) evaluate \(run)",
    ]
    if let lastJudgement { lines.insert("Right, of trees not learned from: \(lastJudgement.summary)", at: 0) }
    return lines
  }

  /// How much of some trees is right, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let place = evaluation.data ?? options.place
    let trees = try SentimentTrees.load(evaluation.split, from: place)
    let items = trees.map(item)
    guard items.contains(where: { $0.words.contains { $0 != vocabulary!.unknown } }) else {
      throw KasaneError("\(place): none of its words is known to the run")
    }
    let found = judge(items)
    func line(_ what: String, _ right: Int, _ total: Int, _ share: Double) -> String {
      "\(what): \(right) of \(total) (\(found.percent(share)))"
    }
    return [
      line("Sentences right, of five classes", found.roots.right, found.roots.total, found.fine),
      line("Sentences right, negative or positive", found.binaryRight, found.binaryTotal, found.binary),
      line("Phrases right, of five classes", found.phrasesRight, found.phrasesTotal, found.phrases),
      "Mean loss: \(fixed(found.loss, 4))", "",
    ] + found.roots.table
  }

  /// The sentiment of each phrase of a tree.
  private func answers(to item: Item) -> [PhraseAnswer] {
    let (words, _, trees) = batch([item])
    let classes = SentimentTrees.classCount
    let probabilities = softmax(model(words, trees)).elements(as: Float.self)
    return trees.rows[0].map { row in
      let shares = probabilities[row * classes..<(row + 1) * classes]
      let best = shares.indices.max { shares[$0] < shares[$1] }!
      return PhraseAnswer(label: best - row * classes, share: Double(shares[best]))
    }
  }

  /// Some of the sentences that the run was judged by, drawn with the sentiment of each phrase, and what is confused.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    let names = zip(SentimentTrees.classNames, ["とても否定的", "否定的", "中立", "肯定的", "とても肯定的"])
      .map { language($0, $1) }
    let trees = try SentimentTrees.load(.dev, from: options.place)
    // Those that have the most to say, of a length that can be drawn.
    func kinds(_ tree: SyntaxTree) -> Int { Set(tree.nodes.map(\.label)).count }
    let short = trees.indices.filter { (5...14).contains(trees[$0].words.count) }
    let drawn = short.sorted { (kinds(trees[$1]), $0) < (kinds(trees[$0]), $1) }.prefix(3).map { trees[$0] }
    let figures = drawn.enumerated().map { number, tree in
      let answers = answers(to: item(tree))
      let given = tree.label.map { language("; given: \(names[$0])", "、正解は「\(names[$0])」") } ?? ""
      return Exhibit(
        "tree-\(number + 1)", title: language("Sentence \(number + 1)", "文 \(number + 1)"),
        caption: language(
          "The sentiment of each phrase, from the words up to the whole sentence: \(names[answers.last!.label])\(given).",
          "語から文全体まで、各句の感情です。文全体は「\(names[answers.last!.label])」\(given)です。"),
        .figure(drawing(of: tree, answers, classes: names)))
    }
    return figures + judge(trees.map(item)).roots.exhibits(classes: names, in: language)
  }

  /// A sentence, which is a tree or becomes one. Throws one line where it has no word or none that is known; `source` names
  /// it.
  private func read(_ sentence: String, source: String) throws -> (tree: SyntaxTree, item: Item) {
    guard sentence.contains(where: { !$0.isWhitespace }) else {
      throw KasaneError("\(source): no words, \(Self.predictionUsage) expected")
    }
    let tree = try SyntaxTree(sentence: sentence, classCount: SentimentTrees.classCount, source: source)
    let item = item(tree)
    guard item.words.contains(where: { $0 != vocabulary!.unknown }) else {
      throw KasaneError("\(source): none of the words is known to the run, \(Self.predictionUsage) expected")
    }
    return (tree, item)
  }

  /// The vectors of whole sentences.
  public func vectors(of sentences: [String]) throws -> Tensor {
    try sentenceVectors(sentences) { sentence, source in
      let (words, _, trees) = batch([try read(sentence, source: source).item])
      let root = trees.rows[0].last!
      return model.vectors(words, trees).sliced(root..<root + 1, axis: 0)
    }
  }

  /// The sentiment of each phrase of a sentence.
  public func predict(_ words: [String]) throws -> [String] { try predict(words, with: PredictionOptions()) }

  /// The sentiment of each phrase of a sentence, drawn too where asked for.
  public func predict(_ words: [String], with options: PredictionOptions) throws -> [String] {
    let (tree, item) = try read(words.joined(separator: " "), source: "predict")
    let answers = answers(to: item)
    let answered = tree.relabelled(answers.map(\.label))
    if let path = options.svg { try Files.write(drawing(of: answered, answers), to: path) }
    let given = tree.label.map { "  (given: \(SentimentTrees.classNames[$0]))" } ?? ""
    return outline(of: answered, answers)
      + ["\(answered)", "Answer: \(SentimentTrees.classNames[answers.last!.label])\(given)"]
  }
}
