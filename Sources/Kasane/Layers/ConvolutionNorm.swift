// SPDX-License-Identifier: Apache-2.0

/// A convolution of images, its batch normalisation and an activation as one layer.
///
/// The convolution has no bias, since the normalisation has a shift. The parameters are named as those of the parts:
/// `convolution.weight`, `normalization.weight`, `normalization.bias`, `normalization.runningMean` and
/// `normalization.runningVariance`, so that a file of weights knows nothing of what is computed at once.
public struct ConvolutionNorm: Layer {
  /// The convolution.
  public let convolution: Convolution2D
  /// The normalisation of its channels.
  public let normalization: BatchNorm
  /// What follows, or nil.
  public let activation: Activation?

  /// A layer with a random kernel and a normalisation that starts from the identity.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = .same,
    dilation: Size2D = 1, groups: Int = 1, activation: Activation? = nil, epsilon: Double = 1e-5,
    initializer: Initializer = .he, using generator: inout RandomGenerator
  ) {
    convolution = Convolution2D(
      inputs, outputs, kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation,
      groups: groups, bias: false, initializer: initializer, using: &generator)
    normalization = BatchNorm(outputs, epsilon: epsilon)
    self.activation = activation
  }

  /// Maps `[batch, height, width, inputs]` to `[batch, outHeight, outWidth, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, adding: nil) }

  /// The same with `residual`, of the result's shape, added before the activation (He et al. 2016).
  public func callAsFunction(_ x: Tensor, adding residual: Tensor?) -> Tensor {
    reported {
      var y = normalization(convolution(x))
      if let residual { y = y + residual }
      return activation.map { $0(y) } ?? y
    }
  }
}
