// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A recurrent network learns a language from text, word by word or character by character, and goes on with what it
/// is given.
public final class LanguageModel: TextRecipe, SentenceEncoder {
  /// The name on the command line.
  public static let name = "language-model"
  /// What it is, in one line.
  public static let summary =
    "A recurrent network learns a language, by words or by characters, and writes on."
  /// What `predict` takes after the run.
  public static let predictionUsage = "the beginning of a text, such as \"It was\""
  static let example = "\"It was\" --temperature 0.8"

  // MARK: Options

  /// What a token is.
  public enum Level: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// A word or a mark.
    case word
    /// A character.
    case character
    /// A word or a mark of any language, by Unicode's rules.
    case unicode
    /// A word of Japanese, by MeCab.
    case mecab

    fileprivate func tokenizer() throws -> any Tokenizer {
      let kind: TokenizerKind =
        switch self {
        case .word: .words
        case .character: .characters
        case .unicode: .unicode
        case .mecab: .mecab
        }
      return try kind.tokenizer()
    }
  }

  /// The options of a run.
  public struct Options: TextOptions {
    @Option(
      help: .textPreset(full: "english_novels by words, tinyshakespeare by characters", present: "that"))
    public var preset: Preset?
    @Option(textOf: "--corpus", .corpus) public var corpus: String?
    @Option(help: "What a token is.")
    public var level = Level.character
    @Option(
      pieces:
        "Model of SentencePiece whose pieces are the tokens, as kasane tokenize --learn writes it; the run keeps a copy."
    )
    public var pieces: String?
    @Option(help: "Kind of the recurrent cells.")
    public var cell = RecurrentKind.lstm
    @Option(help: "Recurrent layers (1 to 16).")
    public var layers = ByPreset(quick: 1, full: 2)
    @Option(help: "Units of a recurrent layer (1 to 8192).")
    public var hidden = ByPreset(quick: 64, full: 256)
    @Option(help: "Size of a token's vector (1 to 8192; default: as many as units).")
    public var features: Int?
    @Flag(help: "Let the output have vectors of its own, not those of the tokens.")
    public var untied = false
    @Option(help: "Part of embeddings and outputs that is dropped in training (0 or more, below 1).")
    public var dropout = ByPreset(quick: 0, full: 0.2)
    @Option(help: "Tokens through which errors are carried back (1 to 100000).")
    public var steps = ByPreset(quick: 32, full: 64)
    @Option(help: "Rows of text that are read side by side (1 to 65536).")
    public var batch = ByPreset(quick: 16, full: 32)
    @Option(help: "Passes over the text (1 to 10000).")
    public var epochs = ByPreset(quick: 3, full: 20)
    @Option(help: "Largest step size of Adam (above 0); it falls to 0 along a cosine.")
    public var learningRate = ByPreset(quick: 0.01, full: 0.002)
    @Option(help: "Largest norm of the gradients (above 0).")
    public var clip = 1.0
    @Option(help: "Words seen less often are unknown; only by words (1 or more).")
    public var minimumCount = 3
    @Option(help: .patience) public var patience = 3

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--layers", self[\.layers], in: 1...16)
      try require("--hidden", self[\.hidden], in: 1...8192)
      if let features {
        try require("--features", features, in: 1...8192)
        guard untied || features == self[\.hidden] else {
          throw ValidationError(
            "--features: \(features) for --hidden \(self[\.hidden]): as many are needed unless --untied")
        }
      }
      try require("--dropout", self[\.dropout], in: 0..<1)
      try require("--steps", self[\.steps], in: 1...100_000)
      try require("--batch", self[\.batch], in: 1...65536)
      try requireLearningRate("--learning-rate", self[\.learningRate])
      try requirePositive("--clip", clip)
      try require("--minimum-count", minimumCount, in: 1...Int.max)
      try validateText()
    }

    var dataset: String { level == .word ? "english_novels" : "tinyshakespeare" }
  }

  /// The text to judge by.
  public typealias EvaluationOptions = TextEvaluationOptions

  /// The options of a prediction.
  public struct PredictionOptions: ParsableArguments {
    @Option(help: "Tokens to write (1 to 1000000; default: 50 words or 300 characters).")
    public var length: Int?
    @OptionGroup public var sampling: SamplingOptions

    /// From the model's own distribution.
    public init() {}

    /// Checks the ranges.
    public func validate() throws { if let length { try require("--length", length, in: 1...1_000_000) } }
  }

  // MARK: Data

  private static let unknown = "<unk>"
  private static let lineEnd = "\n"

  private var data: TextData?
  private var batches: StreamBatches?
  private let levelTokenizer: any Tokenizer
  private var pieces: SentencePieceTokenizer?
  private var tokenizer: any Tokenizer { pieces ?? levelTokenizer }
  private var unit: String { options.pieces != nil ? "pieces" : readsCharacters ? "characters" : "words" }
  private var readsCharacters: Bool { options.pieces == nil && options.level == .character }

  /// Reads the text and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    if let file = options.pieces, pieces == nil { pieces = try SentencePieceTokenizer(contentsOf: file) }
    // Two tokens for every row of a batch.
    let least = 2 * options[\.batch]
    let minimumCount = readsCharacters ? 1 : options.minimumCount
    let (data, vocabulary) = try TextData.read(
      options.place, by: tokenizer, lineEnd: Self.lineEnd, least: least, unit: unit, known: self.vocabulary,
      unknown: Self.unknown, minimumCount: minimumCount,
      tooRare: "none is seen \(minimumCount) times; a lower --minimum-count may help")
    use(vocabulary)
    self.data = data
    batches = StreamBatches(data.training, rows: options[\.batch], steps: options[\.steps])
  }

  /// What tells the text from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    return opening(
      data.training.count, data.validation.count, unit, known: "\(vocabulary.count) different ones")
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, training: UInt64 = 1, writing: UInt64 = 2
  }

  /// What is trained.
  public typealias Model = RecurrentLanguageModel
  var network: RecurrentLanguageModel?
  var vocabulary: Vocabulary?
  static let specialTokens = [lineEnd, unknown]

  func newNetwork(for vocabulary: Vocabulary) -> RecurrentLanguageModel {
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    let hidden = options[\.hidden]
    return RecurrentLanguageModel(
      tokens: vocabulary.count, features: options.features ?? hidden, hidden: hidden,
      layers: options[\.layers], cell: options.cell, dropout: options[\.dropout], isTied: !options.untied,
      using: &weights)
  }

  /// What trains it.
  public let optimizer: any Optimizer
  /// What dropout draws from.
  public var random: RandomGenerator
  private let carried = CarriedStates()
  /// The states after the batch before.
  public var companions: [String: any Checkpointed] { ["states": carried] }
  let options: Options
  private let seed: UInt64

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    levelTokenizer = try options.level.tokenizer()
    self.seed = seed
    optimizer = Adam(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  var iterationsPerEpoch: Int { batches?.batchesPerEpoch ?? 0 }
  /// Those of all rows.
  public var tokensPerIteration: Int? { options[\.batch] * options[\.steps] }

  /// Forward from where the batch before ended, backward through this batch alone.
  func learn(_ iteration: Int) -> Learned {
    let batch = iteration % batches!.batchesPerEpoch
    if batch == 0 { carried.states = nil }
    let (inputs, targets) = batches!.batch(batch)
    var random = self.random
    var states: [Tensor] = []
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in
        let (logits, after) = model(inputs, from: carried.states)
        states = after
        return crossEntropy(logits, targets)
      }
    }
    self.random = random
    carried.states = states.map { $0.detached() }
    return descend(
      loss, gradients, clip: options.clip, learningRate: options[\.learningRate], at: iteration)
  }

  func judge() -> TextJudgement { TextJudgement(loss: judge(data!.validation)) }

  func quality(of loss: Double) -> String? {
    readsCharacters
      ? "bits per character \(fixed(bits(of: loss), 4))" : "perplexity \(fixed(perplexity(of: loss), 2))"
  }

  /// Keeps the vocabulary, and the model of the pieces where there is one.
  public func keepFiles(in run: RunFolder) throws {
    try vocabulary!.write(to: vocabularyPath(in: run))
    try pieces?.write(to: Self.piecesPath(in: run))
  }

  /// Reads them.
  public func recallFiles(from run: RunFolder) throws {
    if options.pieces != nil { pieces = try SentencePieceTokenizer(contentsOf: Self.piecesPath(in: run)) }
    try recallVocabulary(from: run)
  }

  private static func piecesPath(in run: RunFolder) -> String { run.file("pieces.model") }

  // MARK: After training

  /// The mean loss over a text, of which some parts are read side by side, each with its state carried along.
  private func judge(_ tokens: [Int32]) -> Double {
    // A step of few rows takes as long as one of many: it reads all the weights.
    let rows = min(max(tokens.count / 1000, 1), 64)
    // The logits of more tokens at once would need much memory.
    let stream = StreamBatches(tokens, rows: rows, steps: 2048 / rows)
    var states: [Tensor]?
    var total = 0.0
    for index in 0..<stream.batchesPerEpoch {
      let (inputs, targets) = stream.batch(index)
      let (logits, after) = model(inputs, from: states)
      states = after
      total += crossEntropy(logits, targets, reduction: .sum).scalar
    }
    return total / Double(stream.tokensPerEpoch)
  }

  /// How well a text is predicted, in lines.
  public func evaluate(_ evaluation: TextEvaluationOptions) throws -> [String] {
    let tokens = try tokens(
      of: evaluation.data, by: tokenizer, lineEnd: Self.lineEnd, unit: unit, moreThan: 1
    ) {
      try prepare()
      return data!.validation
    }
    let loss = judge(tokens)
    let (name, value) =
      readsCharacters
      ? ("Bits per character", fixed(bits(of: loss), 4)) : ("Perplexity", fixed(perplexity(of: loss), 2))
    return [
      "Tokens: \(tokens.count) \(unit), of which \(unknownShare(of: tokens)) % are unknown",
      "Mean loss: \(fixed(loss, 4))",
      "\(name): \(value)",
    ]
  }

  /// A text that begins with the words.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: try PredictionOptions.parse([]))
  }

  /// A text that begins with the words.
  public func predict(_ words: [String], with options: PredictionOptions) throws -> [String] {
    let vocabulary = vocabulary!
    let beginning = words.joined(separator: " ")
    let tokens = tokenizer.tokens(in: beginning)
    guard !tokens.isEmpty else { throw KasaneError("predict: no text, \(Self.predictionUsage) expected") }
    let numbers = vocabulary.encode(tokens)
    guard numbers.contains(where: { Int($0) != vocabulary.unknown }) else {
      throw KasaneError("predict: none of its \(unit) is known to the run, \(Self.predictionUsage) expected")
    }
    var random = RandomGenerator(seed: options.sampling.seed, stream: Stream.writing)
    return continued(tokens, count: options.length ?? usualLength, by: options.sampling, using: &random)
  }

  private var usualLength: Int { readsCharacters ? 300 : 50 }

  /// A text that begins with tokens, in lines.
  private func continued(
    _ tokens: [String], count: Int, by sampling: SamplingOptions, using random: inout RandomGenerator
  ) -> [String] {
    let vocabulary = vocabulary!
    let start = [Int32(vocabulary.number(of: Self.lineEnd)!)] + vocabulary.encode(tokens)
    let written = model.continued(
      start, count: count, by: sampling, forbidding: [vocabulary.unknown!], using: &random)
    let text = tokenizer.text(of: tokens + vocabulary.decode(written))
    return text.split(separator: Self.lineEnd, omittingEmptySubsequences: false).map(String.init)
  }

  /// The last level's states after sentences have been read, each from an empty line.
  public func vectors(of sentences: [String]) throws -> Tensor {
    try sentenceVectors(sentences) { sentence, source in
      let numbers = vocabulary!.encode(tokenizer.tokens(in: sentence))
      guard numbers.contains(where: { Int($0) != vocabulary!.unknown }) else {
        throw KasaneError("\(source): none of its \(unit) is known to the run")
      }
      let start = [Int32(vocabulary!.number(of: Self.lineEnd)!)] + numbers
      let states = model(Tensor(start, shape: [1, start.count])).states
      // Of long short-term memory the hidden state comes before the cell's.
      return states[states.count - (options.cell == .lstm ? 2 : 1)]
    }
  }

  /// Texts that the network writes from nothing.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    var random = RandomGenerator(seed: seed, stream: Stream.writing)
    return try [0.5, 0.8, 1].enumerated().map { number, temperature in
      var sampling = try SamplingOptions.parse([])
      sampling.temperature = temperature
      return Exhibit(
        "sample-\(number + 1)",
        title: language("Written at temperature \(temperature)", "温度 \(temperature) で書いた文"),
        caption: language(
          "Drawn from the network, which began with an empty line; the lower the temperature, the more usual.",
          "空の行から始めて、ネットワークから引いた文です。温度が低いほど、ありふれたものになります。"),
        .text(continued([], count: usualLength, by: sampling, using: &random)))
    }
  }
}
