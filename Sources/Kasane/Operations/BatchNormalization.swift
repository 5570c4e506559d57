// SPDX-License-Identifier: Apache-2.0

/// What a batch normalisation found in its batch.
public struct BatchStatistics {
  /// The mean of each channel, `[channels]`.
  public let mean: Tensor
  /// The mean squared distance from the mean of each channel, `[channels]`.
  public let variance: Tensor
}

/// Normalises each channel of `[..., channels]` by mean and variance over all other axes (Ioffe and Szegedy 2015), and
/// gives it the given scale and shift, `[channels]` each. What may follow is done in the same pass over memory.
///
/// Statistics, scale and shift are of the type of `x`, or where that is a half float32.
///
/// - Parameters:
///   - x: `[..., channels]`
///   - scale: What each channel is multiplied by, or nil.
///   - shift: What is then added to each channel, or nil.
///   - epsilon: What is added to the variance.
///   - residual: What is added to the result, of the shape and type of `x`, or nil.
///   - activation: What comes last, or nil.
/// - Returns: the value, and the statistics it was normalised by.
public func batchNormalization(
  _ x: Tensor, scale: Tensor? = nil, shift: Tensor? = nil, epsilon: Double = 1e-5,
  adding residual: Tensor? = nil, activation: Activation? = nil
) -> (value: Tensor, statistics: BatchStatistics) {
  let found = normalizedByBatch(x, scale, shift, epsilon, residual, activation)
  guard Tape.recording != nil, !found.isRecorded else {
    return (found.value, BatchStatistics(mean: found.mean, variance: found.variance))
  }
  // The primitive's statistics are off the tape. That nobody may ask for their gradients must not hold on to x.
  let (mean, variance) = composedStatistics(x)
  return (found.value, BatchStatistics(mean: mean, variance: variance))
}

/// Normalises each channel of `[..., channels]` by the given mean and variance, and gives it the given scale and shift,
/// all of them `[channels]`; then adds the residual, of the shape and type of `x`, and applies the activation.
public func batchNormalization(
  _ x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor? = nil, shift: Tensor? = nil,
  epsilon: Double = 1e-5, adding residual: Tensor? = nil, activation: Activation? = nil
) -> Tensor {
  check(x, leastRank: 1, [mean, variance, scale, shift], residual)
  let wide = x.dtype.statisticsType
  let (mean, variance) = (mean.cast(to: wide), variance.cast(to: wide))
  let (scale, shift) = (scale?.cast(to: wide), shift?.cast(to: wide))
  guard Tape.recording == nil, x.elementCount > 0 else {
    // The numbers for each channel first, so that the image is gone over only for a product and a sum.
    var factor = rsqrt(variance + epsilon)
    if let scale { factor = factor * scale }
    let offset = -(mean * factor)
    let y = x.cast(to: wide) * factor + (shift.map { $0 + offset } ?? offset)
    return finished(y, x.dtype, residual, activation)
  }
  let call = BatchNormCall(
    x: x, residual: residual, scale: scale, shift: shift, epsilon: epsilon, rectifies: activation == .relu)
  let y = engine.batchNorm(call, mean: mean, variance: variance)
  return activation == nil || activation == .relu ? y : activation!(y)
}

/// The same as `batchNormalization`, with statistics whose gradients may not be asked for unless they are recorded.
func normalizedByBatch(
  _ x: Tensor, _ scale: Tensor?, _ shift: Tensor?, _ epsilon: Double, _ residual: Tensor?,
  _ activation: Activation?
) -> (value: Tensor, mean: Tensor, variance: Tensor, isRecorded: Bool) {
  check(x, leastRank: 2, [scale, shift], residual)
  let wide = x.dtype.statisticsType
  let (scale, shift) = (scale?.cast(to: wide), shift?.cast(to: wide))
  // The primitive's way back is not recorded, so where a second derivative may be asked for, and where there is nothing
  // to normalise, it is a composition.
  guard !Tape.isNested, x.elementCount > 0 else {
    let (mean, variance) = composedStatistics(x)
    var y = (x.cast(to: wide) - mean) * rsqrt(variance + epsilon)
    if let scale { y = y * scale }
    if let shift { y = y + shift }
    return (finished(y, x.dtype, residual, activation), mean, variance, true)
  }
  let call = BatchNormCall(
    x: x, residual: residual, scale: scale, shift: shift, epsilon: epsilon, rectifies: activation == .relu)
  let (y, mean, variance) = engine.batchNorm(call)
  let needsValue = call.rectifies && residual != nil
  Tape.recording?.record(
    .batchNormalization, y, (x, scale, shift, residual, nil), inputCount: 5,
    saving: (x, scale, shift, mean, variance, needsValue ? y : nil), savedCount: 6,
    integers: (Int(bitPattern: UInt(epsilon.bitPattern)), call.rectifies ? 1 : 0), pullback: pullback)
  return (activation == nil || call.rectifies ? y : activation!(y), mean, variance, false)
}

private func pullback(_ step: borrowing PullbackStep) {
  // Of the residual only matters that there was one: then the value says what was positive.
  let call = BatchNormCall(
    x: step[0], residual: step.optional(5), scale: step.optional(1), shift: step.optional(2),
    epsilon: Double(bitPattern: UInt64(UInt(bitPattern: step.integers.0))),
    rectifies: step.integers.1 != 0)
  var backward = BatchNormBackward(
    gradient: step.gradient, value: step.optional(5), mean: step[3], variance: step[4], total: nil,
    needsInput: false, needsResidual: step.needs(3))
  var gradients: BatchNormGradients?
  step.addOwn(to: 0) { total in
    (backward.total, backward.needsInput) = (total, true)
    gradients = engine.batchNormGradient(call, backward)
    return gradients!.x!
  }
  let found = gradients ?? engine.batchNormGradient(call, backward)
  step.add(found.scale, to: 1)
  step.add(found.shift, to: 2)
  if let residual = found.residual {
    step.add(residual, to: 3)
  }
}

/// Mean and mean squared distance of each channel. The latter, unlike the mean square less the squared mean, does not
/// cancel.
private func composedStatistics(_ x: Tensor) -> (mean: Tensor, variance: Tensor) {
  let axes = Shape(0..<x.rank - 1)
  let x = x.cast(to: x.dtype.statisticsType)
  let mean = x.mean(axes: axes)
  return (mean, square(x - mean).mean(axes: axes))
}

private func finished(_ y: Tensor, _ dtype: DType, _ residual: Tensor?, _ activation: Activation?) -> Tensor {
  var y = y
  if let residual { y = y + residual.cast(to: y.dtype) }
  if let activation { y = activation(y) }
  return y.cast(to: dtype)
}

private func check(_ x: Tensor, leastRank: Int, _ numbers: [Tensor?], _ residual: Tensor?) {
  let name = "batchNormalization"
  precondition(x.dtype.isFloatingPoint, "\(name): \(x.dtype) where a floating-point type is needed")
  precondition(x.rank >= leastRank, "\(name): input \(x.shape) has fewer than \(leastRank) axes")
  let channels = Shape(x.shape[x.rank - 1])
  for tensor in numbers {
    guard let tensor else { continue }
    precondition(
      tensor.shape == channels && (tensor.dtype == x.dtype || tensor.dtype == x.dtype.statisticsType),
      "\(name): \(tensor.shape) \(tensor.dtype) where input \(x.shape) \(x.dtype) needs \(channels)")
  }
  precondition(
    residual.map { $0.shape == x.shape && $0.dtype == x.dtype } ?? true,
    "\(name): a residual of \(residual!.shape) \(residual!.dtype) to input \(x.shape) \(x.dtype)")
}
