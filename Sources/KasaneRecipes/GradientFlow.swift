// SPDX-License-Identifier: Apache-2.0

public import Kasane
import KasaneData
public import KasaneModels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How far a gradient reaches back through time: a recurrent network learns a problem of memory, and shows the norms of
/// dE/dh(t) at every distance from the end (Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and
/// Bengio 2013).
public final class GradientFlow: Recipe {
  /// The name on the command line.
  public static let name = "gradient-flow"
  /// What it is, in one line.
  public static let summary = "How far a gradient reaches back through time, and what can then be remembered."
  /// What `predict` takes after the run.
  public static let predictionUsage =
    "for the adding problem numbers of which two are marked, such as \"0.3* 0.5 0.9*\", for the copy problem ten digits "
    + "from 1 to 8"
  /// Problems are answered line by line.
  public static let predictsLines = true

  // MARK: The problem

  /// Inputs `[count, time, features]` and answers.
  func problems(_ count: Int, using random: inout RandomGenerator) -> (
    inputs: Tensor, answers: Tensor
  ) {
    switch options.problem {
    case .adding: MemoryProblems.adding(count, steps: options[\.steps], using: &random)
    case .copying: MemoryProblems.copying(count, steps: options[\.steps], using: &random)
    }
  }

  func loss(_ network: SequenceNetwork, _ inputs: Tensor, _ answers: Tensor) -> Tensor {
    switch options.problem {
    case .adding: meanSquaredError(network.last(inputs), answers)
    case .copying: crossEntropy(network(inputs), answers)
    }
  }

  /// What somebody has who remembers nothing.
  var chance: Double {
    switch options.problem {
    case .adding: 1.0 / 6
    case .copying:
      Double(MemoryProblems.copiedCount) * log(Double(MemoryProblems.symbolCount))
        / Double(options[\.steps] + 2 * MemoryProblems.copiedCount)
    }
  }

  var lossName: String { options.problem == .adding ? "mean squared error" : "cross-entropy" }

  // MARK: The network and its training

  enum Stream {
    static let weights: UInt64 = 0, training: UInt64 = 1, validation: UInt64 = 2, figure: UInt64 = 3
  }

  /// The network.
  public let model: SequenceNetwork
  /// What trains it.
  public let optimizer: any Optimizer
  /// What the iterations draw.
  public var random: RandomGenerator
  let options: Options
  let seed: UInt64
  private(set) var lastLoss: Double?

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    model = Self.network(options, using: &weights)
    random = RandomGenerator(seed: seed, stream: Stream.training)
    switch options.optimizer {
    case .adam: optimizer = Adam(learningRate: options[\.learningRate])
    case .sgd: optimizer = SGD(learningRate: options[\.learningRate])
    }
  }

  static func network(_ options: Options, using random: inout RandomGenerator) -> SequenceNetwork {
    let (inputs, outputs) = options.problem == .adding ? (2, 1) : (10, 10)
    let hidden = options[\.hidden]
    let cell: any RecurrentCell
    switch options.cell {
    case .rnn:
      let made = RNNCell(
        inputs, hidden, activation: options.activation.activation, initializer: .xavier,
        recurrentInitializer: options.`init`.initializer, using: &random)
      if options.gain != 1 { made.recurrentWeight.assign(made.recurrentWeight.value * options.gain) }
      cell = made
    case .lstm: cell = LSTMCell(inputs, hidden, using: &random)
    case .gru: cell = GRUCell(inputs, hidden, using: &random)
    }
    return SequenceNetwork(cell: cell, outputs: outputs, using: &random)
  }

  /// The option's.
  public var patience: Int? { options.patience == 0 ? nil : options.patience }
  /// How many iterations make a run.
  public var iterations: Int { options[\.iterations] }

  /// What is to be learned.
  public func openingLines() -> [String] {
    let clipping =
      options.clip > 0 ? "gradients clipped to a norm of \(options.clip)" : "gradients as they come"
    return [
      "The \(options.problem) problem over \(options[\.steps]) steps, \(clipping); who remembers nothing has a "
        + "\(lossName) of \(fixed(chance, 4))"
    ]
  }

  /// One iteration: forward, backward, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let (inputs, answers) = problems(options[\.batch], using: &random)
    var (loss, gradients) = valueWithGradient(at: model) { self.loss($0, inputs, answers) }
    let norm = options.clip > 0 ? gradients.clip(toNorm: options.clip) : reporting ? gradients.norm : 0
    optimizer.update(model, along: gradients)

    var step = TrainingStep(loss: loss.scalar)
    var lines: [String] = []
    if reporting {
      step.metrics["gradient_norm"] = norm
      lines.append(
        "iteration \(iteration)  loss \(fixed(step.loss, 5))  norm of the gradient \(fixed(norm, 4))")
    }
    // Ten times in a run.
    let interval = max(1, iterations / 10)
    if (iteration + 1) % interval == 0 || iteration + 1 == iterations {
      var fresh = RandomGenerator(seed: seed, stream: Stream.validation)
      let loss = judge(500, using: &fresh).loss
      lastLoss = loss
      step.metrics["validation_loss"] = loss
      if loss.isFinite { step.judgement = loss }
      lines.append("iteration \(iteration)  validation \(lossName) \(fixed(loss, 5))")
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }
}
