// SPDX-License-Identifier: Apache-2.0

/// A transposed convolution of images, which makes them larger; see `transposedConvolution2D`.
public struct TransposedConvolution2D: Layer {
  /// The kernel, `[kernelHeight, kernelWidth, outputs / groups, inputs]`.
  public let weight: Parameter
  /// What is added to each output channel, `[outputs]`.
  public let bias: Parameter?
  /// Steps from where one pixel's kernel is laid to where the next one's is.
  public let stride: Size2D
  /// What is cut off.
  public let padding: Padding
  /// Rows and columns added at the end.
  public let outputPadding: Size2D
  /// Distance of neighbouring elements of the kernel on the larger image.
  public let dilation: Size2D
  /// Into how many groups the channels are divided that do not see each other.
  public let groups: Int

  /// A layer with a random kernel and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: Size2D, stride: Size2D = 1, padding: Padding = .valid,
    outputPadding: Size2D = 0, dilation: Size2D = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .he, using generator: inout RandomGenerator
  ) {
    checkGroups("TransposedConvolution2D", inputs, outputs, groups)
    // A result sees so many elements of the kernel as fall on it, by and large one in each stride.
    let field = kernelSize.height * kernelSize.width
    let seen = max(1, field / (stride.height * stride.width))
    weight = Parameter(
      initializer(
        [kernelSize.height, kernelSize.width, outputs / groups, inputs], fanIn: seen * inputs / groups,
        fanOut: field * outputs / groups, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [outputs])) : nil
    (self.stride, self.padding, self.outputPadding) = (stride, padding, outputPadding)
    (self.dilation, self.groups) = (dilation, groups)
  }

  /// Maps `[batch, height, width, inputs]` to `[batch, outHeight, outWidth, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    transposedConvolution2D(
      x, weight.value, bias: bias?.value, stride: stride, padding: padding, outputPadding: outputPadding,
      dilation: dilation, groups: groups)
  }
}

/// A transposed convolution of sequences, which makes them longer; see `transposedConvolution1D`.
public struct TransposedConvolution1D: Layer {
  /// The kernel, `[kernelSize, outputs / groups, inputs]`.
  public let weight: Parameter
  /// What is added to each output channel, `[outputs]`.
  public let bias: Parameter?
  /// Steps from where one step's kernel is laid to where the next one's is.
  public let stride: Int
  /// What is cut off.
  public let padding: Padding
  /// Steps added at the end.
  public let outputPadding: Int
  /// Distance of neighbouring elements of the kernel on the longer sequence.
  public let dilation: Int
  /// Into how many groups the channels are divided that do not see each other.
  public let groups: Int

  /// A layer with a random kernel and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: Int, stride: Int = 1, padding: Padding = .valid,
    outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1, bias: Bool = true,
    initializer: Initializer = .he, using generator: inout RandomGenerator
  ) {
    checkGroups("TransposedConvolution1D", inputs, outputs, groups)
    let seen = max(1, kernelSize / stride)
    weight = Parameter(
      initializer(
        [kernelSize, outputs / groups, inputs], fanIn: seen * inputs / groups,
        fanOut: kernelSize * outputs / groups, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [outputs])) : nil
    (self.stride, self.padding, self.outputPadding) = (stride, padding, outputPadding)
    (self.dilation, self.groups) = (dilation, groups)
  }

  /// Maps `[batch, time, inputs]` to `[batch, outTime, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    transposedConvolution1D(
      x, weight.value, bias: bias?.value, stride: stride, padding: padding, outputPadding: outputPadding,
      dilation: dilation, groups: groups)
  }
}
