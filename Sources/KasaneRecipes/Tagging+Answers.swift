// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData
import KasaneModels

extension Tagging {
  // MARK: Reading texts of any length

  /// The answers for each word of a text, by question.
  private func answers(for words: [Int32]) -> [[Int]] {
    var answers = [[Int]](repeating: [], count: model.classes.count)
    read(words) { logits, places in
      for (question, logits) in logits.enumerated() {
        let found = logits.argmax(axis: -1).elements(as: Int64.self)
        answers[question] += places.joined().map { Int(found[$0]) }
      }
    }
    return answers
  }

  /// Reads a text between its two ends, in parts side by side, and calls `body` with the logits `[rows, steps, classes]` of
  /// each question and with the places among `rows * steps` that hold the words of the text, in order.
  private func read(_ words: [Int32], _ body: (_ logits: [Tensor], _ places: [Range<Int>]) -> Void) {
    // Each part has some words around those that it is read for, which all but the first and the last need to be
    // understood.
    let (core, margin, rows) = (192, 32, 64)
    let end = Int32(vocabulary!.number(of: Self.lineEnd)!)
    let tokens = [end] + words + [end]
    let steps = min(tokens.count, core + 2 * margin)
    let cores = stride(from: 1, to: words.count + 1, by: core).map { $0..<min($0 + core, words.count + 1) }
    for first in stride(from: 0, to: cores.count, by: rows) {
      let part = cores[first..<min(first + rows, cores.count)]
      let starts = part.map { min(max($0.lowerBound - margin, 0), tokens.count - steps) }
      let places = zip(part, starts).enumerated().map { row, place in
        let (core, start) = place
        return row * steps + core.lowerBound - start..<row * steps + core.upperBound - start
      }
      body(model(table(starts, steps) { tokens[$0] }), places)
    }
  }

  // MARK: After training

  /// How well the questions about a text are answered.
  private struct Judgement {
    var loss = 0.0
    /// By question and class.
    var scores: [[ClassScore]]

    /// Of all marks together: commas to colons and quotation marks.
    var marks: ClassScore { ClassScore.sum(markRows.map(\.score)) }
    /// Of all words together that are not in lower case.
    var capitals: ClassScore { ClassScore.sum(rows(of: [.letters]).map(\.score)) }

    var markRows: [(name: String, score: ClassScore)] { rows(of: [.mark, .opening, .closing]) }

    private func rows(of questions: [RunningText.Question]) -> [(name: String, score: ClassScore)] {
      questions.flatMap { question in
        zip(question.classes, scores[question.rawValue]).dropFirst().map { (name: $0, score: $1) }
      }
    }

    var table: [String] {
      let each = markRows.compactMap(\.score.f1)
      let mean = each.isEmpty ? nil : each.reduce(0, +) / Double(each.count)
      return ClassScore.table(
        markRows + [("all marks", marks)] + rows(of: [.letters]) + [("all capitals", capitals)]
      ) + ["Mean F1 of the marks: \(ClassScore.percent(mean))"]
    }

    var summary: String {
      "F1 of marks \(ClassScore.percent(marks.f1))  of capitals \(ClassScore.percent(capitals.f1))"
    }
  }

  private func judge(_ text: RunningText) -> Judgement {
    var result = Judgement(
      scores: model.classes.map { [ClassScore](repeating: ClassScore(), count: $0) })
    var first = 0
    read(numbers(of: text)) { logits, places in
      let count = places.reduce(0) { $0 + $1.count }
      for (question, logits) in logits.enumerated() {
        let classes = logits.shape[2]
        let answers = logits.argmax(axis: -1).elements(as: Int64.self)
        // What stands around the words that are read for is not judged.
        var labels = [Int32](repeating: -1, count: answers.count)
        for (word, place) in zip(first..., places.joined()) {
          let label = Int(text.classes[question][word])
          labels[place] = Int32(label)
          ClassScore.count(label: label, answer: Int(answers[place]), in: &result.scores[question])
        }
        let flat = logits.reshaped(to: [-1, classes])
        let loss = crossEntropy(
          flat, Tensor(labels, shape: [labels.count]), ignoredIndex: -1, reduction: .sum)
        result.loss += loss.scalar
      }
      first += count
    }
    result.loss /= Double(text.count)
    return result
  }

  func judge() -> TextJudgement {
    let found = judge(data!.validation)
    return TextJudgement(
      loss: found.loss,
      metrics: ["validation_mark_f1": found.marks.f1 ?? 0, "validation_capital_f1": found.capitals.f1 ?? 0],
      remark: found.summary)
  }

