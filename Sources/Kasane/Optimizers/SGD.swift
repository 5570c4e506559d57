// SPDX-License-Identifier: Apache-2.0

/// Gradient descent: `parameter -= learningRate * gradient`, with momentum where asked for:
///
///     m = momentum * m + (1 - dampening) * gradient      (m = gradient in the first step)
///     parameter -= learningRate * m
///
/// With Nesterov's momentum (Sutskever et al. 2013) `gradient + momentum * m` takes the place of m in the second line.
public final class SGD: FusedOptimizer {
  /// How much of the step before goes on, 0 for none.
  public let momentum: Double
  /// How much of a new gradient is left out of the momentum.
  public let dampening: Double
  /// Whether the gradient is looked up ahead, as Nesterov's momentum does.
  public let isNesterov: Bool

  /// An optimizer with the given step size. Nesterov's momentum needs a momentum and no dampening.
  public init(
    learningRate: Double, momentum: Double = 0, dampening: Double = 0, isNesterov: Bool = false,
    weightDecay: Double = 0, groups: [ParameterGroup] = []
  ) {
    Self.check(momentum >= 0, "a momentum of \(momentum)")
    precondition(
      !isNesterov || (momentum > 0 && dampening == 0),
      "SGD: Nesterov's momentum needs a momentum and no dampening")
    self.momentum = momentum
    self.dampening = dampening
    self.isNesterov = isNesterov
    super.init(learningRate: learningRate, weightDecay: weightDecay, groups: groups)
  }

  override var rule: UpdateRule { .descent(momentum: momentum, isNesterov: isNesterov) }
  override var stateNames: (String?, String?, String?) { (momentum == 0 ? nil : "momentum", nil, nil) }
  override func prepare(_ part: inout ParameterUpdate, step: Int) {
    part.correction = step == 1 ? 1 : 1 - dampening
  }
  override func leavesRows(weightDecay: Double) -> Bool { momentum == 0 && weightDecay == 0 }
}
