// SPDX-License-Identifier: Apache-2.0

/// The convolution (without reversing the kernel: the cross-correlation) of images with a kernel.
///
/// - Parameters:
///   - x: `[batch, height, width, inputs]`
///   - weight: `[kernelHeight, kernelWidth, inputs / groups, outputs]`
///   - bias: `[outputs]`, or nil
///   - stride: Steps from one position of the kernel to the next.
///   - padding: Zeros around the images.
///   - dilation: Distance of neighbouring elements of the kernel on the image.
///   - groups: Into how many groups the channels are divided that do not see each other; with as many as there are
///     inputs the convolution is depthwise.
/// - Returns: `[batch, outHeight, outWidth, outputs]`
public func convolution2D(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Size2D = 1, padding: Padding = .valid,
  dilation: Size2D = 1, groups: Int = 1
) -> Tensor {
  convolution("convolution2D", x, weight, bias, stride, padding, dilation, groups)
}

/// The convolution of sequences with a kernel.
///
/// - Parameters:
///   - x: `[batch, time, inputs]`
///   - weight: `[kernelSize, inputs / groups, outputs]`
///   - bias: `[outputs]`, or nil
///   - stride: Steps from one position of the kernel to the next.
///   - padding: Zeros around the sequences; of explicit margins, `left` are before the first step and `right` after
///     the last.
///   - dilation: Distance of neighbouring elements of the kernel, 1 for a dense one.
///   - groups: Into how many groups the features are divided that do not see each other.
/// - Returns: `[batch, outTime, outputs]`
public func convolution1D(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Padding = .valid,
  dilation: Int = 1, groups: Int = 1
) -> Tensor {
  let (images, kernel) = asImages("convolution1D", x, weight)
  let margins = padding.columnMargins(
    size: images.shape[2], kernel: kernel.shape[1], stride: stride, dilation: dilation)
  let y = convolution(
    "convolution1D", images, kernel, bias, Size2D(1, stride), .explicit(margins), Size2D(1, dilation), groups)
  return y.reshaped(to: Shape(y.shape[0], y.shape[2], y.shape[3]))
}

private func convolution(
  _ name: String, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ stride: Size2D, _ padding: Padding,
  _ dilation: Size2D, _ groups: Int
) -> Tensor {
  let geometry = convolutionGeometry(name, x, weight, bias, stride, padding, dilation, groups)
  if x.isToBeLowered && weight.isToBeLowered { return loweredConvolution(x, weight, bias, geometry) }
  return convolution(x, weight, bias: bias, geometry)
}

/// The geometry of a convolution, whose operands are checked.
func convolutionGeometry(
  _ name: String, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ stride: Size2D, _ padding: Padding,
  _ dilation: Size2D, _ groups: Int
) -> ConvolutionGeometry {
  checkOperands(name, x, weight, bias, outputs: weight.rank == 4 ? weight.shape[3] : -1)
  precondition(
    x.rank == 4 && weight.rank == 4 && groups > 0 && x.shape[3] == weight.shape[2] * groups
      && weight.shape[3] % groups == 0,
    "\(name): input \(x.shape) and weight \(weight.shape) do not fit with \(groups) groups")
  let image = Size2D(x.shape[1], x.shape[2]), kernel = Size2D(weight.shape[0], weight.shape[1])
  let geometry = checkedGeometry(name, image, kernel, stride, padding, dilation, groups)
  let size = geometry.outputSize(image: image, kernel: kernel)
  precondition(
    (size.height > 0 || image.height == 0) && (size.width > 0 || image.width == 0),
    "\(name): weight \(weight.shape), dilated by \(dilation.height) and \(dilation.width), is larger than input "
      + "\(x.shape) with its margins")
  return geometry
}

// The convolution and its two gradients are linear in each of their operands, and the pullback of each is made of the
// other two, so that derivatives of any order are there.

