// SPDX-License-Identifier: Apache-2.0

/// A convolution of images, its batch normalisation and an activation as one layer.
///
/// In training the parts run one after the other. In use, where no gradient is recorded, the normalisation's running
/// statistics are numbers like any other, and all of it is one convolution with another weight and a bias.
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
      atOnce(x, adding: residual)
        ?? normalization(convolution(x), adding: residual, activation: activation)
    }
  }

  /// The layer as one call of the engine, or nil where that is not to be.
  private func atOnce(_ x: Tensor, adding residual: Tensor?) -> Tensor? {
    guard Tape.recording == nil, !isTraining else { return nil }
    let isLowered = x.isToBeLowered
    guard x.dtype == .float32 || isLowered else { return nil }
    var call = convolution.call("ConvolutionNorm", isLowered ? x.lowered() : x)
    guard call.weight.dtype == .float32 else { return nil }
    let residual = isLowered ? residual?.lowered() : residual
    precondition(
      residual.map { $0.shape == call.resultShape && $0.dtype == call.x.dtype } ?? true,
      "ConvolutionNorm: a residual of \(residual!.shape) \(residual!.dtype) for \(call.resultShape) "
        + "\(call.x.dtype)")
    call.norm = ConvolutionCall.Norm(
      mean: normalization.runningMean.value, variance: normalization.runningVariance.value,
      scale: normalization.weight?.value, shift: normalization.bias?.value, epsilon: normalization.epsilon)
    call.residual = residual
    guard let activation else { return engine.convolution(call) }
    let isPart = ConvolutionCall.activations.contains(activation)
    if isPart { call.activation = activation }
    let y = engine.convolution(call)
    return isPart ? y : activation(y)
  }
}
