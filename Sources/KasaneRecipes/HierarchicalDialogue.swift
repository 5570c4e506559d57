// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
public import KasaneData
public import KasaneModels

/// A hierarchical recurrent encoder-decoder (HRED; Serban et al. 2016) learns to answer from dialogues, or, without memory of
/// the turns before the last, an encoder-decoder (Sutskever, Vinyals and Le 2014).
public final class HierarchicalDialogue: DialogueRecipe {
  /// The name on the command line.
  public static let name = "hred"
  /// What it is, in one line.
  public static let summary =
    "A hierarchical dialogue model learns to answer, remembering what was said before."
  /// What `predict` takes after the run.
  public static let predictionUsage = "the turns of a conversation, such as \"Hello.\" \"Hi, how are you?\""

  /// The options of a run.
  public struct Options: DialogueOptions {
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
    @Flag(help: "See the last turn alone, as an encoder-decoder without a context does.")
    public var lastTurnOnly = false
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
      try validateDialogues()
    }
  }

  /// The options of an evaluation.
  public typealias EvaluationOptions = DialogueEvaluationOptions
  /// The options of replies.
  public typealias PredictionOptions = ReplyOptions

  // MARK: The network and its training

  /// What is trained.
  public typealias Model = DialogueModel
  var network: DialogueModel?
  var vocabulary: Vocabulary?
  var data: DialogueData?

  func newNetwork(for vocabulary: Vocabulary) -> DialogueModel {
    var weights = RandomGenerator(seed: seed, stream: DialogueStream.weights)
    return DialogueModel(
      options.sizes(for: vocabulary), readsBothWays: options.bothWays, remembers: !options.lastTurnOnly,
      dropout: options[\.dropout], using: &weights)
  }

  /// What trains it.
  public let optimizer: any Optimizer
  /// What dropout draws from.
  public var random: RandomGenerator
  let options: Options
  let seed: UInt64

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    (self.options, self.seed) = (options, seed)
    optimizer = Adam(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: DialogueStream.training)
  }

  /// What the words cost.
  func total(_ cost: DialogueModel.Cost, of replies: Int, at iteration: Int) -> Tensor { cost.words }
}
