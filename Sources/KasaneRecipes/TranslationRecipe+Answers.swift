// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
import KasaneData
import KasaneModels

/// How targets are searched, as options.
public struct SearchOptions: ParsableArguments {
  @Option(help: "Beginnings of a target that are kept at a time; 1 takes the likeliest token (1 to 1000).")
  public var beam = 1
  @Option(
    help:
      "Power by which long targets are favoured, 0 for their probability alone (0 or more; Wu et al. 2016).")
  public var lengthPenalty = 1.0
  @Option(help: "Tokens of a target at most (1 to 10000).")
  public var length = 60

  /// The likeliest token each time.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    try require("--beam", beam, in: 1...1000)
    try requireNotNegative("--length-penalty", lengthPenalty)
    try require("--length", length, in: 1...10_000)
  }

  var manner: TranslationSystem.Manner {
    TranslationSystem.Manner(beam: beam, lengthPenalty: lengthPenalty, longest: length)
  }
}

/// The options of an evaluation.
public struct TranslationEvaluationOptions: ParsableArguments {
  @Option(
    textOf: "--source", "Sources to judge by, one a line (default: the pairs that were not learned from).")
  public var source: String?
  @Option(textOf: "--target", "Their targets.")
  public var target: String?
  @OptionGroup public var search: SearchOptions
  @Option(help: "Pairs to judge by at most (1 or more; default: all).")
  public var pairs: Int?
  @Flag(help: "Show how good targets are by the length of their sources.")
  public var byLength = false
  @Option(
    help: ArgumentHelp(
      "Another run of seq2seq or attention to set beside this one; may come several times.", valueName: "run"),
    completion: .directory)
  public var beside: [String] = []

  /// The pairs that the run was judged by.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    guard (source == nil) == (target == nil) else {
      throw ValidationError(
        "\(source == nil ? "--source" : "--target"): missing: the other file is given, both or none expected")
    }
    if let pairs { try require("--pairs", pairs, in: 1...Int.max) }
  }
}

/// The options of a prediction.
public struct TranslationPredictionOptions: ParsableArguments {
  @OptionGroup public var search: SearchOptions
  @Option(help: "Targets to print, best first, with their scores if more than one (1 to the beam's width).")
  public var count = 1
  @Option(
    help: ArgumentHelp(
      "Draw what is attended to where each token is said, as SVG; of networks with attention.",
      valueName: "file"), completion: .file())
  public var alignment: String?

  /// The likeliest target.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    try require("--count", count, in: 1...search.beam)
    if let alignment, !alignment.lowercased().hasSuffix(".svg") {
      throw ValidationError("--alignment: \(alignment): a file that ends in .svg expected")
    }
  }
}

extension TranslationRecipe {
  // MARK: Translating

