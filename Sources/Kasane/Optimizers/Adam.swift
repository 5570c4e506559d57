// SPDX-License-Identifier: Apache-2.0

/// Adam (Kingma and Ba 2015, algorithm 1): steps along the gradients' mean over the root of their mean square.
///
///     m = beta1 * m + (1 - beta1) gradient
///     v = beta2 * v + (1 - beta2) gradient^2
///     parameter -= learningRate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)
///
/// As AMSGrad (Reddi, Kale and Kumar 2018) the largest v so far takes its place in the third line. Weight decay is added
/// to the gradient; `AdamW` takes it apart.
public class Adam: FusedOptimizer {
  /// How much of the mean stays in a step.
  public let beta1: Double
  /// How much of the mean square stays in a step.
  public let beta2: Double
  /// Keeps the divisor from zero.
  public let epsilon: Double
  /// Whether the divisor never falls.
  public let isAMSGrad: Bool

  /// An optimizer; the defaults are PyTorch's.
  public init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    isAMSGrad: Bool = false, weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    Self.check(beta1 >= 0 && beta1 < 1, "a beta1 of \(beta1)")
    Self.check(beta2 >= 0 && beta2 < 1, "a beta2 of \(beta2)")
    Self.check(epsilon >= 0, "an epsilon of \(epsilon)")
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.isAMSGrad = isAMSGrad
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  /// Whether weight decay does not pass through the gradient.
  var isDecoupled: Bool { false }

  final override var rule: UpdateRule {
    .adam(beta1: beta1, beta2: beta2, epsilon: epsilon, isDecoupled: isDecoupled)
  }
  final override var stateNames: (String?, String?, String?) {
    ("mean", "squares", isAMSGrad ? "largestSquares" : nil)
  }
  final override func prepare(_ part: inout ParameterUpdate, step: Int) {
    if isDecoupled { part.weightDecay *= part.rate }
    part.rate /= 1 - raised(beta1, to: Double(step))
    part.correction = (1 - raised(beta2, to: Double(step))).squareRoot()
  }
}

/// AdamW (Loshchilov and Hutter 2019): Adam whose weight decay takes `learningRate * weightDecay` of each parameter
/// away instead of adding to its gradient.
public final class AdamW: Adam {
  /// An optimizer; the defaults are PyTorch's.
  public override init(
    learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
    isAMSGrad: Bool = false, weightDecay: Double = 0.01, groups: [ParameterGroup] = []
  ) {
    super.init(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, isAMSGrad: isAMSGrad,
      weightDecay: weightDecay, groups: groups)
  }

  override var isDecoupled: Bool { true }
}
