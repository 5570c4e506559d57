// SPDX-License-Identifier: Apache-2.0

/// Adamax (Kingma and Ba 2015, algorithm 2): Adam with the largest recent gradient in place of the mean square.
///
///     m = beta1 * m + (1 - beta1) gradient
///     u = max(beta2 * u, |gradient| + epsilon)
///     parameter -= learningRate / (1 - beta1^t) * m / u
public final class Adamax: FusedOptimizer {
  /// How much of the mean stays in a step.
  public let beta1: Double
  /// How much of the maximum stays in a step.
  public let beta2: Double
  /// Keeps the divisor from zero.
  public let epsilon: Double

  /// An optimizer; the defaults are PyTorch's.
  public init(
    learningRate: Double = 0.002, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    Self.check(beta1 >= 0 && beta1 < 1, "a beta1 of \(beta1)")
    Self.check(beta2 >= 0 && beta2 < 1, "a beta2 of \(beta2)")
    Self.check(epsilon >= 0, "an epsilon of \(epsilon)")
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  override var rule: UpdateRule { .adamax(beta1: beta1, beta2: beta2, epsilon: epsilon) }
  override var stateNames: (String?, String?, String?) { ("mean", "largest", nil) }
  override func prepare(_ part: inout ParameterUpdate, step: Int) {
    part.rate /= 1 - raised(beta1, to: Double(step))
  }
}
