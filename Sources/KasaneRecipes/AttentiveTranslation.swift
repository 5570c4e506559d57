// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

extension Alignment.Score: ExpressibleByArgument {}

/// An encoder-decoder whose decoder looks back at all that the encoder read (Bahdanau, Cho and Bengio 2015; Luong, Pham and
/// Manning 2015) turns one sequence into another.
public final class AttentiveTranslation: TranslationRecipe {
  /// The name on the command line.
  public static let name = "attention"
  /// What it is, in one line.
  public static let summary = "An encoder-decoder with attention learns to turn one sequence into another."
  /// What `predict` takes after the run.
  public static let predictionUsage = "a sequence, such as \"September 27, 1994\""
  static let example = "\"September 27, 1994\" --alignment picture.svg"

  /// The options of a run.
  public struct Options: TranslationOptions {
    @Option(help: .pairPreset) public var preset: Preset?
    @Option(help: "What becomes what, where no files are given.")
    public var task = ByPreset(quick: TranslationTask.dates, full: .japaneseToEnglish)
    @OptionGroup public var pairs: PairOptions
    @Flag(inversion: .prefixedNo, help: "Read sources in both directions.")
    public var bothWays = true
    @Option(
      help:
        "How what is looked at is chosen (dot, general, concat: Luong et al. 2015; additive: Bahdanau et al. 2015)."
    )
    public var score = Alignment.Score.general
    @Option(
      help:
        "Look at so many tokens to either side of a place that is foretold (local-p; 1 to 10000; default: at all)."
    )
    public var window: Int?
    @Flag(
      inversion: .prefixedNo,
      help: "Show each step what the step before looked at (input feeding; Luong et al. 2015, section 3.3).")
    public var inputFeeding = true
    @Option(help: "Features of a token's vector (1 to 8192).")
    public var features = ByPreset(quick: 32, full: 256)
    @Option(help: "Units of the encoder, in each direction (1 to 8192).")
    public var hidden = ByPreset(quick: 48, full: 256)
    @Option(help: "Part of tokens' vectors and of outputs that is dropped in training (0 or more, below 1).")
    public var dropout = ByPreset(quick: 0, full: 0.3)
    @Option(help: "Pairs in one iteration (1 to 65536).")
    public var batch = ByPreset(quick: 64, full: 64)
    @Option(help: "Passes over the pairs (1 to 10000).")
    public var epochs = ByPreset(quick: 4, full: 9)
    @Option(help: "Largest step size of Adam (above 0); it falls to 0 along a cosine.")
    public var learningRate = ByPreset(quick: 0.01, full: 0.002)
    @OptionGroup public var limits: PairTrainingOptions

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try validateNetwork()
      if let window { try require("--window", window, in: 1...10_000) }
    }
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
      attention: options.score, window: options.window, feedsInput: options.inputFeeding,
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
