// SPDX-License-Identifier: Apache-2.0

/// The transposed convolution of images: each pixel lays the kernel, times its value, on a larger image (Zeiler et al.
/// 2010). It is the gradient of the convolution that makes images of this one's input size from such of its output
/// size, and takes that convolution's kernel.
///
/// An axis becomes (size - 1) stride - margins + (kernelSize - 1) dilation + 1 + outputPadding long: PyTorch's
/// definition, whose weight `[inputs, outputs / groups, kernelHeight, kernelWidth]` is this one's with its axes
/// in another order.
///
/// - Parameters:
///   - x: `[batch, height, width, inputs]`
///   - weight: `[kernelHeight, kernelWidth, outputs / groups, inputs]`
///   - bias: `[outputs]`, or nil
///   - stride: How many times longer the results become, about.
///   - padding: What is cut off the image that the kernels are laid on: nothing, the given numbers, or, where it is
///     `same`, so much that an axis becomes as many times longer as the stride says.
///   - outputPadding: Rows and columns added at the end, fewer than the stride or the dilation; not with `same`.
///   - dilation: Distance of neighbouring elements of the kernel, 1 for a dense one.
///   - groups: Into how many groups the channels are divided that do not see each other.
/// - Returns: `[batch, outHeight, outWidth, outputs]`
public func transposedConvolution2D(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Size2D = 1, padding: Padding = .valid,
  outputPadding: Size2D = 0, dilation: Size2D = 1, groups: Int = 1
) -> Tensor {
  transposedConvolution(
    "transposedConvolution2D", x, weight, bias, stride, padding, outputPadding, dilation, groups)
}

/// The transposed convolution of sequences.
///
/// - Parameters:
///   - x: `[batch, time, inputs]`
///   - weight: `[kernelSize, outputs / groups, inputs]`
///   - bias: `[outputs]`, or nil
///   - stride: How many times longer the results become, about.
///   - padding: What is cut off: nothing; the given numbers, `left` before the first step and `right` after the last;
///     or so much that a sequence becomes as many times longer as the stride says, at both ends for `same` and at the
///     last for `causal`, which leaves no result that depends on a later step.
///   - outputPadding: Steps added at the end, fewer than the stride or the dilation; not with `same` and `causal`.
///   - dilation: Distance of neighbouring elements of the kernel, 1 for a dense one.
///   - groups: Into how many groups the channels are divided that do not see each other.
/// - Returns: `[batch, outTime, outputs]`
public func transposedConvolution1D(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, stride: Int = 1, padding: Padding = .valid,
  outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1
) -> Tensor {
  let (images, kernel) = asImages("transposedConvolution1D", x, weight)
  var padding = padding
  if case .explicit(let margins) = padding {
    padding = .explicit(Margins(left: margins.left, right: margins.right))
  }
  let y = transposedConvolution(
    "transposedConvolution1D", images, kernel, bias, Size2D(1, stride), padding, Size2D(0, outputPadding),
    Size2D(1, dilation), groups, isSequence: true)
  return y.reshaped(to: Shape(y.shape[0], y.shape[2], y.shape[3]))
}

private func transposedConvolution(
  _ name: String, _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ stride: Size2D, _ padding: Padding,
  _ outputPadding: Size2D, _ dilation: Size2D, _ groups: Int, isSequence: Bool = false
) -> Tensor {
  let outputs = weight.rank == 4 ? weight.shape[2] * groups : -1
  checkOperands(name, x, weight, bias, outputs: outputs)
  precondition(
    x.rank == 4 && weight.rank == 4 && groups > 0 && x.shape[3] == weight.shape[3]
      && weight.shape[3] % groups == 0,
    "\(name): input \(x.shape) and weight \(weight.shape) do not fit with \(groups) groups")
  let kernel = Size2D(weight.shape[0], weight.shape[1])
  let image = Size2D(x.shape[1], x.shape[2])
  var geometry = checkedGeometry(
    name, image, kernel, stride, padding == .causal && isSequence ? .valid : padding, dilation, groups)
  func axis(
    _ size: Int, _ kernel: Int, _ stride: Int, _ dilation: Int, _ extra: Int, _ before: inout Int,
    _ after: inout Int
  ) -> Int {
    precondition(
      extra >= 0 && (extra == 0 || extra < max(stride, dilation)),
      "\(name): output padding of \(extra) with stride \(stride) and dilation \(dilation)")
    if size == 0 {  // no pixel to lay a kernel on
      (before, after) = (0, 0)
      return 0
    }
    let reach = (kernel - 1) * dilation + 1
    switch padding {
    case .same, .causal:
      precondition(extra == 0, "\(name): output padding with \(padding) padding")
      // Where the kernel is shorter than the stride, nothing is cut off and the end is filled up.
      before = padding == .same ? max(reach - stride, 0) / 2 : 0
      after = reach - stride - before
    case .valid, .explicit: after -= extra
    }
    let length = (size - 1) * stride + reach - before - after
    precondition(
      length > 0,
      "\(name): margins \(before) and \(after) leave nothing of an axis of \(size) with weight \(weight.shape)"
    )
    return length
  }
  var margins = geometry.margins
  let height = axis(
    image.height, kernel.height, stride.height, dilation.height, outputPadding.height, &margins.top,
    &margins.bottom)
  let width = axis(
    image.width, kernel.width, stride.width, dilation.width, outputPadding.width, &margins.left,
    &margins.right)
  geometry.margins = margins
  let shape: Shape = [x.shape[0], height, width, outputs]
  func result(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) -> Tensor {
    let y = convolutionInputGradient(x, weight, shape: shape, geometry)
    guard let bias else { return y }
    return y + bias
  }
  guard x.isToBeLowered && weight.isToBeLowered else { return result(x, weight, bias) }
  return withPrecision(.float32) {
    result(x.loweredOnTape(), weight.loweredOnTape(), bias?.loweredOnTape())
  }
}
