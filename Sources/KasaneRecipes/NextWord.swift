// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A small recurrent network reads five words and learns what the next may be.
///
/// The text is in lower case, and only letters, apostrophes and hyphens are left of it; words that are seen at most
/// three times become `<???>`.
public final class NextWord: Recipe {
  /// The name on the command line.
  public static let name = "next-word"
  /// What it is, in one line.
  public static let summary = "A recurrent network reads five words and predicts the next."
  /// What `predict` takes after the run.
  public static let predictionUsage = "some words, such as \"some of them looks like\""
  /// True.
  public static let predictsLines = true

  /// What stands for a rare word.
  static let unknown = "<???>"

  // MARK: Options

  /// The options of a run; the defaults are the course's.
  public struct Options: RecipeOptions {
    @Option(
      help: """
        quick: seconds on the beginning of a novel that is part of the program; full: english_novels (default: full \
        with --corpus or with english_novels in KASANE_DATA, else quick).
        """)
    public var preset: Preset?
    @Option(
      help: ArgumentHelp(
        "Text file, plain or gzip, folder of such files, data set in KASANE_DATA, or sample (default: by the preset).",
        valueName: "file"), completion: .file(), transform: textLocation("--corpus"))
    public var corpus: String?
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
    @Option(help: "Epochs without a better validation loss after which to stop (0: never).")
    public var patience = 3

    /// The course's exercise.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--window", window, in: 1...1000)
      try require("--rare", rare, in: 0...Int.max)
      try require("--features", features, in: 1...4096)
      try require("--hidden", hidden, in: 1...4096)
      try require("--epochs", self[\.epochs], in: 1...10_000)
      try require("--batch", batch, in: 1...65536)
      try requireLearningRate("--learning-rate", learningRate)
      try require("--patience", patience, in: 0...Int.max)
    }

    private static let dataset = "english_novels"

    /// The preset given, or the one that the data at hand allow.
    public var chosenPreset: Preset? {
      preset ?? (corpus != nil || Files.exists(DataFolder.folder(of: Self.dataset)) ? .full : .quick)
    }

    /// Where the text is.
    var place: String {
      corpus ?? (chosenPreset == .quick ? Corpus.sample : DataFolder.folder(of: Self.dataset))
    }
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
  private var vocabulary: Vocabulary?
  private let tokenizer = LetterTokenizer()

  /// Reads the text and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    let known = vocabulary
    let (data, vocabulary) = try TextData.read(
      options.place, sample: .novel, by: tokenizer, least: options.window
    ) { counts, source in
      if let known { return known }
      let made = Vocabulary(counts: counts, unknown: Self.unknown, minimumCount: options.rare + 1)
      guard made.count > made.specialCount else {
        throw KasaneError(
          "\(source): all words are unknown: none is seen more than \(options.rare) times; a lower --rare may help"
        )
      }
      return made
    }
    use(vocabulary)
    self.data = data
    batches = WindowBatches(
      data.training, length: options.window, size: options.batch, seed: seed, stream: Stream.order)
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
    network = NextWordNetwork(
      words: vocabulary.count, features: options.features, hidden: options.hidden, cell: options.cell,
      using: &weights)
  }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    let place = options.place == Corpus.sample ? "the sample" : options.place
    return [
      "Learning from \(data.training.count) words of \(place), judged by \(data.validation.count) others; "
        + "\(vocabulary.count) words are known"
    ]
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2
  }

  private var network: NextWordNetwork?
  /// The network, which is there once the vocabulary is.
  public var model: NextWordNetwork { network! }
  /// What trains it.
  public let optimizer: any Optimizer
  /// Nothing is drawn from it: the order of the windows has its own.
  public var random: RandomGenerator
  private let options: Options
  private let seed: UInt64
  private var lastLoss: Double?

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    optimizer = Adam(learningRate: options.learningRate)
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * (batches?.batchesPerEpoch ?? 0) }
  /// The option's.
  public var patience: Int? { options.patience == 0 ? nil : options.patience }
  /// Every window's words.
  public var tokensPerIteration: Int? { options.batch * options.window }

  /// One iteration: forward, backward, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let (windows, next) = batches!.batch(at: iteration)
    let (loss, gradients) = valueWithGradient(at: model) { model in crossEntropy(model(windows), next) }
    optimizer.update(model, along: gradients)

    var step = TrainingStep(loss: loss.scalar)
    let (epoch, batch) = iteration.quotientAndRemainder(dividingBy: batches!.batchesPerEpoch)
    let place = "epoch \(epoch + 1)/\(options[\.epochs])"
    var lines: [String] = []
    if reporting { lines.append("\(place)  iteration \(iteration)  loss \(fixed(step.loss, 4))") }
    if batch == batches!.batchesPerEpoch - 1 {
      let loss = judge(data!.validation).loss
      lastLoss = min(loss, lastLoss ?? loss)
      step.judgement = loss
      step.metrics = ["validation_loss": loss]
      lines.append(
        "\(place)  validation loss \(fixed(loss, 4))  perplexity \(fixed(perplexity(of: loss), 1))")
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }

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

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String) -> [String] {
    var lines = [
      "Try next: \(command) predict \(run) \"some of them looks like\"",
      "          \(command) evaluate \(run)",
    ]
    if let lastLoss {
      lines.insert(
        "Best validation loss: \(fixed(lastLoss, 4)) (perplexity \(fixed(perplexity(of: lastLoss), 1)))",
        at: 0)
    }
    return lines
  }

  /// How well the next words of a text are predicted, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let tokens: [Int32]
    if let place = evaluation.data {
      let corpus = try Corpus.parts(at: place, sample: .novel)
      let text = try TokenizedText(corpus.validation ?? corpus.training, by: tokenizer)
      tokens = text.encoded(by: vocabulary!)
      guard tokens.count > options.window else {
        throw KasaneError(
          "\(place): too short to judge by: \(tokens.count) words, more than \(options.window) expected")
      }
    } else {
      try prepare()
      tokens = data!.validation
    }
    let unknown = tokens.count { Int($0) == vocabulary!.unknown }
    guard unknown < tokens.count else {
      throw KasaneError("\(evaluation.data ?? options.place): none of its words is known to the run")
    }
    let (loss, right, windows) = judge(tokens)
    return [
      "Words: \(tokens.count), of which \(fixed(100 * Double(unknown) / Double(tokens.count), 2)) % are unknown",
      "Mean loss: \(fixed(loss, 4))",
      "Perplexity: \(fixed(perplexity(of: loss), 2))",
      "Next word right: \(right) of \(windows) (\(fixed(100 * Double(right) / Double(windows), 2)) %)",
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
    let read = Array(tokens.suffix(self.options.window))
    let logits = model(Tensor(read, shape: [1, read.count]))
    let probabilities = softmax(logits).elements(as: Float.self)
    let order = probabilities.indices.sorted {
      probabilities[$0] != probabilities[$1] ? probabilities[$0] > probabilities[$1] : $0 < $1
    }
    let shown = options.all ? order[...] : order.prefix(options.top)
    return shown.map { "\(vocabulary.tokens[$0]) : \(fixed(Double(probabilities[$0]), 6))" }
      + ["Prediction: \(text) \(vocabulary.tokens[order[0]])"]
  }
}
