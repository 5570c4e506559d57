// SPDX-License-Identifier: Apache-2.0

/// Adadelta (Zeiler 2012): steps in the ratio of the recent changes' size to the recent gradients' size.
///
///     s = decay * s + (1 - decay) gradient^2
///     change = sqrt(d + epsilon) / sqrt(s + epsilon) * gradient
///     d = decay * d + (1 - decay) change^2
///     parameter -= learningRate * change
public final class Adadelta: FusedOptimizer {
  /// How much of the means stays in a step.
  public let decay: Double
  /// Sets the first changes' size and keeps the divisor from zero.
  public let epsilon: Double

  /// An optimizer; the defaults are PyTorch's.
  public init(
    learningRate: Double = 1, decay: Double = 0.9, epsilon: Double = 1e-6, weightDecay: Double = 0,
    groups: [ParameterGroup] = []
  ) {
    Self.check(decay >= 0 && decay <= 1, "a decay of \(decay)")
    Self.check(epsilon >= 0, "an epsilon of \(epsilon)")
    self.decay = decay
    self.epsilon = epsilon
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  override var rule: UpdateRule { .adadelta(decay: decay, epsilon: epsilon) }
  override var stateNames: (String?, String?, String?) { ("squares", "changes", nil) }
}
