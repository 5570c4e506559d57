// SPDX-License-Identifier: Apache-2.0

/// Layer normalisation (Ba et al. 2016) over the last axes.
public struct LayerNorm: Layer {
  /// The scale, of the normalised axes' shape.
  public let weight: Parameter?
  /// The shift, of the normalised axes' shape.
  public let bias: Parameter?
  /// What is added to the variance.
  public let epsilon: Double
  /// How many of the last axes are normalised over.
  public let axisCount: Int

  /// A layer over the last axis.
  public init(_ features: Int, epsilon: Double = 1e-5, isAffine: Bool = true, bias: Bool = true) {
    self.init(Shape(features), epsilon: epsilon, isAffine: isAffine, bias: bias)
  }

  /// A layer over the last axes, whose shape is given.
  public init(_ shape: Shape, epsilon: Double = 1e-5, isAffine: Bool = true, bias: Bool = true) {
    weight = isAffine ? Parameter(Tensor(ones: shape)) : nil
    self.bias = isAffine && bias ? Parameter(Tensor(zeros: shape)) : nil
    (self.epsilon, axisCount) = (epsilon, shape.count)
  }

  /// Maps a tensor to one of the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    layerNormalization(x, axisCount: axisCount, scale: weight?.value, shift: bias?.value, epsilon: epsilon)
  }
}

extension LayerNorm {
  /// The normalisation of the sum of two tensors of one shape: a layer's result and what it was applied to.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor) -> Tensor {
    layerNormalization(
      x, adding: residual, axisCount: axisCount, scale: weight?.value, shift: bias?.value, epsilon: epsilon)
  }
}

/// Instance normalisation (Ulyanov et al. 2016): each channel of each image or sequence by its own mean and variance.
public struct InstanceNorm: Layer {
  /// The scale, `[channels]`.
  public let weight: Parameter?
  /// The shift, `[channels]`.
  public let bias: Parameter?
  /// What is added to the variance.
  public let epsilon: Double

  /// A layer without scale and shift unless it is affine.
  public init(_ channels: Int, epsilon: Double = 1e-5, isAffine: Bool = false) {
    weight = isAffine ? Parameter(Tensor(ones: [channels])) : nil
    bias = isAffine ? Parameter(Tensor(zeros: [channels])) : nil
    self.epsilon = epsilon
  }

  /// Maps `[batch, ..., channels]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    instanceNormalization(x, scale: weight?.value, shift: bias?.value, epsilon: epsilon)
  }
}

/// Group normalisation (Wu and He 2018): groups of channels of each image or sequence by their own mean and variance.
public struct GroupNorm: Layer {
  /// The scale, `[channels]`.
  public let weight: Parameter?
  /// The shift, `[channels]`.
  public let bias: Parameter?
  /// Into how many groups the channels are divided.
  public let groups: Int
  /// What is added to the variance.
  public let epsilon: Double

  /// A layer that divides the channels into groups of neighbours.
  public init(_ groups: Int, _ channels: Int, epsilon: Double = 1e-5, isAffine: Bool = true) {
    checkGroups("GroupNorm", channels, channels, groups)
    weight = isAffine ? Parameter(Tensor(ones: [channels])) : nil
    bias = isAffine ? Parameter(Tensor(zeros: [channels])) : nil
    (self.groups, self.epsilon) = (groups, epsilon)
  }

  /// Maps `[batch, ..., channels]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    groupNormalization(x, groups: groups, scale: weight?.value, shift: bias?.value, epsilon: epsilon)
  }
}

/// Normalisation of the last axis by the root of its mean square (Zhang and Sennrich 2019).
public struct RMSNorm: Layer {
  /// The scale, `[features]`.
  public let weight: Parameter?
  /// What is added to the mean square.
  public let epsilon: Double

  /// A layer over the last axis.
  public init(_ features: Int, epsilon: Double = 1e-6, isAffine: Bool = true) {
    weight = isAffine ? Parameter(Tensor(ones: [features])) : nil
    self.epsilon = epsilon
  }

  /// Maps `[..., features]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    rmsNormalization(x, scale: weight?.value, epsilon: epsilon)
  }
}
