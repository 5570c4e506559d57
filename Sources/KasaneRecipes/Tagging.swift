// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A recurrent network reads running text without capitals and marks and puts them back: in both directions, since a mark
/// hangs on the words that come after it, or for comparison forward only.
public final class Tagging: TextRecipe, SentenceEncoder {
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

  static let lineEnd = RunningText.lineEndToken
  static let unknown = "<unk>"
  /// One line end of so many is shown in training: enough to learn that a text has an end, few enough to learn where
  /// sentences end without them.
  private static let keptLineEnds = 4

  /// What is learned from, by the numbers of the vocabulary, and what it is judged by.
  struct Data {
    let words: [Int32]
    let wordCount: Int
    let classes: [[UInt8]]
    let validation: RunningText
    let fingerprint: String
    var batches: ShuffledBatches
  }

  var data: Data?
  var forms: Vocabulary?
  let tokenizer = WordTokenizer()

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
  func numbers(of text: RunningText) -> [Int32] {
    let vocabulary = vocabulary!
    let places = text.distinct.map { word in
      Int32(
        vocabulary.number(of: word) ?? vocabulary.number(of: Self.ending(of: word)) ?? vocabulary.unknown!)
    }
    let end = Int32(vocabulary.number(of: Self.lineEnd)!)
    return text.words.map { $0 == RunningText.lineEnd ? end : places[Int($0)] }
  }

  /// How many of a text's words are not known by themselves.
  func unknownCount(in text: RunningText) -> Int {
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

  func learn(_ iteration: Int) -> Learned {
    let rows = data!.batches.indices(at: iteration)
    let (text, steps) = (data!.words, min(options[\.steps], data!.words.count))
    // The last row ends with the text.
    let starts = rows.map { min($0 * steps, text.count - steps) }
    let words = table(starts, steps) { text[$0] }
    let labels = data!.classes.map { classes in table(starts, steps) { Int32(classes[$0]) } }
    var random = self.random
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in
        let losses: [Tensor] = zip(model(words), labels).map { crossEntropy($0, $1) }
        return losses[1...].reduce(losses[0], +)
      }
    }
    self.random = random
    return descend(
      loss, gradients, clip: options.clip, learningRate: options[\.learningRate], at: iteration)
  }

  /// Rows of `steps` numbers from the places at which they start, `[rows, steps]`.
  func table(_ starts: [Int], _ steps: Int, _ number: (Int) -> Int32) -> Tensor {
    Tensor(shape: [starts.count, steps], of: Int32.self) { memory in
      for (row, start) in starts.enumerated() {
        for step in 0..<steps { memory[row * steps + step] = number(start + step) }
      }
    }
  }
}
