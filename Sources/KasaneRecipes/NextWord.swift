// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A small recurrent network reads five words and learns what the next may be.
///
/// The text is in lower case, and only letters, apostrophes and hyphens are left of it; words that are seen at most
/// three times become `<???>`.
public final class NextWord: TextRecipe {
  /// The name on the command line.
  public static let name = "next-word"
  /// What it is, in one line.
  public static let summary = "A recurrent network reads five words and predicts the next."
  /// What `predict` takes after the run.
  public static let predictionUsage = "some words, such as \"some of them looks like\""
  static let example = "\"some of them looks like\""

  /// What stands for a rare word.
  static let unknown = "<???>"

  // MARK: Options

  /// The options of a run; the defaults are the course's.
  public struct Options: TextOptions {
    @Option(help: .textPreset(full: "english_novels")) public var preset: Preset?
    @Option(textOf: "--corpus", .corpus) public var corpus: String?
    @Option(help: "Kind of the recurrent cells.")
    public var cell = RecurrentKind.rnn
    @Option(help: "Words that are read (1 to 1000).")
    public var window = 5
    @Option(help: "Words seen at most so often become <???> (0 or more).")
    public var rare = 3
    @Option(help: "Size of a word's vector (1 to 4096).")
    public var features = 30
    @Option(help: "Units of the recurrent layer (1 to 4096).")
    public var hidden = 30
    @Option(help: "Passes over the text (1 to 10000).")
    public var epochs = ByPreset(quick: 6, full: 3)
    @Option(help: "Windows in one iteration (1 to 65536).")
    public var batch = 128
    @Option(help: "Step size of Adam (above 0).")
    public var learningRate = 0.005
    @Option(help: .patience) public var patience = 3

    /// The course's exercise.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--window", window, in: 1...1000)
      try require("--rare", rare, in: 0...Int.max)
      try require("--features", features, in: 1...4096)
      try require("--hidden", hidden, in: 1...4096)
      try require("--batch", batch, in: 1...65536)
      try requireLearningRate("--learning-rate", learningRate)
      try validateText()
    }

