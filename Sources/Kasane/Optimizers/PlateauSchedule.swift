// SPDX-License-Identifier: Apache-2.0

/// A learning rate that falls when a number stops improving, such as the loss on held-out data. It is a class because it
/// remembers; what it remembers is saved in checkpoints.
///
///     optimizer.learningRate = plateau.observe(validationLoss)
///
/// By the definition of PyTorch's `ReduceLROnPlateau`.
public final class PlateauSchedule: Checkpointed {
  /// The way in which the number is to go.
  public enum Direction: String, Codable, Sendable { case down, up }
  /// How an improvement is measured: by a share of the best number, or by a difference.
  public enum Threshold: Codable, Hashable, Sendable { case relative(Double), absolute(Double) }

  /// What the rate is multiplied by when it falls.
  public let factor: Double
  /// How many observations without improvement are borne.
  public let patience: Int
  /// How much a number must be better than the best to count.
  public let threshold: Threshold
  /// How many observations after a fall count for nothing.
  public let cooldown: Int
  /// The least rate.
  public let minimum: Double
  /// The way in which the number is to go.
  public let direction: Direction

  /// The learning rate now.
  public private(set) var rate: Double
  private var best: Double
  private var badCount = 0
  private var coolingCount = 0

  /// A schedule that begins at `rate`; the defaults are PyTorch's.
  public init(
    rate: Double, direction: Direction = .down, factor: Double = 0.1, patience: Int = 10,
    threshold: Threshold = .relative(1e-4), cooldown: Int = 0, minimum: Double = 0
  ) {
    precondition(factor > 0 && factor < 1, "PlateauSchedule: a factor of \(factor)")
    self.rate = rate
    self.direction = direction
    self.factor = factor
    self.patience = patience
    self.threshold = threshold
    self.cooldown = cooldown
    self.minimum = minimum
    best = direction == .down ? .infinity : -.infinity
  }

  /// Takes note of a number and returns the learning rate from now on.
  @discardableResult
  public func observe(_ number: Double) -> Double {
    if isBetter(number) {
      best = number
      badCount = 0
    } else {
      badCount += 1
    }
    if coolingCount > 0 {
      coolingCount -= 1
      badCount = 0
    }
    if badCount > patience {
      let lower = max(rate * factor, minimum)
      // By PyTorch's rule a change that is next to nothing is left out.
      if rate - lower > 1e-8 { rate = lower }
      coolingCount = cooldown
      badCount = 0
    }
    return rate
  }

  private func isBetter(_ number: Double) -> Bool {
    switch (direction, threshold) {
    case (.down, .relative(let share)): number < best * (1 - share)
    case (.down, .absolute(let difference)): number < best - difference
    case (.up, .relative(let share)): number > best * (1 + share)
    case (.up, .absolute(let difference)): number > best + difference
    }
  }

  private static let stateName = "plateau"

  /// What it remembers, by name.
  public var state: [String: Tensor] {
    [Self.stateName: Tensor([rate, best, Double(badCount), Double(coolingCount)])]
  }

  /// Takes back what `state` gave; throws where a name is missing, unexpected or misshapen.
  public func restore(_ state: [String: Tensor], from source: String) throws {
    var problems = ProblemList(of: state)
    problems.expect(Self.stateName, [4], .float64)
    try problems.throwAny("\(source): not the state of a plateau schedule")
    let numbers = state[Self.stateName]!.elements(as: Double.self)
    guard let bad = Int(exactly: numbers[2]), let cooling = Int(exactly: numbers[3]), bad >= 0, cooling >= 0,
      numbers[0] >= 0, !numbers[1].isNaN
    else { throw KasaneError("\(source): not the state of a plateau schedule: it holds \(numbers)") }
    (rate, best, badCount, coolingCount) = (numbers[0], numbers[1], bad, cooling)
  }
}

extension PlateauSchedule: CustomStringConvertible {
  /// The schedule in words.
  public var description: String {
    "\(rate) now, times \(factor) after more than \(patience) observations without improvement"
  }
}
