// SPDX-License-Identifier: Apache-2.0

/// A convolution of images.
public struct Convolution2D: Layer {
  /// The kernel, `[kernelHeight, kernelWidth, inputs / groups, outputs]`.
  public let weight: Parameter
  /// What is added to each output channel, `[outputs]`.
  public let bias: Parameter?
  /// Steps from one position of the kernel to the next.
  public let stride: Size2D
  /// Zeros around the images.
  public let padding: Padding
  /// Distance of neighbouring elements of the kernel on the image.
  public let dilation: Size2D
  /// Into how many groups the channels are divided that do not see each other.
  public let groups: Int

  /// A layer with a random kernel and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = .valid,
    dilation: Size2D = 1, groups: Int = 1, bias: Bool = true, initializer: Initializer = .he,
    using generator: inout RandomGenerator
  ) {
    checkGroups("Convolution2D", inputs, outputs, groups)
    weight = Parameter(
      initializer([kernelSize.height, kernelSize.width, inputs / groups, outputs], using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [outputs])) : nil
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  /// Maps `[batch, height, width, inputs]` to `[batch, outHeight, outWidth, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolution2D(
      x, weight.value, bias: bias?.value, stride: stride, padding: padding, dilation: dilation, groups: groups
    )
  }

  /// The layer as the engine takes it, off the tape. `name` is what a mistake in the shapes is laid at.
  func call(_ name: String, _ x: Tensor) -> ConvolutionCall {
    let (weight, bias) = (weight.value, bias?.value)
    let geometry = convolutionGeometry(name, x, weight, bias, stride, padding, dilation, groups)
    return ConvolutionCall(x, weight, bias: bias, geometry)
  }
}

/// A convolution of sequences.
public struct Convolution1D: Layer {
  /// The kernel, `[kernelSize, inputs / groups, outputs]`.
  public let weight: Parameter
  /// What is added to each output channel, `[outputs]`.
  public let bias: Parameter?
  /// Steps from one position of the kernel to the next.
  public let stride: Int
  /// Zeros around the sequences.
  public let padding: Padding
  /// Distance of neighbouring elements of the kernel on the sequence.
  public let dilation: Int
  /// Into how many groups the channels are divided that do not see each other.
  public let groups: Int

  /// A layer with a random kernel and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Padding = .valid,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true, initializer: Initializer = .he,
    using generator: inout RandomGenerator
  ) {
    checkGroups("Convolution1D", inputs, outputs, groups)
    weight = Parameter(initializer([kernelSize, inputs / groups, outputs], using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [outputs])) : nil
    (self.stride, self.padding, self.dilation, self.groups) = (stride, padding, dilation, groups)
  }

  /// Maps `[batch, time, inputs]` to `[batch, outTime, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolution1D(
      x, weight.value, bias: bias?.value, stride: stride, padding: padding, dilation: dilation, groups: groups
    )
  }
}

/// A convolution that looks at each channel of images alone.
public struct DepthwiseConvolution2D: Layer {
  /// The kernel, `[kernelHeight, kernelWidth, 1, channels * multiplier]`.
  public let weight: Parameter
  /// What is added to each output channel, `[channels * multiplier]`.
  public let bias: Parameter?
  /// Steps from one position of the kernel to the next.
  public let stride: Size2D
  /// Zeros around the images.
  public let padding: Padding
  /// Distance of neighbouring elements of the kernel on the image.
  public let dilation: Size2D
  private let channels: Int

  /// A layer with a random kernel and, unless told otherwise, a bias of zeros. Channel c makes the output channels
  /// from c * multiplier up to (c + 1) * multiplier.
  public init(
    _ channels: Int, kernelSize: Size2D, multiplier: Int = 1, stride: Size2D = 1, padding: Padding = .valid,
    dilation: Size2D = 1, bias: Bool = true, initializer: Initializer = .he,
    using generator: inout RandomGenerator
  ) {
    let outputs = channels * multiplier
    checkGroups("DepthwiseConvolution2D", channels, outputs, channels)
    weight = Parameter(
      initializer(
        [kernelSize.height, kernelSize.width, 1, outputs], fanIn: kernelSize.height * kernelSize.width,
        fanOut: kernelSize.height * kernelSize.width * multiplier, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [outputs])) : nil
    (self.stride, self.padding, self.dilation, self.channels) = (stride, padding, dilation, channels)
  }

  /// Maps `[batch, height, width, channels]` to `[batch, outHeight, outWidth, channels * multiplier]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    convolution2D(
      x, weight.value, bias: bias?.value, stride: stride, padding: padding, dilation: dilation,
      groups: channels)
  }
}

/// A depthwise convolution and one of single pixels that mixes its channels (Chollet 2017): far fewer products than a
/// full convolution.
public struct SeparableConvolution2D: Layer {
  /// The part that looks at each channel alone.
  public let depthwise: DepthwiseConvolution2D
  /// The part that mixes the channels of each pixel.
  public let pointwise: Convolution2D

  /// A layer with random kernels and, unless told otherwise, a bias of zeros behind the second.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: Size2D, multiplier: Int = 1, stride: Size2D = 1,
    padding: Padding = .valid, dilation: Size2D = 1, bias: Bool = true, initializer: Initializer = .he,
    using generator: inout RandomGenerator
  ) {
    depthwise = DepthwiseConvolution2D(
      inputs, kernelSize: kernelSize, multiplier: multiplier, stride: stride, padding: padding,
      dilation: dilation, bias: false, initializer: initializer, using: &generator)
    pointwise = Convolution2D(
      inputs * multiplier, outputs, kernelSize: 1, bias: bias, initializer: initializer, using: &generator)
  }

  /// Maps `[batch, height, width, inputs]` to `[batch, outHeight, outWidth, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { pointwise(depthwise(x)) }
}

/// Traps where channels cannot be divided into groups.
func checkGroups(_ name: String, _ inputs: Int, _ outputs: Int, _ groups: Int) {
  precondition(
    groups > 0 && inputs % groups == 0 && outputs % groups == 0,
    "\(name): \(inputs) inputs and \(outputs) outputs in \(groups) groups")
}
