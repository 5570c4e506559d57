// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
public import KasaneData
import KasaneModels

/// A recipe with which one can talk.
public protocol ConversationalRecipe: Recipe {
  /// A conversation in which nothing was said yet.
  func conversation(with options: PredictionOptions) -> Conversation
}

/// A recipe that learns to answer from dialogues. What such recipes have in common is here.
protocol DialogueRecipe: TextRecipe, ConversationalRecipe, SentenceEncoder
where
  Model == DialogueModel, Options: DialogueOptions, EvaluationOptions == DialogueEvaluationOptions,
  PredictionOptions == ReplyOptions
{
  /// The seed of everything random.
  var seed: UInt64 { get }
  /// The dialogues, once they were read.
  var data: DialogueData? { get set }
  /// What a batch's cost in nats is in training: the latent variables' divergence counts by iteration.
  func total(_ cost: DialogueModel.Cost, of replies: Int, at iteration: Int) -> Tensor
  /// What epochs are compared by, in nats a word.
  func judged(_ cost: DialogueSystem.Cost) -> Double
}

extension DialogueRecipe {
  func judged(_ cost: DialogueSystem.Cost) -> Double { cost.loss }
}

/// What every recipe on dialogues can be told, as options.
public struct DialogueTrainingOptions: TextOptions {
  @Option(help: .textPreset("turns of plays, a sample that", full: "self_dialogue"))
  public var preset: Preset?
  @Option(
    textOf: "--corpus",
    """
    Dialogues: a file, plain or gzip, with a dialogue a line and __eou__ between turns, or a turn a line and an empty \
    line between dialogues; a folder with such files, a data set in KASANE_DATA, or sample (default: by the preset).
    """)
  public var corpus: String?
  @Option(help: "Features of a word's vector (1 to 8192).")
  public var features = ByPreset(quick: 32, full: 128)
  @Option(help: "Units of the encoder, in each direction, and of the decoder (1 to 8192).")
  public var hidden = ByPreset(quick: 64, full: 256)
  @Option(help: "Units of the network over turns (1 to 8192).")
  public var context = ByPreset(quick: 64, full: 256)
  @Flag(help: "Read each turn in both directions.")
  public var bothWays = false
  @Option(help: "Part of words' vectors and of outputs that is dropped in training (0 or more, below 1).")
  public var dropout = ByPreset(quick: 0, full: 0.2)
  @Option(help: "Dialogues in one iteration (1 to 65536).")
  public var batch = ByPreset(quick: 16, full: 16)
  @Option(help: "Passes over the dialogues (1 to 10000).")
  public var epochs = ByPreset(quick: 4, full: 5)
  @Option(help: "Largest step size of Adam (above 0); it falls to 0 along a cosine.")
  public var learningRate = ByPreset(quick: 0.005, full: 0.001)
  @Option(help: "Largest norm of the gradients (above 0).")
  public var clip = 1.0
  @Option(help: "Words to know at most, the commonest ones (3 or more).")
  public var words = 10_000
  @Option(help: "Words seen less often are unknown (1 or more).")
  public var minimumCount = 3
  @Option(help: "Words of a turn at most (1 to 10000).")
  public var longest = 30
  @Option(help: "What becomes of turns with more.")
  public var overlong = Dialogues.Overlong.truncate
  @Option(help: "Turns that are learned from together; a longer dialogue is cut (2 to 10000).")
  public var turns = 32
  @Option(help: .patience) public var patience = 3

  /// The defaults.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    try require("--batch", self[\.batch], in: 1...65536)
    try require("--features", self[\.features], in: 1...8192)
    try require("--hidden", self[\.hidden], in: 1...8192)
    try require("--context", self[\.context], in: 1...8192)
    try require("--dropout", self[\.dropout], in: 0..<1)
    try requireLearningRate("--learning-rate", self[\.learningRate])
    try requirePositive("--clip", clip)
    try require("--words", words, in: 3...Int.max)
    try require("--minimum-count", minimumCount, in: 1...Int.max)
    try require("--longest", longest, in: 1...10_000)
    try require("--turns", turns, in: 2...10_000)
    try validateText()
  }

  var dataset: String { "self_dialogue" }
}

