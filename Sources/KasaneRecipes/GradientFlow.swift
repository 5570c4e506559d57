// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
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

  // MARK: Options

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

  // MARK: The problem

  /// Inputs `[count, time, features]` and answers.
  private func problems(_ count: Int, using random: inout RandomGenerator) -> (
    inputs: Tensor, answers: Tensor
  ) {
    switch options.problem {
    case .adding: MemoryProblems.adding(count, steps: options[\.steps], using: &random)
    case .copying: MemoryProblems.copying(count, steps: options[\.steps], using: &random)
    }
  }

  private func loss(_ network: SequenceNetwork, _ inputs: Tensor, _ answers: Tensor) -> Tensor {
    switch options.problem {
    case .adding: meanSquaredError(network.last(inputs), answers)
    case .copying: crossEntropy(network(inputs), answers)
    }
  }

  /// What somebody has who remembers nothing.
  private var chance: Double {
    switch options.problem {
    case .adding: 1.0 / 6
    case .copying:
      Double(MemoryProblems.copiedCount) * log(Double(MemoryProblems.symbolCount))
        / Double(options[\.steps] + 2 * MemoryProblems.copiedCount)
    }
  }

  private var lossName: String { options.problem == .adding ? "mean squared error" : "cross-entropy" }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, training: UInt64 = 1, validation: UInt64 = 2, figure: UInt64 = 3
  }

  /// The network.
  public let model: SequenceNetwork
  /// What trains it.
  public let optimizer: any Optimizer
  /// What the iterations draw.
  public var random: RandomGenerator
  private let options: Options
  private let seed: UInt64
  private var lastLoss: Double?

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

  private static func network(_ options: Options, using random: inout RandomGenerator) -> SequenceNetwork {
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

  /// Draws how the gradient reaches back through networks of all kinds before they learn.
  public func keepFiles(in run: RunFolder) throws {
    try Files.write(Self.figure(of: untrained()), to: run.file(Self.figureName))
  }

  private static let figureName = "gradient-flow.svg"

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

  // MARK: After training

  /// The mean loss over fresh problems and how many are solved: sums within 0.04, symbols.
  private func judge(_ count: Int, using random: inout RandomGenerator) -> (
    loss: Double, right: Int, total: Int
  ) {
    var (sum, right, total) = (0.0, 0, 0)
    for start in stride(from: 0, to: count, by: 100) {
      let size = min(100, count - start)
      let (inputs, answers) = problems(size, using: &random)
      switch options.problem {
      case .adding:
        let found = model.last(inputs)
        sum += meanSquaredError(found, answers).scalar * Double(size)
        let pairs = zip(found.elements(as: Float.self), answers.elements(as: Float.self))
        right += pairs.count { abs($0 - $1) < 0.04 }
        total += size
      case .copying:
        let logits = model(inputs)
        sum += crossEntropy(logits, answers).scalar * Double(size)
        let (found, wanted) = (
          logits.argmax(axis: 2).elements(as: Int64.self), answers.elements(as: Int64.self)
        )
        for (answer, symbol) in zip(found, wanted) where symbol > 0 {
          total += 1
          if answer == symbol { right += 1 }
        }
      }
    }
    return (sum / Double(count), right, total)
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    var lines = [
      "How the gradient reaches back before anything is learned: \(run)/\(Self.figureName)",
      "Try next: \(command) evaluate \(run) --svg flow.svg",
    ]
    if let lastLoss {
      lines.insert(
        "Mean loss on fresh problems: \(fixed(lastLoss, 5)) (by chance: \(fixed(chance, 5)))", at: 0)
    }
    return lines
  }

  /// The norms of dE/dh(t) of a network on fresh problems.
  private func norms(_ network: SequenceNetwork, _ options: Options) -> [[Double]] {
    var random = RandomGenerator(seed: seed, stream: Stream.figure)
    let (inputs, answers) = problems(32, using: &random)
    let last = inputs.shape[1] - 1
    return network.stateGradientNorms(inputs) { outputs in
      switch options.problem {
      case .adding: meanSquaredError(outputs.select(last, axis: 1), answers)
      // Of the last symbol alone: otherwise every step after the sign has an error of its own.
      case .copying: crossEntropy(outputs.select(last, axis: 1), answers.select(last, axis: 1))
      }
    }
  }

  /// By what factor clipping would shrink a network's gradients.
  private func clippingFactor(_ network: SequenceNetwork) -> Double {
    var random = RandomGenerator(seed: seed, stream: Stream.figure)
    let (inputs, answers) = problems(32, using: &random)
    let norm = gradient(at: network) { self.loss($0, inputs, answers) }.norm
    let limit = options.clip > 0 ? options.clip : 1
    return norm > limit ? limit / norm : 1
  }

  /// Networks of all kinds that have learned nothing, panel by panel.
  private func untrained() -> [FlowPanel] {
    func made(_ change: (inout Options) -> Void) -> (network: SequenceNetwork, norms: [[Double]]) {
      var options = options
      options.gain = 1
      change(&options)
      var random = RandomGenerator(seed: seed, stream: Stream.weights)
      let network = Self.network(options, using: &random)
      return (network, norms(network, options))
    }
    var panels = HiddenActivation.allCases.map { activation in
      FlowPanel(
        title: "RNN, \(activation == .relu ? "ReLU" : "\(activation)")",
        series: InitialWeights.allCases.map { weights in
          let found = made {
            ($0.cell, $0.activation, $0.`init`) = (.rnn, activation, weights)
          }
          return FlowSeries(label: weights == .he ? "He" : "\(weights)".capitalized, norms: found.norms[0])
        })
    }
    let lstm = made { $0.cell = .lstm }.norms
    panels.append(
      FlowPanel(
        title: "LSTM and GRU",
        series: [
          FlowSeries(label: "LSTM, h", norms: lstm[0]), FlowSeries(label: "LSTM, c", norms: lstm[1]),
          FlowSeries(label: "GRU", norms: made { $0.cell = .gru }.norms[0]),
        ]))
    let wild = made {
      ($0.cell, $0.activation, $0.`init`, $0.gain) = (.rnn, .relu, .he, 1.5)
    }
    let factor = clippingFactor(wild.network)
    panels.append(
      FlowPanel(
        title: "RNN, ReLU, He times 1.5",
        series: [
          FlowSeries(label: "as it comes", norms: wild.norms[0]),
          FlowSeries(label: "clipped", norms: wild.norms[0].map { $0 * factor }),
        ]))
    return panels
  }

  private static func figure(of panels: [FlowPanel]) -> String {
    flowFigure(panels, title: "Norm of dE/dh(t) by the distance from the end")
  }

  /// How well it remembers, and how far its gradient reaches, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    var random = RandomGenerator(seed: evaluation.seed, stream: Stream.validation)
    let (loss, right, total) = judge(evaluation.problems, using: &random)
    let learned = norms(model, options)
    if let path = evaluation.svg {
      let names = learned.count == 1 ? ["h"] : ["h", "c"]
      let own = FlowPanel(
        title: "This run (\(options.cell))",
        series: zip(names, learned).map { FlowSeries(label: "\($0), learned", norms: $1) })
      try Files.write(Self.figure(of: untrained() + [own]), to: path)
    }
    let what = options.problem == .adding ? "Sums right within 0.04" : "Symbols right"
    var lines = [
      "Mean loss (\(lossName)): \(fixed(loss, 5)) (by chance: \(fixed(chance, 5)))",
      "\(what): \(right) of \(total) (\(fixed(100 * Double(right) / Double(total), 2)) %)", "",
      "distance   |dE/dh|" + (learned.count > 1 ? "      |dE/dc|" : ""),
    ]
    let steps = learned[0].count
    for distance in [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, steps - 1].sorted()
    where distance < steps && (distance < steps - 1 || lines.last?.hasPrefix("\(distance) ") != true) {
      let name = "\(distance)"
      let values = learned.map { scientificText($0[steps - 1 - distance]) }
      lines.append(name + String(repeating: " ", count: 11 - name.count) + values.joined(separator: "    "))
    }
    return lines
  }

  /// The answer to one problem.
  public func predict(_ words: [String]) throws -> [String] {
    let words = words.flatMap { $0.split(whereSeparator: \.isWhitespace) }.map(String.init)
    guard !words.isEmpty else {
      throw KasaneError("predict: nothing to go by, \(Self.predictionUsage) expected")
    }
    switch options.problem {
    case .adding: return try predictSum(words)
    case .copying: return try predictCopy(words.joined())
    }
  }

  private func predictSum(_ words: [String]) throws -> [String] {
    var inputs: [Float] = []
    var sum: Float = 0
    for word in words {
      let isMarked = word.hasSuffix("*")
      guard let number = Float(isMarked ? String(word.dropLast()) : word), (0...1).contains(number) else {
        throw KasaneError("predict: \(word) is no number from 0 to 1, marked by * or not")
      }
      inputs += [number, isMarked ? 1 : 0]
      if isMarked { sum += number }
    }
    let marks = words.count { $0.hasSuffix("*") }
    guard marks == 2 else { throw KasaneError("predict: \(marks) numbers are marked by *, 2 expected") }
    let answer = model.last(Tensor(inputs, shape: [1, words.count, 2])).scalar
    return ["Answer: \(fixed(answer, 4))  (right: \(fixed(Double(sum), 4)))"]
  }

  private func predictCopy(_ text: String) throws -> [String] {
    let symbols = text.compactMap { $0.isASCII ? $0.wholeNumberValue : nil }
    let (count, largest) = (MemoryProblems.copiedCount, MemoryProblems.symbolCount)
    guard symbols.count == text.count, symbols.count == count,
      symbols.allSatisfy({ (1...largest).contains($0) })
    else {
      throw KasaneError("predict: \(text.prefix(40)) found, \(count) digits from 1 to \(largest) expected")
    }
    let (inputs, _) = MemoryProblems.copying(symbols, steps: options[\.steps])
    let answers = model(inputs).argmax(axis: 2).elements(as: Int64.self).suffix(count)
    let right = zip(answers, symbols).count { Int($0) == $1 }
    return ["Answer: \(answers.map(String.init).joined())  (\(right) of \(count) right)"]
  }
}
