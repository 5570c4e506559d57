// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A recurrent network reads running text without capitals and marks and puts them back: in both directions, since a mark
/// hangs on the words that come after it, or for comparison forward only.
public final class Tagging: TextRecipe {
  /// The name on the command line.
  public static let name = "tagging"
  /// What it is, in one line.
  public static let summary = "A bidirectional network restores the capitals and marks of running text."
  /// What `predict` takes after the run.
  public static let predictionUsage = "some words, such as \"where is my book she asked\""
  static let example = "\"where is my book she asked\""

  // MARK: Options

  /// Which way the text is read.
  public enum Direction: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Forward and backward, by a network for each.
    case both
    /// Forward: what comes after a word is not known.
    case forward
  }

  /// The options of a run.
  public struct Options: TextOptions {
    @Option(help: .textPreset(full: "english_novels")) public var preset: Preset?
    @Option(textOf: "--corpus", .corpus) public var corpus: String?
    @Option(help: "Which way the text is read.")
    public var direction = Direction.both
    @Option(help: "Kind of the recurrent cells.")
    public var cell = RecurrentKind.lstm
    @Option(help: "Recurrent layers (1 to 16).")
    public var layers = 1
    @Option(help: "Units of a recurrent layer, in each direction (1 to 8192).")
    public var hidden = ByPreset(quick: 48, full: 128)
    @Option(help: "Size of a word's vector (1 to 8192).")
    public var features = ByPreset(quick: 48, full: 128)
    @Option(help: "Part of embeddings and outputs that is dropped in training (0 or more, below 1).")
    public var dropout = 0.2
    @Option(help: "Words seen less often are known by their last three letters only (1 or more).")
    public var minimumCount = ByPreset(quick: 2, full: 5)
    @Option(help: "Words that are read together (1 to 100000).")
    public var steps = ByPreset(quick: 32, full: 64)
    @Option(help: "Rows of so many words in one iteration (1 to 65536).")
    public var batch = ByPreset(quick: 8, full: 64)
    @Option(help: "Passes over the text (1 to 10000).")
    public var epochs = ByPreset(quick: 6, full: 5)
    @Option(help: "Largest step size of Adam (above 0); it falls to 0 along a cosine.")
    public var learningRate = ByPreset(quick: 0.005, full: 0.004)
    @Option(help: "Largest norm of the gradients (above 0).")
    public var clip = 1.0
    @Option(help: .patience) public var patience = 3

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--layers", layers, in: 1...16)
      try require("--hidden", self[\.hidden], in: 1...8192)
      try require("--features", self[\.features], in: 1...8192)
      try require("--dropout", dropout, in: 0..<1)
      try require("--minimum-count", self[\.minimumCount], in: 1...Int.max)
      try require("--steps", self[\.steps], in: 1...100_000)
      try require("--batch", self[\.batch], in: 1...65536)
      try requireLearningRate("--learning-rate", self[\.learningRate])
      try requirePositive("--clip", clip)
      try validateText()
    }

    var dataset: String { "english_novels" }
  }

  /// The text to judge by.
  public typealias EvaluationOptions = TextEvaluationOptions

  // MARK: Data

  private static let lineEnd = RunningText.lineEndToken
  private static let unknown = "<unk>"
  /// One line end of so many is shown in training: enough to learn that a text has an end, few enough to learn where
  /// sentences end without them.
  private static let keptLineEnds = 4

  /// What is learned from, by the numbers of the vocabulary, and what it is judged by.
  private struct Data {
    let words: [Int32]
    let wordCount: Int
    let classes: [[UInt8]]
    let validation: RunningText
    let fingerprint: String
    var batches: ShuffledBatches
  }

  private var data: Data?
  private var forms: Vocabulary?
  private let tokenizer = WordTokenizer()

  /// Reads the text and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    let parts = try TextParts(options.place, by: tokenizer, lineEnd: Self.lineEnd, least: options[\.steps])
    let training = RunningText(parts.training, in: parts.trainingRange, keptLineEnds: Self.keptLineEnds)
    let validation = RunningText(parts.validation, in: parts.validationRange)
    guard training.count > 0, validation.count > 0 else {
      throw KasaneError("\(options.place): no words to \(training.count > 0 ? "judge by" : "learn from")")
    }
    if vocabulary == nil {
      forms = Vocabulary(counts: training.forms, minimumCount: 2)
      use(try newVocabulary(training.counts(), source: parts.name))
    }
    let rows = (training.count - 1) / min(options[\.steps], training.count) + 1
    data = Data(
      words: numbers(of: training), wordCount: training.words.count { $0 != RunningText.lineEnd },
      classes: training.classes, validation: validation,
      fingerprint: parts.fingerprint,
      batches: ShuffledBatches(count: rows, size: options[\.batch], seed: seed, stream: Stream.order))
  }

  /// The words that are seen often enough, and the endings of the others.
  private func newVocabulary(_ counts: [String: Int], source: String) throws -> Vocabulary {
    let least = options[\.minimumCount]
    var known: [String: Int] = [:]
    for (word, count) in counts { known[count < least ? Self.ending(of: word) : word, default: 0] += count }
    let made = Vocabulary(
      counts: known, special: [Self.lineEnd], unknown: Self.unknown, minimumCount: least)
    guard made.tokens.dropFirst(made.specialCount).contains(where: { !Self.isEnding($0) }) else {
      throw KasaneError(
        "\(source): all words are unknown: none is seen \(least) times; a lower --minimum-count may help")
    }
    return made
  }

  /// What a word that is not known is known by. No word begins with a hyphen.
  private static func ending(of word: String) -> String { "-" + word.suffix(3) }
  private static func isEnding(_ token: String) -> Bool { token.hasPrefix("-") }

  /// The numbers of a text's words.
  private func numbers(of text: RunningText) -> [Int32] {
    let vocabulary = vocabulary!
    let places = text.distinct.map { word in
      Int32(
        vocabulary.number(of: word) ?? vocabulary.number(of: Self.ending(of: word)) ?? vocabulary.unknown!)
    }
    let end = Int32(vocabulary.number(of: Self.lineEnd)!)
    return text.words.map { $0 == RunningText.lineEnd ? end : places[Int($0)] }
  }

  /// How many of a text's words are not known by themselves.
  private func unknownCount(in text: RunningText) -> Int {
    let isUnknown = text.distinct.map { vocabulary!.number(of: $0) ?? 0 < vocabulary!.specialCount }
    return text.words.count { $0 != RunningText.lineEnd && isUnknown[Int($0)] }
  }

  /// What tells the text from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// Keeps the vocabulary, and how words are written in forms of their own.
  public func keepFiles(in run: RunFolder) throws {
    try vocabulary!.write(to: vocabularyPath(in: run))
    try forms!.write(to: run.file("forms.json"))
  }

  /// Reads both.
  public func recallFiles(from run: RunFolder) throws {
    forms = try Vocabulary(contentsOf: run.file("forms.json"))
    try recallVocabulary(from: run)
  }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    let known = vocabulary.tokens.dropFirst(vocabulary.specialCount).count { !Self.isEnding($0) }
    return opening(data.wordCount, data.validation.count, "words", known: "\(known) words")
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2
  }

  /// What is trained.
  public typealias Model = SequenceTagger
  var network: SequenceTagger?
  var vocabulary: Vocabulary?
  static let specialTokens = [lineEnd, unknown]

  func newNetwork(for vocabulary: Vocabulary) -> SequenceTagger {
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    return SequenceTagger(
      tokens: vocabulary.count, features: options[\.features], hidden: options[\.hidden],
      layers: options.layers, cell: options.cell, isBidirectional: options.direction == .both,
      dropout: options.dropout, classes: RunningText.Question.allCases.map(\.classes.count), using: &weights)
  }

  /// What trains it.
  public let optimizer: any Optimizer
  /// What dropout draws from.
  public var random: RandomGenerator
  let options: Options
  private let seed: UInt64

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    optimizer = Adam(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  var iterationsPerEpoch: Int { data?.batches.batchesPerEpoch ?? 0 }
  /// Those of all rows.
  public var tokensPerIteration: Int? { options[\.batch] * options[\.steps] }

  func learn(_ iteration: Int) -> Double {
    let rows = data!.batches.indices(at: iteration)
    let (text, steps) = (data!.words, min(options[\.steps], data!.words.count))
    // The last row ends with the text.
    let starts = rows.map { min($0 * steps, text.count - steps) }
    let words = table(starts, steps) { text[$0] }
    let labels = data!.classes.map { classes in table(starts, steps) { Int32(classes[$0]) } }
    var random = self.random
    var (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in
        let losses: [Tensor] = zip(model(words), labels).map { crossEntropy($0, $1) }
        return losses[1...].reduce(losses[0], +)
      }
    }
    self.random = random
    gradients.clip(toNorm: options.clip)
    optimizer.learningRate = Schedule.cosine(from: options[\.learningRate], to: 0, steps: iterations)(
      iteration)
    optimizer.update(model, along: gradients)
    return loss.scalar
  }

  /// Rows of `steps` numbers from the places at which they start, `[rows, steps]`.
  private func table(_ starts: [Int], _ steps: Int, _ number: (Int) -> Int32) -> Tensor {
    Tensor(shape: [starts.count, steps], of: Int32.self) { memory in
      for (row, start) in starts.enumerated() {
        for step in 0..<steps { memory[row * steps + step] = number(start + step) }
      }
    }
  }

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

  /// The words with capitals and marks.
  public func predict(_ words: [String]) throws -> [String] {
    let text = RunningText(TokenizedText(line: words.joined(separator: " "), by: tokenizer))
    guard text.count > 0 else { throw KasaneError("predict: no words, \(Self.predictionUsage) expected") }
    guard unknownCount(in: text) < text.count else {
      throw KasaneError("predict: none of the words is known to the run, \(Self.predictionUsage) expected")
    }
    let forms = Dictionary(
      forms!.tokens.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    let answers = answers(for: numbers(of: text))
    let written = text.words.enumerated().map { place, word in
      let word = text.distinct[Int(word)]
      return RunningText.written(word, answers.map { $0[place] }, form: forms[word])
    }
    return [written.joined(separator: " ")]
  }
}