/// The options of a recipe on dialogues, among which all have the common ones as their own.
@dynamicMemberLookup
protocol DialogueOptions: TextOptions {
  /// What all have.
  var common: DialogueTrainingOptions { get }
  /// The part of the words that the decoder does not see in training.
  var wordDropout: Double { get }
}

extension Dialogues.Overlong: ExpressibleByArgument {}

extension DialogueOptions {
  subscript<Value>(dynamicMember option: KeyPath<DialogueTrainingOptions, Value>) -> Value {
    common[keyPath: option]
  }
  var preset: Preset? { common.preset }
  var corpus: String? { common.corpus }
  var epochs: ByPreset<Int> { common.epochs }
  var patience: Int { common.patience }
  var dataset: String { common.dataset }
  var wordDropout: Double { 0 }

  /// The sizes of a network without latent variables.
  func sizes(for vocabulary: Vocabulary) -> DialogueModel.Sizes {
    DialogueModel.Sizes(
      words: vocabulary.count, features: self[\.features], hidden: self[\.hidden], context: self[\.context])
  }
}

/// Dialogues to learn from and dialogues to judge by.
struct DialogueData {
  let training: [[[Int32]]]
  let validation: [[[Int32]]]
  /// How many turns lost what was beyond the longest allowed.
  let cutTurns: Int
  let fingerprint: String
  let order: LengthBatches
  /// Batches made on another thread.
  let batches: Prefetcher<LengthBatches, DialogueBatch>
  /// Words and ends of the replies of a batch in the mean.
  let targetsPerBatch: Int
}

/// The options of an evaluation.
public struct DialogueEvaluationOptions: ParsableArguments {
  @Option(
    textOf: "--data",
    "Dialogues to judge by (default: the part of the run's corpus that was not learned from).")
  public var data: String?
  @Option(
    help: ArgumentHelp(
      "Another run of hred or vhred to set beside this one; may come several times.", valueName: "run"),
    completion: .directory)
  public var beside: [String] = []
  @Option(help: "Dialogues to each of whose turns the network replies (0 to 1000000; 0: none).")
  public var dialogues = 50
  @Option(help: "Words of a reply at most (1 to 10000).")
  public var length = 30
  @Option(
    help: ArgumentHelp(
      "Words' vectors to compare replies by, GloVe's or word2vec's text (default: the run's own).",
      valueName: "file"), completion: .file())
  public var vectors: String?
  @Option(help: "Divides the logits of a reply's words; 0 takes the likeliest (0 or more).")
  public var temperature = 0.0
  @OptionGroup public var search: ReplySearchOptions
  @Option(help: "Seed of what is drawn.")
  public var seed: UInt64 = 0

  /// The text that the run was judged by.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    try require("--dialogues", dialogues, in: 0...1_000_000)
    try require("--length", length, in: 1...10_000)
    try requireNotNegative("--temperature", temperature)
  }

  var manner: DialogueSystem.Manner {
    var sampling = SamplingOptions()
    (sampling.temperature, sampling.seed, sampling.topK, sampling.topP) = (temperature, seed, 0, 1)
    return DialogueSystem.Manner(
      sampling: sampling, longest: length, beam: search.beam, lengthPenalty: search.lengthPenalty)
  }
}

/// How the likeliest replies are searched, as options.
public struct ReplySearchOptions: ParsableArguments {
  @Option(
    help: """
      Search the likeliest reply with so many beginnings kept at a time, instead of drawing word after word (1 to 1000).
      """)
  public var beam: Int?
  @Option(
    help:
      "Power by which long replies are favoured in a search, 0 for their probability alone (0 or more; Wu et al. 2016)."
  )
  public var lengthPenalty = 1.0

  /// No search.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    if let beam { try require("--beam", beam, in: 1...1000) }
    try requireNotNegative("--length-penalty", lengthPenalty)
  }
}

/// The options of replies.
public struct ReplyOptions: ParsableArguments {
  @Option(help: "Words of a reply at most (1 to 10000).")
  public var length = 30
  @Option(
    help: """
      Replies to what was said (1 to 1000); each of a latent variable of its own, where there is one. A search without \
      latent variables finds at most as many as its --beam.
      """)
  public var samples = 1
  @OptionGroup public var search: ReplySearchOptions
  @OptionGroup public var sampling: SamplingOptions

