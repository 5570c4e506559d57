// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// An encoder-decoder (Sutskever, Vinyals and Le 2014; Cho et al. 2014) turns one sequence into another through nothing but
/// what its encoder ends with.
public final class SequenceToSequence: TranslationRecipe {
  /// The name on the command line.
  public static let name = "seq2seq"
  /// What it is, in one line.
  public static let summary = "An encoder-decoder learns to turn one sequence into another."
  /// What `predict` takes after the run.
  public static let predictionUsage = "a sequence, such as 16+75"
  static let example = "16+75"

  /// The options of a run.
  public struct Options: TranslationOptions {
    @Option(help: .pairPreset) public var preset: Preset?
    @Option(help: "What becomes what, where no files are given.")
    public var task = ByPreset(quick: TranslationTask.addition, full: .addition)
    @OptionGroup public var pairs: PairOptions
    @Flag(help: "Read sources in both directions.")
    public var bothWays = false
    @Option(help: "Features of a token's vector (1 to 8192).")
    public var features = ByPreset(quick: 16, full: 16)
    @Option(help: "Units of the encoder, in each direction (1 to 8192).")
    public var hidden = ByPreset(quick: 64, full: 128)
    @Option(help: "Part of tokens' vectors and of outputs that is dropped in training (0 or more, below 1).")
    public var dropout = ByPreset(quick: 0.0, full: 0)
    @Option(help: "Pairs in one iteration (1 to 65536).")
    public var batch = ByPreset(quick: 64, full: 128)
    @Option(help: "Passes over the pairs (1 to 10000).")
    public var epochs = ByPreset(quick: 20, full: 25)
    @Option(help: "Largest step size of Adam (above 0); it falls to 0 along a cosine.")
    public var learningRate = ByPreset(quick: 0.01, full: 0.003)
    @OptionGroup public var limits: PairTrainingOptions

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws { try validateNetwork() }
  }

  /// The options of an evaluation.
  public typealias EvaluationOptions = TranslationEvaluationOptions
  /// The options of a prediction.
  public typealias PredictionOptions = TranslationPredictionOptions

  // MARK: The network and its training

  /// What is trained.
  public typealias Model = Translator
  var network: Translator?
  var vocabulary: Vocabulary?
  var form: PairForm?
  var sourceVocabulary: Vocabulary?
  var data: TranslationData?

  func newNetwork(for vocabulary: Vocabulary) -> Translator {
    var weights = RandomGenerator(seed: seed, stream: TranslationStream.weights)
    return Translator(
      Translator.Sizes(
        source: sourceVocabulary!.count, target: vocabulary.count, features: options[\.features],
        hidden: options[\.hidden]),
      cell: options.cell, readsBothWays: options.bothWays, isPeeky: options.peeky,
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
    random = RandomGenerator(seed: seed, stream: TranslationStream.training)
  }
}
