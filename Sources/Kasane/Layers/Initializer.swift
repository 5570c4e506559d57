// SPDX-License-Identifier: Apache-2.0

/// How a weight's first values are drawn: from a normal distribution of mean zero.
public enum Initializer: String, CaseIterable, Codable, Sendable {
  /// Variance 1.
  case normal
  /// Variance 1 / fan-in (LeCun 1998; the form of Xavier initialisation, Glorot and Bengio 2010, that the
  /// exercises of the field call by that name).
  case xavier
  /// Variance 2 / fan-in, for rectified units (He et al. 2015).
  case he

  /// A weight matrix `[fanIn, fanOut]`.
  public func callAsFunction(_ fanIn: Int, _ fanOut: Int, using generator: inout RandomGenerator) -> Tensor {
    let variance =
      switch self {
      case .normal: 1.0
      case .xavier: 1 / Double(fanIn)
      case .he: 2 / Double(fanIn)
      }
    return Tensor(normal: [fanIn, fanOut], standardDeviation: variance.squareRoot(), using: &generator)
  }
}