  /// One reply from the model's own distribution.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    try require("--length", length, in: 1...10_000)
    try require("--samples", samples, in: 1...1000)
  }
}

// MARK: - Training

extension DialogueRecipe {
  /// What follows `predict RUN` in an example.
  static var example: String { "\"Have you seen it?\" --samples 3" }
  static var specialTokens: [String] { DialogueSystem.specialTokens }

  /// Reads the dialogues and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    let (training, validation) = try Dialogues.parts(
      at: options.place, longest: options.longest, overlong: options.overlong)
    let known =
      vocabulary
      ?? Vocabulary(
        counts: training.counts(), special: Self.specialTokens, unknown: Self.specialTokens[1],
        minimumCount: options.minimumCount, limit: options.words)
    guard known.count > known.specialCount else {
      throw KasaneError(
        "\(training.name): all words are unknown: none is seen \(options.minimumCount) times; a lower "
          + "--minimum-count may help")
    }
    use(known)
    let encoded = training.encoded(by: known, longest: options.turns)
    let order = LengthBatches(
      lengths: encoded.map(\.count), size: min(options[\.batch], encoded.count), seed: seed,
      stream: DialogueStream.order)
    let (rate, seed) = (options.wordDropout, seed)
    let batches = Prefetcher(of: order) { order, iteration in
      var random = RandomGenerator(
        seed: seed, stream: DialogueStream.dropping, position: UInt64(iteration) << 32)
      return DialogueBatch(
        order.indices(at: iteration).map { encoded[$0] }, end: DialogueSystem.end,
        unknown: DialogueSystem.unknown
      ) { rate > 0 && random.uniform() < rate }
    }
    let targets = encoded.reduce(0) { sum, turns in sum + turns.dropFirst().reduce(0) { $0 + $1.count + 1 } }
    data = DialogueData(
      training: encoded, validation: validation.encoded(by: known, longest: options.turns),
      cutTurns: training.cutTurns, fingerprint: training.fingerprint + " " + validation.fingerprint,
      order: order, batches: batches, targetsPerBatch: targets / order.batchesPerEpoch)
  }

  /// What tells the dialogues from others.
  public var dataFingerprint: String? { data?.fingerprint }
  /// Words and ends of replies.
  public var tokensPerIteration: Int? { data?.targetsPerBatch }
  /// Batches are made on another thread.
  public var waitingShare: Double? { data?.batches.waitingShare }
  var iterationsPerEpoch: Int { data?.order.batchesPerEpoch ?? 0 }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    let cut =
      data.cutTurns == 0
      ? [] : ["Note: \(data.cutTurns) turns of more than \(options.longest) words are cut after so many"]
    return opening(
      data.training.count, data.validation.count, "dialogues",
      known: "\(vocabulary.count - vocabulary.specialCount) words") + cut
  }

  /// One iteration. The loss is what a word costs.
  func learn(_ iteration: Int) -> Learned {
    // What makes batches does not fail.
    guard let batch = try? data!.batches.element(at: iteration) else { return Learned(loss: .nan) }
    var random = self.random
    // Drawn apart, so that dropout's own draws do not hang on it.
    let noise = model.latent.map { Tensor(normal: [batch.replyCount, $0.count], using: &random) }
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in
        total(model(batch, noise: noise), of: batch.replyCount, at: iteration) / Double(batch.targetCount)
      }
    }
    self.random = random
    return descend(
      loss, gradients, clip: options.clip, learningRate: options[\.learningRate], at: iteration)
  }

  /// The model and what it needs to be measured and to answer.
  var system: DialogueSystem { DialogueSystem(model: model, vocabulary: vocabulary!, seed: seed) }

  func judge() -> TextJudgement {
    let cost = system.cost(of: data!.validation)
    let bound = perplexity(of: cost.loss)
    var result = TextJudgement(loss: judged(cost), metrics: ["validation_perplexity": bound])
    if model.latent != nil {
      result.metrics["validation_kl"] = cost.divergencePerReply
      result.remark =
        "perplexity at most \(fixed(bound, 2))  KL \(fixed(cost.divergencePerReply, 2)) nats a reply"
    }
    return result
  }

  func quality(of loss: Double) -> String? {
    model.latent == nil ? "perplexity \(fixed(perplexity(of: loss), 2))" : nil
  }
}