    var dataset: String { "english_novels" }
  }

  /// The text to judge by.
  public typealias EvaluationOptions = TextEvaluationOptions

  /// The options of a prediction.
  public struct PredictionOptions: ParsableArguments {
    @Option(help: "How many of the likeliest words to print (1 or more).")
    public var top = 10
    @Flag(help: "Print the whole vocabulary.")
    public var all = false

    /// The ten likeliest.
    public init() {}

    /// Checks the ranges.
    public func validate() throws { try require("--top", top, in: 1...Int.max) }
  }

  // MARK: Data

  private var data: TextData?
  private var batches: WindowBatches?
  private let tokenizer = LetterTokenizer()

  /// Reads the text and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    let (data, vocabulary) = try TextData.read(
      options.place, by: tokenizer, least: options.window, known: self.vocabulary, unknown: Self.unknown,
      minimumCount: options.rare + 1,
      tooRare: "none is seen more than \(options.rare) times; a lower --rare may help")
    use(vocabulary)
    self.data = data
    batches = WindowBatches(
      data.training, length: options.window, size: options.batch, seed: seed, stream: Stream.order)
  }

  /// What tells the text from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    return opening(data.training.count, data.validation.count, "words", known: "\(vocabulary.count) words")
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2
  }

  /// What is trained.
  public typealias Model = NextWordNetwork
  var network: NextWordNetwork?
  var vocabulary: Vocabulary?
  static let specialTokens = [unknown]

  func newNetwork(for vocabulary: Vocabulary) -> NextWordNetwork {
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    return NextWordNetwork(
      words: vocabulary.count, features: options.features, hidden: options.hidden, cell: options.cell,
      using: &weights)
  }

  /// What trains it.
  public let optimizer: any Optimizer
  /// Nothing is drawn from it: the order of the windows has its own.
  public var random: RandomGenerator
  let options: Options
  private let seed: UInt64

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    optimizer = Adam(learningRate: options.learningRate)
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  var iterationsPerEpoch: Int { batches?.batchesPerEpoch ?? 0 }
  /// Every window's words.
  public var tokensPerIteration: Int? { options.batch * options.window }

  func learn(_ iteration: Int) -> Learned {
    let (windows, next) = batches!.batch(at: iteration)
    let (loss, gradients) = valueWithGradient(at: model) { model in crossEntropy(model(windows), next) }
    optimizer.update(model, along: gradients)
    return Learned(loss: loss.scalar)
  }

  func judge() -> TextJudgement { TextJudgement(loss: judge(data!.validation).loss) }
  func quality(of loss: Double) -> String? { "perplexity \(fixed(perplexity(of: loss), 1))" }

  // MARK: After training

  /// The mean loss over all windows of a text, and how often the next word is the likeliest.
  private func judge(_ tokens: [Int32]) -> (loss: Double, right: Int, windows: Int) {
    let count = tokens.count - options.window
    var (loss, right) = (0.0, 0)
    for start in stride(from: 0, to: count, by: 512) {
      let places = start..<min(start + 512, count)
      let (windows, next) = WindowBatches.batch(of: tokens, at: places, length: options.window)
      let logits = model(windows)
      loss += crossEntropy(logits, next, reduction: .sum).scalar
      right += Int((logits.argmax(axis: 1) .== next.cast(to: .int64)).cast(to: .int64).sum().scalar)
    }
    return (loss / Double(count), right, count)
  }

  /// How well the next words of a text are predicted, in lines.
  public func evaluate(_ evaluation: TextEvaluationOptions) throws -> [String] {
    let tokens = try tokens(
      of: evaluation.data, by: tokenizer, unit: "words", moreThan: options.window
    ) {
      try prepare()
      return data!.validation
    }
    let (loss, right, windows) = judge(tokens)
    return [
      "Words: \(tokens.count), of which \(unknownShare(of: tokens)) % are unknown",
      "Mean loss: \(fixed(loss, 4))",
      "Perplexity: \(fixed(perplexity(of: loss), 2))",
      "Next word right: \(right) of \(windows) (\(fixed(100 * Double(right) / Double(windows), 2)) %)",
    ]
  }

  /// Every word of the vocabulary, the likeliest after the tokens first.
  private func likeliest(after tokens: [Int32]) -> [(word: String, probability: Double)] {
    let read = Array(tokens.suffix(options.window))
    let probabilities = softmax(model(Tensor(read, shape: [1, read.count]))).elements(as: Float.self)
    let order = probabilities.indices.sorted {
      probabilities[$0] != probabilities[$1] ? probabilities[$0] > probabilities[$1] : $0 < $1
    }
    return order.map { (vocabulary!.tokens[$0], Double(probabilities[$0])) }
  }

  /// The likeliest words after some beginnings.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    let vocabulary = vocabulary!
    let known = ["some of them looks like", "it was a", "he said to the", "i do not know what"]
      .filter { tokenizer.tokens(in: $0).allSatisfy { vocabulary.number(of: $0) != nil } }
    // A text in another language: its commonest words.
    let common = vocabulary.tokens.filter { $0 != Self.unknown }.prefix(4 - known.count)
    let rows = (known + common).map { beginning in
      let next = likeliest(after: vocabulary.encode(tokenizer.tokens(in: beginning))).prefix(5)
      return [
        beginning, next.map { "\($0.word) (\(fixed(100 * $0.probability, 1)) %)" }.joined(separator: ", "),
      ]
    }
    return [
      Exhibit(
        "next-words", title: language("The likeliest next words", "次に来やすい語"),
        caption: language(
          "After some beginnings, the five likeliest words with their probabilities.",
          "書き出しごとに、確率の高い 5 語とその確率です。"),
        .table(
          columns: [.init(language("Beginning", "書き出し")), .init(language("Next word", "次の語"))], rows: rows))
    ]
  }

  /// The likeliest words after those given.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: try PredictionOptions.parse([]))
  }

  /// The likeliest words after those given, or all.
  public func predict(_ words: [String], with options: PredictionOptions) throws -> [String] {
    let vocabulary = vocabulary!
    let text = words.joined(separator: " ")
    let tokens = vocabulary.encode(tokenizer.tokens(in: text))
    guard !tokens.isEmpty else { throw KasaneError("predict: no words, \(Self.predictionUsage) expected") }
    guard tokens.contains(where: { Int($0) != vocabulary.unknown }) else {
      throw KasaneError("predict: none of the words is known to the run, \(Self.predictionUsage) expected")
    }
    let words = likeliest(after: tokens)
    let shown = options.all ? words[...] : words.prefix(options.top)
    return shown.map { "\($0.word) : \(fixed($0.probability, 6))" }
      + ["Prediction: \(text) \(words[0].word)"]
  }
}
