// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
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
    @OptionGroup public var common: DialogueTrainingOptions
    @Flag(help: "See the last turn alone, as an encoder-decoder without a context does.")
    public var lastTurnOnly = false

    /// The defaults.
    public init() {}
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
