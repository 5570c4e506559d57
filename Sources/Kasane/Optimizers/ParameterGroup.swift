// SPDX-License-Identifier: Apache-2.0

/// Parameters that an optimizer treats in a way of their own. Of several groups that a parameter is in, the first counts.
public struct ParameterGroup: Sendable {
  /// Whether a parameter is in the group, by its name in the model, such as `encoder.weight`, and its shape.
  public let contains: @Sendable (_ name: String, _ shape: Shape) -> Bool
  /// What the optimizer's learning rate is multiplied by.
  public let learningRateFactor: Double
  /// The weight decay in place of the optimizer's, where not nil.
  public let weightDecay: Double?
  /// Whether the parameters stay as they are.
  public let isFrozen: Bool

  /// The parameters for which `contains` is true.
  public init(
    learningRateFactor: Double = 1, weightDecay: Double? = nil, isFrozen: Bool = false,
    where contains: @escaping @Sendable (_ name: String, _ shape: Shape) -> Bool
  ) {
    self.contains = contains
    self.learningRateFactor = learningRateFactor
    self.weightDecay = weightDecay
    self.isFrozen = isFrozen
  }

  /// The parameters whose names begin with a prefix: a part of the model.
  public init(
    prefix: String, learningRateFactor: Double = 1, weightDecay: Double? = nil, isFrozen: Bool = false
  ) {
    self.init(learningRateFactor: learningRateFactor, weightDecay: weightDecay, isFrozen: isFrozen) {
      name, _ in
      name.hasPrefix(prefix)
    }
  }

  /// Biases and the scales and shifts of norms, which are the parameters with at most one axis, without weight decay.
  public static let biasesAndNormsWithoutDecay = ParameterGroup(weightDecay: 0) { _, shape in shape.count <= 1
  }
}
