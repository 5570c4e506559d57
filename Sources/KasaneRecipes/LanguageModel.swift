// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A recurrent network learns a language from text, word by word or character by character, and goes on with what it
/// is given.
public final class LanguageModel: Recipe {
  /// The name on the command line.
  public static let name = "language-model"
  /// What it is, in one line.
  public static let summary =
    "A recurrent network learns a language, by words or by characters, and writes on."
  /// What `predict` takes after the run.
  public static let predictionUsage = "the beginning of a text, such as \"It was\""
  /// True.
  public static let predictsLines = true

  // MARK: Options

  /// What a token is.
  public enum Level: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// A word or a mark.
    case word
    /// A character.
    case character
  }

  /// The options of a run.
  public struct Options: RecipeOptions {
    @Option(
      help: """
        quick: seconds on the beginning of a novel that is part of the program; full: english_novels by words, \
        tinyshakespeare by characters (default: full with --corpus or with that in KASANE_DATA, else quick).
        """)
    public var preset: Preset?
    @Option(
      help: ArgumentHelp(
        "Text file, plain or gzip, folder of such files, data set in KASANE_DATA, or sample (default: by the preset).",
        valueName: "file"), completion: .file(), transform: textLocation("--corpus"))
    public var corpus: String?
    @Option(help: "What a token is.")
    public var level = Level.character
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
    @Option(help: "Epochs without a better validation loss after which to stop (0: never).")
    public var patience = 3

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
      try require("--epochs", self[\.epochs], in: 1...10_000)
      try requireLearningRate("--learning-rate", self[\.learningRate])
      guard clip > 0, clip.isFinite else {
        throw ValidationError("--clip: \(clip) is out of range, a number above 0 expected")
      }
      try require("--minimum-count", minimumCount, in: 1...Int.max)
      try require("--patience", patience, in: 0...Int.max)
    }

    private var dataset: String { level == .word ? "english_novels" : "tinyshakespeare" }

    /// The preset given, or the one that the data at hand allow.
    public var chosenPreset: Preset? {
      preset ?? (corpus != nil || Files.exists(DataFolder.folder(of: dataset)) ? .full : .quick)
    }

    /// Where the text is.
    var place: String { corpus ?? (chosenPreset == .quick ? Corpus.sample : DataFolder.folder(of: dataset)) }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "Text file or folder to judge by (default: the part of the run's corpus that was not learned from).",
        valueName: "file"), completion: .file(), transform: textLocation("--data"))
    public var data: String?

    /// The text that the run was judged by.
    public init() {}
  }

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
  private var vocabulary: Vocabulary?
  private var tokenizer: any Tokenizer { options.level == .word ? WordTokenizer() : CharacterTokenizer() }
  private var unit: String { options.level == .word ? "words" : "characters" }

  /// Reads the text and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    let known = vocabulary
    // Two tokens for every row of a batch.
    let least = 2 * options[\.batch]
    let (data, vocabulary) = try TextData.read(
      options.place, sample: .novel, by: tokenizer, lineEnd: Self.lineEnd, least: least
    ) { counts, source in
      if let known { return known }
      let minimumCount = options.level == .word ? options.minimumCount : 1
      let made = Vocabulary(
        counts: counts, special: [Self.lineEnd], unknown: Self.unknown, minimumCount: minimumCount)
      guard made.count > made.specialCount else {
        throw KasaneError(
          "\(source): all words are unknown: none is seen \(minimumCount) times; a lower --minimum-count may help"
        )
      }
      return made
    }
    use(vocabulary)
    self.data = data
    batches = StreamBatches(data.training, rows: options[\.batch], steps: options[\.steps])
  }

  /// What tells the text from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// Keeps the vocabulary.
  public func keepFiles(in run: RunFolder) throws { try vocabulary!.write(to: vocabularyPath(in: run)) }

  /// Reads the vocabulary.
  public func recallFiles(from run: RunFolder) throws {
    use(try Vocabulary(contentsOf: vocabularyPath(in: run)))
  }

  private func use(_ vocabulary: Vocabulary) {
    guard self.vocabulary == nil else { return }
    self.vocabulary = vocabulary
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    let hidden = options[\.hidden]
    network = RecurrentLanguageModel(
      tokens: vocabulary.count, features: options.features ?? hidden, hidden: hidden,
      layers: options[\.layers],
      cell: options.cell, dropout: options[\.dropout], isTied: !options.untied, using: &weights)
  }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    let place = options.place == Corpus.sample ? "the sample" : options.place
    return [
      "Learning from \(data.training.count) \(unit) of \(place), judged by \(data.validation.count) others; "
        + "\(vocabulary.count) different ones are known"
    ]
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, training: UInt64 = 1, writing: UInt64 = 2
  }

  private var network: RecurrentLanguageModel?
  /// The network, which is there once the vocabulary is.
  public var model: RecurrentLanguageModel { network! }
  /// What trains it.
  public let optimizer: any Optimizer
  /// What dropout draws from.
  public var random: RandomGenerator
  private let carried = CarriedStates()
  /// The states after the batch before.
  public var companions: [String: any Checkpointed] { ["states": carried] }
  private let options: Options
  private let seed: UInt64
  private var bestLoss: Double?

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    optimizer = Adam(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * (batches?.batchesPerEpoch ?? 0) }
  /// The option's.
  public var patience: Int? { options.patience == 0 ? nil : options.patience }
  /// Those of all rows.
  public var tokensPerIteration: Int? { options[\.batch] * options[\.steps] }

  /// One iteration: forward from where the batch before ended, backward through this batch alone, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let (epoch, batch) = iteration.quotientAndRemainder(dividingBy: batches!.batchesPerEpoch)
    if batch == 0 { carried.states = nil }
    let (inputs, targets) = batches!.batch(batch)
    var random = self.random
    var states: [Tensor] = []
    var (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in
        let (logits, after) = model(inputs, from: carried.states)
        states = after
        return crossEntropy(logits, targets)
      }
    }
    self.random = random
    carried.states = states.map { $0.detached() }
    gradients.clip(toNorm: options.clip)
    optimizer.learningRate = Schedule.cosine(from: options[\.learningRate], to: 0, steps: iterations)(
      iteration)
    optimizer.update(model, along: gradients)

    var step = TrainingStep(loss: loss.scalar)
    let place = "epoch \(epoch + 1)/\(options[\.epochs])"
    var lines: [String] = []
    if reporting { lines.append("\(place)  iteration \(iteration)  loss \(fixed(step.loss, 4))") }
    if batch == batches!.batchesPerEpoch - 1 {
      let loss = judge(data!.validation)
      bestLoss = min(loss, bestLoss ?? loss)
      step.judgement = loss
      step.metrics = ["validation_loss": loss]
      lines.append("\(place)  validation loss \(fixed(loss, 4))  \(quality(loss))")
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }

  /// A loss by the measure that is usual for the level.
  private func quality(_ loss: Double) -> String {
    switch options.level {
    case .word: "perplexity \(fixed(perplexity(of: loss), 2))"
    case .character: "bits per character \(fixed(bits(of: loss), 4))"
    }
  }

  // MARK: After training

  /// The mean loss over a text, of which some parts are read side by side, each with its state carried along.
  private func judge(_ tokens: [Int32]) -> Double {
    let rows = min(max(tokens.count / 2000, 1), 32)
    let stream = StreamBatches(tokens, rows: rows, steps: 128)
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

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String) -> [String] {
    let best = bestLoss.map { ["Best validation loss: \(fixed($0, 4)) (\(quality($0)))"] } ?? []
    return best + [
      "Try next: \(command) predict \(run) \"It was\" --temperature 0.8",
      "          \(command) evaluate \(run)",
    ]
  }

  /// How well a text is predicted, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let tokens: [Int32]
    if let place = evaluation.data {
      let corpus = try Corpus.parts(at: place, sample: .novel)
      let text = try TokenizedText(
        corpus.validation ?? corpus.training, by: tokenizer, lineEnd: Self.lineEnd)
      tokens = text.encoded(by: vocabulary!)
    } else {
      try prepare()
      tokens = data!.validation
    }
    guard tokens.count > 1 else {
      throw KasaneError("\(evaluation.data ?? options.place): too short to judge by: \(tokens.count) \(unit)")
    }
    let unknown = tokens.count { Int($0) == vocabulary!.unknown }
    guard tokens.contains(where: { Int($0) >= vocabulary!.specialCount }) else {
      throw KasaneError("\(evaluation.data ?? options.place): none of its \(unit) is known to the run")
    }
    let loss = judge(tokens)
    let share = fixed(100 * Double(unknown) / Double(tokens.count), 2)
    let (name, value) =
      options.level == .word
      ? ("Perplexity", fixed(perplexity(of: loss), 2)) : ("Bits per character", fixed(bits(of: loss), 4))
    return [
      "Tokens: \(tokens.count) \(unit), of which \(share) % are unknown", "Mean loss: \(fixed(loss, 4))",
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
    let start = [Int32(vocabulary.number(of: Self.lineEnd)!)] + numbers
    let written = model.continued(
      start, count: options.length ?? (self.options.level == .word ? 50 : 300), by: options.sampling,
      forbidding: [vocabulary.unknown!], using: &random)
    let text = tokenizer.text(of: tokens + vocabulary.decode(written))
    return text.split(separator: Self.lineEnd, omittingEmptySubsequences: false).map(String.init)
  }
}
