// SPDX-License-Identifier: Apache-2.0

/// The convolution in bfloat16 of operands that are float32 or bfloat16. Gradients are of their operands' types, that of
/// the kernel without being rounded on the way.
///
/// The kernel is kept as it is: the engine converts it together with what it does to it anyway.
func loweredConvolution(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvolutionGeometry)
  -> Tensor
{
  // Where a second derivative may be asked for, the conversions are recorded too.
  if Tape.isNested {
    return withPrecision(.float32) {
      convolution(x.loweredOnTape(), weight.loweredOnTape(), bias: bias?.loweredOnTape(), geometry)
    }
  }
  let images = x.lowered()
  let y = engine.convolution(images, weight, bias: bias, geometry)
  let pullback: Pullback = { step in
    let gradient = step.gradient.dtype == .bfloat16 ? step.gradient : step.gradient.cast(to: .bfloat16)
    let (images, weight) = (step[0], step[1])
    let type = DType(rawValue: UInt8(step.integers.0))!
    step.add(
      engine.convolutionInputGradient(gradient, weight, shape: images.shape, geometry).cast(to: type), to: 0)
    step.add(
      engine.convolutionWeightGradient(
        images, gradient, shape: weight.shape, geometry, resultType: weight.dtype), to: 1)
    if step.inputCount > 2 {
      step.add(engine.columnSums(gradient).cast(to: weight.dtype), to: 2)
    }
  }
  let type = (Int(x.object.pointee.dtype), 0)
  guard let bias else {
    return recorded(
      .convolution, y, x, weight, saving: images, weight, integers: type, pullback: pullback)
  }
  return recorded(
    .convolution, y, x, weight, bias, nil, nil, saving: images, weight, integers: type, pullback: pullback)
}