  func keptLines() -> [String] { data.map { judge($0.validation).table } ?? [] }

  /// How well capitals and marks of a text are found, in lines.
  public func evaluate(_ evaluation: TextEvaluationOptions) throws -> [String] {
    let text: RunningText
    if let place = evaluation.data {
      let corpus = try Corpus.parts(at: place, sample: .novel)
      text = RunningText(
        try TokenizedText(corpus.validation ?? corpus.training, by: tokenizer, lineEnd: Self.lineEnd))
    } else {
      try prepare()
      text = data!.validation
    }
    let name = evaluation.data ?? options.place
    guard text.count > 0 else { throw KasaneError("\(name): no words to judge by") }
    let unknown = unknownCount(in: text)
    guard unknown < text.count else { throw KasaneError("\(name): none of its words is known to the run") }
    let found = judge(text)
    let share = fixed(100 * Double(unknown) / Double(text.count), 2)
    return [
      "Words: \(text.count), of which \(share) % are unknown", "Mean loss: \(fixed(found.loss, 4))",
    ] + found.table
  }

  /// A text of one line. Throws one line where it has no word or none that is known; `source` names it.
  private func read(_ line: String, source: String) throws -> RunningText {
    let text = RunningText(TokenizedText(line: line, by: tokenizer))
    guard text.count > 0 else { throw KasaneError("\(source): no words, \(Self.predictionUsage) expected") }
    guard unknownCount(in: text) < text.count else {
      throw KasaneError("\(source): none of the words is known to the run, \(Self.predictionUsage) expected")
    }
    return text
  }

  /// The last level's states after sentences have been read, of both directions side by side where there are two.
  public func vectors(of sentences: [String]) throws -> Tensor {
    try sentenceVectors(sentences) { sentence, source in
      let end = Int32(vocabulary!.number(of: Self.lineEnd)!)
      let words = [end] + numbers(of: try read(sentence, source: source)) + [end]
      let states = model.read(Tensor(words, shape: [1, words.count])).finalStates
      // Of long short-term memory the hidden state comes before the cell's.
      let size = options.cell == .lstm ? 2 : 1
      let last = states.suffix((options.direction == .both ? 2 : 1) * size)
      return Tensor.concatenate(
        stride(from: 0, to: last.count, by: size).map { last[last.startIndex + $0] }, axis: 1)
    }
  }

  /// The words with capitals and marks.
  public func predict(_ words: [String]) throws -> [String] {
    let text = try read(words.joined(separator: " "), source: "predict")
    return [written(text)]
  }

  /// A text as the network writes it.
  private func written(_ text: RunningText) -> String {
    let forms = Dictionary(
      forms!.tokens.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    let answers = answers(for: numbers(of: text))
    return text.words.enumerated().map { place, word in
      let word = text.distinct[Int(word)]
      return RunningText.written(word, answers.map { $0[place] }, form: forms[word])
    }.joined(separator: " ")
  }

  /// How well each mark is found, and the beginning of the text as it was, bare, and restored.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    try prepare()
    let text = data!.validation
    let found = judge(text)
    func row(_ name: String, _ score: ClassScore) -> [String] {
      [name] + [score.precision, score.recall, score.f1].map(ClassScore.percent) + ["\(score.labelled)"]
    }
    let rows =
      found.markRows.map { row($0.name, $0.score) } + [
        row(language("all marks", "すべての記号"), found.marks),
        row(language("all capitals", "すべての大文字"), found.capitals),
      ]
    let part = text.prefix(120)
    return [
      Exhibit(
        "marks", title: language("Capitals and marks", "大文字と記号"),
        caption: language(
          "How much of what the network puts is right (precision), and how much of what was there it finds (recall).",
          "ネットワークが付けたもののうち正しい割合 (適合率) と、もとの文にあったもののうち見つけた割合 (再現率) です。"),
        .table(
          columns: [
            Exhibit.Column(language("Mark", "記号")),
            Exhibit.Column(language("Precision", "適合率"), isNumeric: true),
            Exhibit.Column(language("Recall", "再現率"), isNumeric: true),
            Exhibit.Column("F1", isNumeric: true),
            Exhibit.Column(language("In the text", "出現数"), isNumeric: true),
          ], rows: rows)),
      Exhibit(
        "restored", title: language("Restored", "復元した文"),
        caption: language(
          "The beginning of the text that it was judged by: as the network reads it, and as it writes it.",
          "評価に使った文章の冒頭です。ネットワークが読むままの文と、復元した文を並べています。"),
        .text([part.words.map { part.distinct[Int($0)] }.joined(separator: " "), written(part)])),
    ]
  }
}
