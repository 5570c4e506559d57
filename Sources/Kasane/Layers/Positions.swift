// SPDX-License-Identifier: Apache-2.0

/// Sines and cosines by which a network without recurrence tells places apart (Vaswani et al. 2017, section 3.5): at
/// place p, feature 2i is sin(p / 10000^(2i / features)) and feature 2i + 1 the cosine of the same.
///
/// - Returns: `[length, features]`
public func sinusoidalPositions(_ length: Int, _ features: Int, dtype: DType = .float32) -> Tensor {
  precondition(length >= 0 && features >= 0, "sinusoidalPositions: \(length) places, \(features) features")
  return withoutGradient {
    let places = Tensor.arange(length, dtype: .float64).reshaped(to: [length, 1])
    let pairs = Tensor.arange((features + 1) / 2, dtype: .float64)
    let angles = places / pow(10_000, pairs * (2 / Double(Swift.max(1, features))))
    return Tensor.stack([sin(angles), cos(angles)], axis: 2)
      .reshaped(to: [length, -1]).sliced(0..<features, axis: 1).cast(to: dtype).contiguous()
  }
}

/// Adds `sinusoidalPositions` to sequences.
public struct SinusoidalPositions: Layer {
  /// The layer, which has nothing to choose.
  public init() {}

  /// Maps `[batch, time, features]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    precondition(x.rank >= 2, "SinusoidalPositions: an input of shape \(x.shape)")
    return reported {
      x + sinusoidalPositions(x.shape[x.rank - 2], x.shape[x.rank - 1], dtype: x.dtype)
    }
  }
}

/// Adds a vector of its own, which is learnt, to each place of sequences.
public struct LearnedPositions: Layer {
  /// The vectors, `[places, features]`.
  public let weight: Parameter

  /// A layer for sequences of up to `places` steps.
  public init(
    _ places: Int, _ features: Int, initializer: Initializer = .normal(standardDeviation: 0.02),
    using generator: inout RandomGenerator
  ) {
    weight = Parameter(initializer(places, features, using: &generator))
  }

  /// Maps `[batch, time, features]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    precondition(
      x.rank >= 2 && x.shape[x.rank - 2] <= weight.shape[0],
      "LearnedPositions: an input of shape \(x.shape) for \(weight.shape[0]) places")
    return reported { x + weight.value.sliced(0..<x.shape[x.rank - 2], axis: 0) }
  }
}
