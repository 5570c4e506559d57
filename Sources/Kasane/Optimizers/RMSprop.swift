// SPDX-License-Identifier: Apache-2.0

/// RMSprop (Hinton 2012; centred: Graves 2013, section 5): steps divided by the root of the recent mean of squared
/// gradients.
///
///     s = smoothing * s + (1 - smoothing) gradient^2
///     a = smoothing * a + (1 - smoothing) gradient          (0 unless centred)
///     m = momentum * m + gradient / (sqrt(s - a^2) + epsilon)
///     parameter -= learningRate * m
public final class RMSprop: FusedOptimizer {
  /// How much of the means stays in a step.
  public let smoothing: Double
  /// Keeps the divisor from zero.
  public let epsilon: Double
  /// How much of the step before goes on, 0 for none.
  public let momentum: Double
  /// Whether the divisor is the gradients' spread about their mean.
  public let isCentered: Bool

  /// An optimizer; the defaults are PyTorch's.
  public init(
    learningRate: Double = 0.01, smoothing: Double = 0.99, epsilon: Double = 1e-8, momentum: Double = 0,
    isCentered: Bool = false, weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    Self.check(smoothing >= 0 && smoothing <= 1, "a smoothing of \(smoothing)")
    Self.check(epsilon >= 0, "an epsilon of \(epsilon)")
    Self.check(momentum >= 0, "a momentum of \(momentum)")
    self.smoothing = smoothing
    self.epsilon = epsilon
    self.momentum = momentum
    self.isCentered = isCentered
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  override var rule: UpdateRule { .rmsprop(smoothing: smoothing, epsilon: epsilon, momentum: momentum) }
  override var stateNames: (String?, String?, String?) {
    ("squares", isCentered ? "mean" : nil, momentum == 0 ? nil : "momentum")
  }
}
