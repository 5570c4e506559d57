// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
public import KasaneModels

extension GradientFlow {
  /// What has to be remembered.
  public enum Problem: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// The sum of two marked numbers.
    case adding
    /// Ten symbols, to be repeated after a while.
    case copying
  }

  /// How the recurrent weight of a simple network is drawn.
  public enum InitialWeights: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Variance 1 / fan-in or 2 / fan-in, or a rotation.
    case xavier, he, orthogonal

    var initializer: Initializer {
      switch self {
      case .xavier: .xavier
      case .he: .he
      case .orthogonal: .orthogonal
      }
    }
  }

  /// The activation of a simple network.
  public enum HiddenActivation: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    case sigmoid, tanh, relu

    /// The function.
    var activation: Activation {
      switch self {
      case .sigmoid: .sigmoid
      case .tanh: .tanh
      case .relu: .relu
      }
    }
  }

  /// How the gradient is followed.
  public enum Method: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Adam.
    case adam
    /// Gradient descent.
    case sgd
  }

  /// The options of a run.
  public struct Options: RecipeOptions {
    @Option(help: "quick: seconds on 20 steps; full: 100 steps (default: full).")
    public var preset: Preset?
    @Option(help: "What has to be remembered.")
    public var problem = Problem.adding
    @Option(help: "Steps of the adding problem, blanks of the copy problem (2 to 10000).")
    public var steps = ByPreset(quick: 20, full: 100)
    @Option(help: "Cell.")
    public var cell = RecurrentKind.lstm
    @Option(help: "How the recurrent weight of --cell rnn is drawn.")
    public var `init` = InitialWeights.xavier
    @Option(help: "Activation of --cell rnn.")
    public var activation = HiddenActivation.tanh
    @Option(
      help: "What the recurrent weight of --cell rnn is multiplied by at the start (0 or more, below 100).")
    public var gain = 1.0
    @Option(help: "Size of the state (1 to 4096).")
    public var hidden = ByPreset(quick: 32, full: 64)
    @Option(help: "Iterations (1 to 100000000).")
    public var iterations = ByPreset(quick: 600, full: 4000)
    @Option(help: "Problems in one iteration (1 to 10000).")
    public var batch = ByPreset(quick: 32, full: 64)
    @Option(help: "Optimizer.")
    public var optimizer = Method.adam
    @Option(help: "Step size (above 0).")
    public var learningRate = ByPreset(quick: 0.01, full: 0.002)
    @Option(help: "Largest norm of the gradient, to which it is clipped; 0 for none.")
    public var clip = 1.0
    @Option(help: "Judgements, of which a run has ten, without a better one after which to stop (0: never).")
    public var patience = 0

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--steps", self[\.steps], in: 2...10_000)
      try require("--gain", gain, in: 0..<100)
      try require("--hidden", self[\.hidden], in: 1...4096)
      try require("--iterations", self[\.iterations], in: 1...100_000_000)
      try require("--batch", self[\.batch], in: 1...10_000)
      try requireLearningRate("--learning-rate", self[\.learningRate])
      try require("--clip", clip, in: 0..<1e9)
      try require("--patience", patience, in: 0...Int.max)
    }

    /// The preset given, or the whole thing.
    public var chosenPreset: Preset? { preset ?? .full }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(help: "Problems to measure on (1 to 100000).")
    public var problems = 500
    @Option(help: "Seed of the problems.")
    public var seed: UInt64 = 1
    @Option(
      help: ArgumentHelp(
        "Draw the norms, beside those of networks that have not learned, in this SVG file.", valueName: "file"
      ),
      completion: .file(extensions: ["svg"]))
    public var svg: String?

    /// Five hundred problems.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--problems", problems, in: 1...100_000)
      if svg == "" { throw ValidationError("--svg: empty, a file's path expected") }
    }
  }
}
