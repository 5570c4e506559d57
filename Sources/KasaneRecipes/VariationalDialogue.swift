// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A hierarchical dialogue model with a latent variable for each turn (VHRED; Serban et al. 2017) learns to answer.
public final class VariationalDialogue: DialogueRecipe {
  /// The name on the command line.
  public static let name = "vhred"
  /// What it is, in one line.
  public static let summary =
    "A dialogue model with a latent variable for each turn learns to answer in more ways than one."
  /// What `predict` takes after the run.
  public static let predictionUsage = "the turns of a conversation, such as \"Hello.\" \"Hi, how are you?\""

  /// The options of a run.
  public struct Options: DialogueOptions {
    @OptionGroup public var common: DialogueTrainingOptions
    @Option(help: "Latent variables of a turn (1 to 8192).")
    public var latent = ByPreset(quick: 16, full: 64)
    @Option(
      help: "Part of the run's iterations in which the divergence's weight rises from 0 to 1 (0 to 1).")
    public var annealing = 0.5
    @Option(
      help: "Nats of a reply's divergence that cost nothing in training, in a batch's mean (0 or more).")
    public var freeNats = 8.0
    @Option(help: "Part of the words that the decoder does not see in training (0 or more, below 1).")
    public var wordDropout = 0.25
    @Option(help: "Weight of foretelling a reply's words whatever their order (0 or more; 0: none).")
    public var bag = 1.0

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--latent", self[\.latent], in: 1...8192)
      guard (0...1).contains(annealing) else {
        throw ValidationError("--annealing: \(annealing) is out of range, 0 to 1 expected")
      }
      try requireNotNegative("--free-nats", freeNats)
      try require("--word-dropout", wordDropout, in: 0..<1)
      try requireNotNegative("--bag", bag)
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
    var sizes = options.sizes(for: vocabulary)
    sizes.latent = options[\.latent]
    return DialogueModel(
      sizes, readsBothWays: options.bothWays, hasBag: options.bag > 0, dropout: options[\.dropout],
      using: &weights)
  }

  /// What trains it.
  public let optimizer: any Optimizer
  /// What dropout and latent variables draw from.
  public var random: RandomGenerator
  let options: Options
  let seed: UInt64

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    (self.options, self.seed) = (options, seed)
    optimizer = Adam(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: DialogueStream.training)
  }

  /// The bound, in which the divergence counts the more the longer the training lasts, up to once (Bowman et al. 2016,
  /// section 3.1), but not below what is free (Kingma et al. 2016, appendix C.8), and the words foretold whatever their
  /// order (Zhao, Zhao and Eskenazi 2017, section 4.2).
  func total(_ cost: DialogueModel.Cost, of replies: Int, at iteration: Int) -> Tensor {
    let rising = options.annealing * Double(iterations)
    let weight = rising > 0 ? min(1, Double(iteration) / rising) : 1
    let costly = relu(cost.divergence! - options.freeNats * Double(replies))
    let bound = cost.words + weight * costly
    return cost.bag.map { bound + options.bag * $0 } ?? bound
  }

  /// As in training once the divergence counts fully: what is free costs nothing here either, else the epochs in which the
  /// latent variables say least would win.
  func judged(_ cost: DialogueSystem.Cost) -> Double {
    let free = options.freeNats * Double(cost.replies)
    return (cost.words + max(0, cost.divergence - free)) / Double(max(cost.targets, 1))
  }
}