/// The convolution itself, recorded.
func convolution(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, _ geometry: ConvolutionGeometry)
  -> Tensor
{
  let y = engine.convolution(x, weight, bias: bias, geometry)
  let pullback: Pullback = { step in
    step.add(
      convolutionInputGradient(step.gradient, step[1], shape: step[0].shape, geometry), to: 0)
    step.add(
      convolutionWeightGradient(step[0], step.gradient, shape: step[1].shape, geometry), to: 1)
    if step.inputCount > 2 { step.add(step.gradient.sum(axes: [0, 1, 2]), to: 2) }
  }
  guard let bias else { return recorded(.convolution, y, x, weight, saving: x, weight, pullback: pullback) }
  return recorded(.convolution, y, x, weight, bias, nil, nil, saving: x, weight, pullback: pullback)
}

/// The images' gradient, of the given shape, from that of the convolution: the transposed convolution.
func convolutionInputGradient(
  _ gradient: Tensor, _ weight: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
) -> Tensor {
  let value = engine.convolutionInputGradient(gradient, weight, shape: shape, geometry)
  return recorded(.convolutionInputGradient, value, gradient, weight, saving: gradient, weight) { step in
    step.add(convolution(step.gradient, step[1], geometry), to: 0)
    step.add(convolutionWeightGradient(step.gradient, step[0], shape: step[1].shape, geometry), to: 1)
  }
}

/// The kernel's gradient, of the given shape, from that of the convolution.
func convolutionWeightGradient(
  _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry
) -> Tensor {
  let value = engine.convolutionWeightGradient(x, gradient, shape: shape, geometry)
  return recorded(.convolutionWeightGradient, value, x, gradient, saving: x, gradient) { step in
    step.add(convolutionInputGradient(step[1], step.gradient, shape: step[0].shape, geometry), to: 0)
    step.add(convolution(step[0], step.gradient, geometry), to: 1)
  }
}

// MARK: What the convolutions have in common

/// Checks the types of a convolution's operands and the shape of its bias.
func checkOperands(_ name: String, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, outputs: Int) {
  precondition(x.dtype.isFloatingPoint, "\(name): \(x.dtype) where a floating-point type is needed")
  // In a scope of lower precision a weight is of its own type.
  let isOneType = weight.dtype == x.dtype || (x.isToBeLowered && weight.isToBeLowered)
  precondition(
    isOneType && (bias?.dtype ?? weight.dtype) == weight.dtype,
    "\(name): input of \(x.dtype), weight of \(weight.dtype)\(bias.map { ", bias of \($0.dtype)" } ?? ""); "
      + "cast them to one type")
  precondition(
    bias.map { $0.hasShape(Shape(outputs)) } ?? true,
    "\(name): bias \(bias!.shape) does not fit weight \(weight.shape)")
}

/// A geometry of checked numbers.
func checkedGeometry(
  _ name: String, _ image: Size2D, _ kernel: Size2D, _ stride: Size2D, _ padding: Padding, _ dilation: Size2D,
  _ groups: Int
) -> ConvolutionGeometry {
  for (what, size) in [("kernel", kernel), ("stride", stride), ("dilation", dilation)] {
    precondition(
      size.height > 0 && size.width > 0, "\(name): \(what) of \(size.height) by \(size.width)")
  }
  precondition(padding != .causal, "\(name): causal padding is for sequences")
  var geometry = ConvolutionGeometry()
  (geometry.stride, geometry.dilation, geometry.groups) = (stride, dilation, groups)
  geometry.margins = padding.margins(image: image, kernel: kernel, stride: stride, dilation: dilation)
  let margins = geometry.margins
  precondition(
    min(margins.top, margins.bottom, margins.left, margins.right) >= 0, "\(name): negative \(margins)")
  return geometry
}

/// Sequences as images of one row, and their kernel as one of one row.
func asImages(_ name: String, _ x: Tensor, _ weight: Tensor) -> (Tensor, Tensor) {
  precondition(
    x.rank == 3 && weight.rank == 3,
    "\(name): input \(x.shape) and weight \(weight.shape), not of three axes each")
  return (
    x.reshaped(to: [x.shape[0], 1, x.shape[1], x.shape[2]]),
    weight.reshaped(to: [1, weight.shape[0], weight.shape[1], weight.shape[2]])
  )
}
