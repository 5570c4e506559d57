// SPDX-License-Identifier: Apache-2.0

/// Lion (Chen et al. 2023, algorithm 2): steps of one size along the sign of the momentum. Its learning rate is three to
/// ten times smaller than AdamW's, its weight decay as much larger.
///
///     parameter -= learningRate * (sign(beta1 * m + (1 - beta1) gradient) + weightDecay * parameter)
///     m = beta2 * m + (1 - beta2) gradient
public final class Lion: FusedOptimizer {
  /// How much of the momentum is in a step.
  public let beta1: Double
  /// How much of the momentum stays in a step.
  public let beta2: Double

  /// An optimizer; the defaults are the paper's.
  public init(
    learningRate: Double = 1e-4, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double = 0,
    groups: [ParameterGroup] = []
  ) {
    Self.check(beta1 >= 0 && beta1 < 1, "a beta1 of \(beta1)")
    Self.check(beta2 >= 0 && beta2 < 1, "a beta2 of \(beta2)")
    self.beta1 = beta1
    self.beta2 = beta2
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  override var rule: UpdateRule { .lion(beta1: beta1, beta2: beta2) }
  override var stateNames: (String?, String?, String?) { ("mean", nil, nil) }
  override func prepare(_ part: inout ParameterUpdate, step: Int) { part.weightDecay *= part.rate }
}
