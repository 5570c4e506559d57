// SPDX-License-Identifier: Apache-2.0

/// Adagrad (Duchi, Hazan and Singer 2011): steps divided by the root of the sum of all squared gradients so far.
///
///     s += gradient^2
///     parameter -= learningRate / (1 + (t - 1) learningRateDecay) * gradient / (sqrt(s) + epsilon)
public final class Adagrad: FusedOptimizer {
  /// How fast the learning rate falls with the number of steps t.
  public let learningRateDecay: Double
  /// The sum's first value.
  public let initialAccumulator: Double
  /// Keeps the divisor from zero.
  public let epsilon: Double

  /// An optimizer; the defaults are PyTorch's.
  public init(
    learningRate: Double = 0.01, learningRateDecay: Double = 0, initialAccumulator: Double = 0,
    epsilon: Double = 1e-10, weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    Self.check(learningRateDecay >= 0, "a learning rate decay of \(learningRateDecay)")
    Self.check(initialAccumulator >= 0, "an initial accumulator of \(initialAccumulator)")
    Self.check(epsilon >= 0, "an epsilon of \(epsilon)")
    self.learningRateDecay = learningRateDecay
    self.initialAccumulator = initialAccumulator
    self.epsilon = epsilon
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  override var rule: UpdateRule { .adagrad(epsilon: epsilon) }
  override var stateNames: (String?, String?, String?) { ("sum", nil, nil) }
  override var initialState: Double { initialAccumulator }
  override func prepare(_ part: inout ParameterUpdate, step: Int) {
    part.rate /= 1 + Double(step - 1) * learningRateDecay
  }
  override func leavesRows(weightDecay: Double) -> Bool { weightDecay == 0 }
}
