// SPDX-License-Identifier: Apache-2.0

// An activation is a layer: `Sequential { Linear(...); Activation.relu }`.
extension Activation: Layer {}

/// The rectified unit with a slope for negative inputs that is learnt (He et al. 2015).
public struct PReLU: Layer {
  /// The slope, `[1]` or one for each channel, `[channels]`.
  public let weight: Parameter

  /// A layer with one slope, or with one for each of the last axis's channels.
  public init(_ channels: Int = 1, slope: Double = 0.25) {
    weight = Parameter(Tensor(repeating: slope, shape: [channels]))
  }

  /// Maps `[..., channels]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { reported { prelu(x, slope: weight.value) } }
}

/// A softmax over an axis as a layer.
public struct Softmax: Layer {
  /// The axis whose elements add up to one.
  public let axis: Int

  /// A layer over the last axis unless told otherwise.
  public init(axis: Int = -1) { self.axis = axis }

  /// Maps a tensor to one of the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { reported { softmax(x, axis: axis) } }
}

/// A function without parameters as a layer.
public struct Function: Layer {
  private let function: @Sendable (Tensor) -> Tensor

  /// A layer that applies a function.
  public init(_ function: @escaping @Sendable (Tensor) -> Tensor) { self.function = function }

  /// Applies the function.
  public func callAsFunction(_ x: Tensor) -> Tensor { reported { function(x) } }
}
