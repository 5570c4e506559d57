// SPDX-License-Identifier: Apache-2.0

/// A learning rate as a function of the number of the step, counted from 0. To be set before each step:
///
///     let schedule = Schedule.cosine(from: 0.1, to: 0, steps: 10_000).afterWarmUp(steps: 500)
///     ...
///     optimizer.learningRate = schedule(step)
public indirect enum Schedule: Codable, Hashable, Sendable {
  /// The same rate always.
  case constant(Double)
  /// Times `factor` after every `interval` steps.
  case step(from: Double, factor: Double, interval: Int)
  /// Times `factor` at each of the steps listed.
  case multiStep(from: Double, factor: Double, steps: [Int])
  /// Times `factor` at every step.
  case exponential(from: Double, factor: Double)
  /// Down to `to` with a power of the steps that remain, and constant after `steps`; a straight line for power 1.
  case polynomial(from: Double, to: Double, power: Double, steps: Int)
  /// Down to `to` along half a period of the cosine, and constant after `steps` (Loshchilov and Hutter 2017).
  case cosine(from: Double, to: Double, steps: Int)
  /// Along half a period of the cosine again and again (same source); the first takes `period` steps, each further one
  /// `growth` times as many.
  case cosineWithRestarts(from: Double, to: Double, period: Int, growth: Int)
  /// Up to `peak` and down again within `steps` (Smith and Topin 2018), as PyTorch's two-phase cosine: from
  /// `peak / initialDivisor`, at the peak after `warmUpShare` of the steps, to the `finalDivisor`th part of the first
  /// rate.
  case oneCycle(peak: Double, steps: Int, warmUpShare: Double, initialDivisor: Double, finalDivisor: Double)
  /// Up to `peak` in a straight line over `warmUp` steps, then falling with the root of the step's number (Vaswani et
  /// al. 2017, equation 3): `peak * min((step + 1) / warmUp, sqrt(warmUp / (step + 1)))`.
  case inverseSquareRoot(peak: Double, warmUp: Int)
  /// Over `steps` steps in a straight line from `share` of another schedule's first rate to the whole of it, then that
  /// schedule from its beginning.
  case warmUp(steps: Int, share: Double, then: Schedule)

  /// PyTorch's defaults of the one-cycle schedule.
  public static func oneCycle(peak: Double, steps: Int) -> Schedule {
    .oneCycle(peak: peak, steps: steps, warmUpShare: 0.3, initialDivisor: 25, finalDivisor: 1e4)
  }

  /// A straight line down to `to`, and constant after `steps`.
  public static func linear(from: Double, to: Double = 0, steps: Int) -> Schedule {
    .polynomial(from: from, to: to, power: 1, steps: steps)
  }

  /// This schedule behind a warm-up, which begins at `share` of its first rate.
  public func afterWarmUp(steps: Int, from share: Double = 0) -> Schedule {
    .warmUp(steps: steps, share: share, then: self)
  }

  /// The learning rate of a step.
  public func callAsFunction(_ step: Int) -> Double {
    precondition(step >= 0, "Schedule: step \(step)")
    switch self {
    case .constant(let rate): return rate
    case .step(let from, let factor, let interval):
      precondition(interval > 0, "Schedule.step: an interval of \(interval) steps")
      return from * raised(factor, to: Double(step / interval))
    case .multiStep(let from, let factor, let steps):
      return from * raised(factor, to: Double(steps.count { $0 <= step }))
    case .exponential(let from, let factor): return from * raised(factor, to: Double(step))
    case .polynomial(let from, let to, let power, let steps):
      return to + (from - to) * raised(1 - Self.progress(step, steps), to: power)
    case .cosine(let from, let to, let steps):
      return Self.wave(from, to, Self.progress(step, steps))
    case .cosineWithRestarts(let from, let to, let period, let growth):
      return Self.wave(from, to, Self.progressInPeriod(step, period, growth))
    case .oneCycle(let peak, let steps, let share, let initialDivisor, let finalDivisor):
      let (first, turn, last) = (peak / initialDivisor, share * Double(steps) - 1, Double(steps - 1))
      let step = Double(step)
      if step <= turn { return Self.wave(first, peak, turn > 0 ? step / turn : 1) }
      return Self.wave(peak, first / finalDivisor, min(1, (step - turn) / (last - turn)))
    case .inverseSquareRoot(let peak, let warmUp):
      precondition(warmUp > 0, "Schedule.inverseSquareRoot: a warm-up of \(warmUp) steps")
      let ratio = Double(step + 1) / Double(warmUp)
      return peak * min(ratio, 1 / ratio.squareRoot())
    case .warmUp(let steps, let share, let next):
      if step >= steps { return next(step - steps) }
      return next(0) * (share + (1 - share) * Double(step) / Double(steps))
    }
  }

  private static func progress(_ step: Int, _ steps: Int) -> Double {
    precondition(steps > 0, "Schedule: \(steps) steps")
    return min(1, Double(step) / Double(steps))
  }

  private static func progressInPeriod(_ step: Int, _ period: Int, _ growth: Int) -> Double {
    precondition(
      period > 0 && growth > 0, "Schedule.cosineWithRestarts: a period of \(period), times \(growth)")
    var (step, period) = (step, period)
    if growth == 1 { step %= period }
    while step >= period {
      step -= period
      period *= growth
    }
    return Double(step) / Double(period)
  }

  /// From one rate to another along half a period of the cosine.
  private static func wave(_ from: Double, _ to: Double, _ progress: Double) -> Double {
    to + (from - to) * (1 + Kasane.cosine(.pi * progress)) / 2
  }
}

extension Schedule: CustomStringConvertible {
  /// The schedule in words, such as `cosine from 0.1 to 0.0 over 10000 steps after 500 steps of warm-up`.
  public var description: String {
    switch self {
    case .constant(let rate): "constant \(rate)"
    case .step(let from, let factor, let interval): "from \(from), times \(factor) every \(interval) steps"
    case .multiStep(let from, let factor, let steps):
      "from \(from), times \(factor) at steps \(steps.map(String.init).joined(separator: ", "))"
    case .exponential(let from, let factor): "from \(from), times \(factor) every step"
    case .polynomial(let from, let to, 1, let steps): "linear from \(from) to \(to) over \(steps) steps"
    case .polynomial(let from, let to, let power, let steps):
      "polynomial of power \(power) from \(from) to \(to) over \(steps) steps"
    case .cosine(let from, let to, let steps): "cosine from \(from) to \(to) over \(steps) steps"
    case .cosineWithRestarts(let from, let to, let period, let growth):
      "cosine from \(from) to \(to), again after \(period) steps"
        + (growth == 1 ? "" : ", each time \(growth) times as long")
    case .oneCycle(let peak, let steps, let share, let initialDivisor, let finalDivisor):
      "one cycle of \(steps) steps from \(peak / initialDivisor) up to \(peak) over \(share) of them, down to "
        + "\(peak / initialDivisor / finalDivisor)"
    case .inverseSquareRoot(let peak, let warmUp):
      "inverse square root from \(peak) after \(warmUp) steps of warm-up"
    case .warmUp(let steps, let share, let next):
      "\(next) after \(steps) steps of warm-up" + (share == 0 ? "" : " from \(share) of the rate")
    }
  }
}