  /// What a sequence becomes.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: try TranslationPredictionOptions.parse([]))
  }

  /// What a sequence becomes, the likeliest first.
  public func predict(_ words: [String], with options: TranslationPredictionOptions) throws -> [String] {
    let system = system
    let sentence = try system.sentence(words.joined(separator: " "), name: "predict")
    guard sentence.count <= self.options.longest else {
      throw KasaneError(
        "predict: \(sentence.count) \(system.form.sourceUnit), at most \(self.options.longest) expected")
    }
    let found = system.translations(
      of: [system.numbers(ofSource: sentence)], written: [sentence], by: options.search.manner)[0]
    if let path = options.alignment {
      guard model.alignment != nil else {
        throw KasaneError("--alignment: the run's network has no attention, a run of attention expected")
      }
      let figure = alignment(of: sentence, to: found[0].tokens, in: .english)
      try Files.write([Array(figure.utf8)], to: path)
    }
    let tokenizer = try system.form.targetTokenizer()
    return found.prefix(options.count).map { translation in
      let text = tokenizer.text(of: translation.tokens)
      return options.count == 1 ? text : "\(fixed(translation.score, 3))  \(text)"
    }
  }

  /// What is attended to as a figure: a row for each token said, a column for each of the source.
  private func alignment(of sentence: [String], to said: [String], in language: Language) -> String {
    let system = system
    let shares = system.alignment(of: system.numbers(ofSource: sentence), to: system.target.encode(said))
    let end = TranslationSystem.specialTokens[0]
    return HeatMap(rows: said + [end], columns: sentence + [end], shares: shares).figure(
      rowTitle: language("Said", "出力"), columnTitle: language("Attended to", "注目した入力"))
  }

  /// What the encoder ends with, for each sentence.
  public func vectors(of sentences: [String]) throws -> Tensor {
    try sentenceVectors(sentences) { try system.meaning(of: $0, name: $1) }
  }

  // MARK: Evaluation

  /// The pairs to judge by.
  private func text(of evaluation: TranslationEvaluationOptions) throws -> ParallelText {
    guard let source = evaluation.source, let target = evaluation.target else {
      try prepare()
      return data!.validation
    }
    let text = try files(source, target, form!)
    let known = sourceVocabulary!
    guard text.source.contains(where: { $0.contains { known.number(of: $0) ?? 0 >= known.specialCount } })
    else { throw KasaneError("\(source): none of its \(form!.sourceUnit) is known to the run") }
    return text
  }

  /// How good the network's targets are, in lines.
  public func evaluate(_ evaluation: TranslationEvaluationOptions) throws -> [String] {
    let others = try evaluation.beside.map { try translationSystem(of: $0) }
    let all = try text(of: evaluation)
    let most = evaluation.pairs ?? all.source.count
    let text = ParallelText(
      source: Array(all.source.prefix(most)), target: Array(all.target.prefix(most)))
    let system = system
    let pairs = system.pairs(of: text)
    let sourceTokens = pairs.reduce(0) { $0 + $1.source.count - 1 }
    let unknown = pairs.reduce(0) { $0 + $1.source.count { $0 == TranslationSystem.unknown } }
    let loss = system.loss(of: pairs)
    let said = system.best(of: text.source, by: evaluation.search.manner)
    let score = system.score(said, text.target)
    var lines = [
      "Pairs: \(text.count) with \(sourceTokens) \(system.form.sourceUnit) of sources, of which "
        + "\(fixed(100 * Double(unknown) / Double(sourceTokens), 2)) % are unknown",
      "Mean loss: \(fixed(loss, 4)) nats a token", "Perplexity: \(fixed(perplexity(of: loss), 2))",
      "Right to the last token: \(fixed(100 * score.accuracy, 2)) %",
    ]
    if score.areSentences { lines.append("\(score.bleu)") }
    guard evaluation.byLength || !others.isEmpty else { return lines }
    var columns = [(evaluation.beside.isEmpty ? "score" : "this run", said)]
    for (path, other) in zip(evaluation.beside, others) {
      guard other.form.isSame(as: system.form) else {
        throw KasaneError(
          "\(path): a run on \(other.form.unit), one on \(system.form.unit) "
            + (other.form.unit == system.form.unit ? "of the same models expected" : "expected"))
      }
      columns.append((path, other.best(of: text.source, by: evaluation.search.manner)))
    }
    return lines + byLength(columns, text)
  }

  /// How good targets are by their sources' lengths, and of all: a column for each network.
  private func byLength(
    _ columns: [(name: String, said: [[String]])], _ text: ParallelText
  ) -> [String] {
    let longest = text.source.map(\.count).max()!
    let width = max(1, (longest + 5) / 6)
    var rows = [["source", "pairs"] + columns.map(\.name)]
    func add(_ name: String, _ places: [Int]) {
      guard !places.isEmpty else { return }
      rows.append(
        [name, "\(places.count)"]
          + columns.map { column in
            system.score(places.map { column.said[$0] }, places.map { text.target[$0] }).summary
          })
    }
    for first in stride(from: 1, through: longest, by: width) {
      let range = first..<first + width
      add(
        width == 1 ? "\(first)" : "\(first)-\(range.upperBound - 1)",
        text.source.indices.filter { range.contains(text.source[$0].count) })
    }
    add("all", Array(text.source.indices))
    return aligned(rows)
  }

  // MARK: For the report

  /// What some sources become, and what is attended to.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    try prepare()
    let (system, text) = (system, data!.validation)
    let (source, target) = (try system.form.sourceTokenizer(), try system.form.targetTokenizer())
    let count = min(10, text.count)
    let said = system.best(
      of: Array(text.source.prefix(count)), by: TranslationSystem.Manner(longest: options.longest))
    let rows = (0..<count).map { place in
      [source.text(of: text.source[place])]
        + [text.target[place], said[place]].map { target.text(of: $0) }
    }
    let table = Exhibit(
      "translations", title: language("Translations", "変換の例"),
      caption: language(
        "What the network makes of sequences that it has not seen, by the likeliest tokens.",
        "学習に使っていない系列をネットワークが変換した結果です。最も確からしいトークンを選んでいます。"),
      .table(
        columns: [
          Exhibit.Column(language("Source", "入力")), Exhibit.Column(language("Expected", "正解")),
          Exhibit.Column(language("Said", "出力")),
        ], rows: rows))
    guard model.alignment != nil else { return [table] }
    // Pictures of sentences that are neither trivial nor too wide.
    let drawn = (0..<count).filter { (2...24).contains(text.source[$0].count) && !said[$0].isEmpty }.prefix(3)
    return [table]
      + drawn.enumerated().map { number, place in
        Exhibit(
          "alignment-\(number + 1)",
          title: language("Attention \(number + 1)", "注意機構 \(number + 1)"),
          caption: language(
            "Where the network looks in the source while it says each token: the fuller the colour, the more.",
            "各トークンを出力するときに入力のどこに注目しているかを示します。色が濃いほど強く注目しています。"),
          .figure(alignment(of: text.source[place], to: said[place], in: language)))
      }
  }
}

/// The network of a finished run of a recipe on pairs. Throws one line where it is none.
private func translationSystem(of path: String) throws -> TranslationSystem {
  let run = try RunFolder.open(path)
  switch run.configuration.recipe {
  case SequenceToSequence.name: return try SequenceToSequence.trained(in: path).system
  case AttentiveTranslation.name: return try AttentiveTranslation.trained(in: path).system
  case let other:
    throw KasaneError(
      "\(path): a run of the recipe \(other), one of \(SequenceToSequence.name) or \(AttentiveTranslation.name) "
        + "expected")
  }
}
