// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
public import KasaneModels

/// A recurrent network learns to add: two numbers go in bit by bit, least significant first, and the network
/// answers one bit of the sum at each step. The carry is what it has to remember.
public final class BinaryAddition: Recipe {
  /// The name on the command line.
  public static let name = "binary-addition"
  /// What it is, in one line.
  public static let summary = "A recurrent network learns to add two numbers bit by bit."
  /// What `predict` takes after the run.
  public static let predictionUsage = "two whole numbers, such as 11 93"

  // MARK: Options

  /// How the gradient is found.
  public enum Method: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Backpropagation through time by hand.
    case bptt
    /// The network step by step, differentiated by the tape.
    case tape
    /// The whole sequence as one primitive.
    case fused
  }

  /// How the first weights are drawn.
  public enum InitialWeights: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Variance 1, 1 / fan-in or 2 / fan-in.
    case normal, xavier, he

    var initializer: Initializer {
      switch self {
      case .normal: .normal
      case .xavier: .xavier
      case .he: .he
      }
    }
  }

  /// The activation of the hidden layer: those that all methods know.
  public enum HiddenActivation: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    case sigmoid, relu, tanh

    /// The function.
    public var activation: Activation {
      switch self {
      case .sigmoid: .sigmoid
      case .relu: .relu
      case .tanh: .tanh
      }
    }
  }

  /// The options of a run; the defaults are the course's.
  public struct Options: RecipeOptions {
    @Option(help: "Bits of the sum (1 to 32); the numbers added have one bit less.")
    public var bits = 8
    @Option(help: "Units of the hidden layer (1 to 4096).")
    public var hidden = 16
    @Option(help: "Step size of gradient descent (above 0).")
    public var learningRate = 0.1
    @Option(help: "Iterations to train (1 or more).")
    public var iterations = 10_000
    @Option(help: "Activation of the hidden layer.")
    public var activation = HiddenActivation.sigmoid
    @Option(name: .customLong("init"), help: "First weights: variance 1, 1/fan-in or 2/fan-in.")
    public var `init` = InitialWeights.normal
    @Option(help: "Problems in one iteration (1 to 65536); the error is their mean.")
    public var batch = 1
    @Flag(help: "Add the biases b and c.")
    public var bias = false
    @Option(help: "How the gradient is found.")
    public var method = Method.fused

    /// The course's exercise.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--bits", bits, in: 1...32)
      try require("--hidden", hidden, in: 1...4096)
      try require("--iterations", iterations, in: 1...Int.max)
      try require("--batch", batch, in: 1...65536)
      try requireLearningRate("--learning-rate", learningRate)
    }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(help: "Fresh problems to solve (1 or more).")
    public var problems = 1000
    @Option(help: "Seed of the problems.")
    public var seed: UInt64 = 0
    @Option(help: "Bits of the sums (1 to 32); default: those of the training.")
    public var bits: Int?

    /// A thousand problems of the length trained on.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--problems", problems, in: 1...100_000_000)
      if let bits { try require("--bits", bits, in: 1...32) }
    }
  }

  // MARK: Data

  /// Numbers to add, and their bits as the network sees them, least significant first.
  public struct Problems {
    /// The numbers.
    public let terms: [(UInt64, UInt64)]
    /// The terms' bits, `[problem, bit, 2]`.
    public let inputs: Tensor
    /// The sums' bits, `[problem, bit, 1]`.
    public let targets: Tensor

    /// The given sums, of `bits` bits each.
    public init(_ terms: [(UInt64, UInt64)], bits: Int) {
      self.terms = terms
      inputs = Tensor(shape: [terms.count, bits, 2], of: Float.self) { memory in
        for (problem, (a, b)) in terms.enumerated() {
          for bit in 0..<bits {
            memory[(problem * bits + bit) * 2] = Float(a >> bit & 1)
            memory[(problem * bits + bit) * 2 + 1] = Float(b >> bit & 1)
          }
        }
      }
      targets = Tensor(shape: [terms.count, bits, 1], of: Float.self) { memory in
        for (problem, (a, b)) in terms.enumerated() {
          for bit in 0..<bits { memory[problem * bits + bit] = Float((a + b) >> bit & 1) }
        }
      }
    }

    /// Random terms below 2^(bits-1), and 2^63, so that the sum has at most `bits` bits.
    public init(_ count: Int, bits: Int, using random: inout RandomGenerator) {
      let mask = UInt64(1) << (min(bits, 64) - 1) - 1
      self.init((0..<count).map { _ in (random.next() & mask, random.next() & mask) }, bits: bits)
    }
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, problems: UInt64 = 1, evaluation: UInt64 = 2, closing: UInt64 = 3
  }

  /// The network.
  public let model: RecurrentTagger
  /// What trains it.
  public let optimizer: any Optimizer
  /// What the iterations draw.
  public var random: RandomGenerator
  /// How many iterations make a run.
  public var iterations: Int { options.iterations }
  private let options: Options
  private let seed: UInt64
  private let descent: SGD
  private var byHand: BackpropagationThroughTime?

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    model = RecurrentTagger(
      inputs: 2, hidden: options.hidden, outputs: 1, activation: options.activation.activation,
      bias: options.bias, initializer: options.`init`.initializer, using: &weights)
    random = RandomGenerator(seed: seed, stream: Stream.problems)
    descent = SGD(learningRate: options.learningRate)
    optimizer = descent
  }

  /// One iteration: forward, backward, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let problems = Problems(options.batch, bits: options.bits, using: &random)
    let answers = reporting ? model(problems.inputs) : nil
    let loss = train(on: problems)
    return TrainingStep(loss: loss, text: answers.map { report(iteration, loss, problems, $0) })
  }

  /// One iteration of gradient descent on E = sum over t of (y(t) - d(t))^2 / 2, the mean over the problems.
  func train(on problems: Problems) -> Double {
    switch options.method {
    case .bptt: return trainByHand(on: problems)
    case .tape:
      let (loss, gradients) = valueWithGradient(at: model) { model in
        var total = Tensor?.none
        var state = Tensor?.none
        for t in 0..<problems.inputs.shape[1] {
          let (y, next) = model.step(problems.inputs.select(t, axis: 1), state: state)
          let error = halfSquaredError(y, problems.targets.select(t, axis: 1))
          total = total.map { $0 + error } ?? error
          state = next
        }
        return mean(total!)
      }
      descent.update(model, along: gradients)
      return loss.scalar
    case .fused:
      let (loss, gradients) = valueWithGradient(at: model) { model in
        mean(halfSquaredError(model(problems.inputs), problems.targets))
      }
      descent.update(model, along: gradients)
      return loss.scalar
    }
  }

  private func mean(_ total: Tensor) -> Tensor { options.batch == 1 ? total : total / Double(options.batch) }

  private func trainByHand(on problems: Problems) -> Double {
    let byHand =
      self.byHand
      ?? BackpropagationThroughTime(
        model, activation: options.activation, steps: options.bits)
    self.byHand = byHand
    return byHand.train(
      model, problems.inputs, problems.targets, learningRate: Float(options.learningRate))
  }

  /// The report in the course's form: the iteration's first problem, bits printed most significant first.
  private func report(_ iteration: Int, _ loss: Double, _ problems: Problems, _ answers: Tensor) -> String {
    let bits = options.bits
    func row(_ tensor: Tensor) -> [UInt64] {
      tensor.elements(as: Float.self)[..<bits].reversed().map { $0 > 0.5 ? 1 : 0 }
    }
    func line(_ bits: [UInt64]) -> String { "[" + bits.map(String.init).joined(separator: " ") + "]" }
    let predicted = row(answers)
    let (a, b) = problems.terms[0]
    return """
      iters:\(iteration)
      Loss:\(Float(loss))
      Pred:\(line(predicted))
      True:\(line(row(problems.targets)))
      \(a) + \(b) = \(predicted.reduce(0) { $0 << 1 | $1 })
      ------------
      """
  }

  // MARK: After training

  /// How many of the problems, and of their bits, the network gets right.
  private func score(_ count: Int, bits: Int, using random: inout RandomGenerator) -> (sums: Int, bits: Int) {
    var (sums, rightBits, left) = (0, 0, count)
    while left > 0 {
      let problems = Problems(min(left, 1000), bits: bits, using: &random)
      left -= problems.terms.count
      let answers = model(problems.inputs).elements(as: Float.self)
      let targets = problems.targets.elements(as: Float.self)
      for problem in 0..<problems.terms.count {
        let range = problem * bits..<(problem + 1) * bits
        let right = range.count { (answers[$0] > 0.5) == (targets[$0] > 0.5) }
        rightBits += right
        sums += right == bits ? 1 : 0
      }
    }
    return (sums, rightBits)
  }

  private static func share(_ part: Int, of whole: Int) -> String {
    "\(part) of \(whole) (\(fixed(100 * Double(part) / Double(whole), 2)) %)"
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    var fresh = RandomGenerator(seed: seed, stream: Stream.closing)
    let score = score(1000, bits: options.bits, using: &fresh)
    let fits = options.bits >= 8
    return [
      "Fresh problems solved: \(Self.share(score.sums, of: 1000))",
      "Try next: \(command) predict \(run) \(fits ? "11 93" : "0 0")",
      "          \(command) evaluate \(run) --bits 16",
    ]
  }

  /// How much of fresh data is right, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let bits = evaluation.bits ?? options.bits
    var fresh = RandomGenerator(seed: evaluation.seed, stream: Stream.evaluation)
    let score = score(evaluation.problems, bits: bits, using: &fresh)
    return [
      "Sums right: \(Self.share(score.sums, of: evaluation.problems))",
      "Bits right: \(Self.share(score.bits, of: evaluation.problems * bits))",
    ]
  }

  /// The answer to what the words name, in lines.
  public func predict(_ words: [String]) throws -> [String] {
    guard words.count == 2 else {
      throw KasaneError("predict: \(words.count) numbers, \(Self.predictionUsage) expected")
    }
    let limit = UInt64(1) << (options.bits - 1)
    let terms = try words.map { word in
      guard let number = UInt64(word), number < limit else {
        throw KasaneError(
          "predict: \(word) does not fit: this run adds whole numbers from 0 to \(limit - 1)")
      }
      return number
    }
    let problem = Problems([(terms[0], terms[1])], bits: options.bits)
    let answers = model(problem.inputs).elements(as: Float.self)
    let sum = answers.reversed().reduce(UInt64(0)) { $0 << 1 | ($1 > 0.5 ? 1 : 0) }
    let right = terms[0] + terms[1]
    var lines = ["bit  probability of 1  answer"]
    for (bit, answer) in answers.enumerated().reversed() {
      let number = String(repeating: " ", count: bit < 10 ? 2 : 1) + "\(bit)"
      lines.append("\(number)  \(fixed(Double(answer), 6))          \(answer > 0.5 ? 1 : 0)")
    }
    let verdict = sum == right ? "right" : "wrong: it is \(right)"
    return lines + ["\(terms[0]) + \(terms[1]) = \(sum)  (\(verdict))"]
  }

  /// Some sums, and one of them bit by bit.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    var fresh = RandomGenerator(seed: seed, stream: Stream.closing)
    let problems = Problems(8, bits: options.bits, using: &fresh)
    let answers = model(problems.inputs).elements(as: Float.self)
    func bits(of problem: Int) -> ArraySlice<Float> {
      answers[problem * options.bits..<(problem + 1) * options.bits]
    }
    func text(_ bits: some Sequence<Bool>) -> String { String(bits.map { $0 ? "1" : "0" }) }
    let sums = problems.terms.enumerated().map { problem, terms in
      let (found, right) = (bits(of: problem).map { $0 > 0.5 }, terms.0 + terms.1)
      let sum = found.reversed().reduce(UInt64(0)) { $0 << 1 | ($1 ? 1 : 0) }
      let verdict = sum == right ? language("right", "正解") : language("wrong: \(right)", "誤り: \(right)")
      return ["\(terms.0) + \(terms.1)", text(found.reversed()), "\(sum)", verdict]
    }
    let (a, b) = problems.terms[0]
    return [
      Exhibit(
        "sums", title: language("Sums", "足し算"),
        caption: language(
          "Fresh problems, the sum's bits most significant first.", "新しい問題です。和のビットは上位から並びます。"),
        .table(
          columns: [
            .init(language("Problem", "問題"), isNumeric: true),
            .init(language("Bits", "ビット"), isNumeric: true),
            .init(language("Sum", "和"), isNumeric: true), .init(language("Verdict", "判定")),
          ], rows: sums)),
      Exhibit(
        "bits", title: language("\(a) + \(b), bit by bit", "\(a) + \(b) をビットごとに"),
        caption: language(
          "What goes in at each step, and what the network says of the sum's bit, least significant first.",
          "各時刻の入力と、和のビットについてのネットワークの出力です。下位から並びます。"),
        .table(
          columns: [
            .init(language("Bit", "ビット"), isNumeric: true), .init(language("Terms", "入力"), isNumeric: true),
            .init(language("Probability of 1", "1 の確率"), isNumeric: true),
            .init(language("Answer", "出力"), isNumeric: true), .init(language("Right", "正解"), isNumeric: true),
          ],
          rows: bits(of: 0).enumerated().map { bit, answer in
            [
              "\(bit)", "\(a >> bit & 1) \(b >> bit & 1)", fixed(Double(answer), 6), answer > 0.5 ? "1" : "0",
              "\((a + b) >> bit & 1)",
            ]
          })),
    ]
  }

  /// What does one whole training iteration after the other, on problems that are made beforehand.
  public func benchmarkIteration() -> () -> Void {
    var random = RandomGenerator(seed: seed, stream: Stream.closing)
    let pool = (0..<64).map { _ in Problems(options.batch, bits: options.bits, using: &random) }
    var next = 0
    return { [self] in
      _ = train(on: pool[next % pool.count])
      next += 1
    }
  }
}
