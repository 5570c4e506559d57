// SPDX-License-Identifier: Apache-2.0

/// Normalises each channel of each image or sequence `[batch, ..., channels]` by mean and variance over the axes between
/// (Ulyanov et al. 2016), and gives it the given scale and shift, `[channels]` each.
public func instanceNormalization(
  _ x: Tensor, scale: Tensor? = nil, shift: Tensor? = nil, epsilon: Double = 1e-5
) -> Tensor {
  let name = "instanceNormalization"
  check(name, x, leastRank: 3)
  checkAffine(name, x, scale, shift, Shape(x.shape[x.rank - 1]))
  return Moments(of: x, axes: Shape(1..<x.rank - 1)).normalized(scale: scale, shift: shift, epsilon: epsilon)
}

/// Normalises `groups` groups of neighbouring channels of `[batch, ..., channels]` by mean and variance over their
/// channels and the axes between (Wu and He 2018), and gives each channel the given scale and shift, `[channels]` each.
public func groupNormalization(
  _ x: Tensor, groups: Int, scale: Tensor? = nil, shift: Tensor? = nil, epsilon: Double = 1e-5
) -> Tensor {
  let name = "groupNormalization"
  check(name, x, leastRank: 2)
  let channels = x.shape[x.rank - 1]
  checkAffine(name, x, scale, shift, Shape(channels))
  precondition(
    groups > 0 && channels % groups == 0, "\(name): input \(x.shape) in \(groups) groups of channels")
  let grouped = Shape(groups, channels / groups)
  var shape = Shape(x.shape.dropLast())
  shape.append(groups)
  shape.append(channels / groups)
  return Moments(of: x.reshaped(to: shape), axes: Shape(Array(1..<x.rank - 1) + [x.rank])).normalized(
    scale: scale?.reshaped(to: grouped), shift: shift?.reshaped(to: grouped), epsilon: epsilon
  ).reshaped(to: x.shape)
}

/// 1 / sqrt(variance + epsilon).
func inverseDeviation(_ variance: Tensor, _ epsilon: Double) -> Tensor {
  rsqrt(variance + epsilon)
}

/// A tensor less its mean over some axes, with what was found on the way.
struct Moments {
  let mean: Tensor
  /// x less its mean.
  let centered: Tensor
  /// The mean square of that, which unlike the mean square less the squared mean does not cancel.
  let variance: Tensor

  init(of x: Tensor, axes: Shape) {
    mean = x.mean(axes: axes, keepingAxes: true)
    centered = x - mean
    variance = square(centered).mean(axes: axes, keepingAxes: true)
  }

  func normalized(scale: Tensor?, shift: Tensor?, epsilon: Double) -> Tensor {
    var factor = inverseDeviation(variance, epsilon)
    // One product goes over the tensor where scale and deviation belong to the same axes, else two.
    var y = centered
    if let scale, factor.shape.suffix(scale.rank).elementsEqual(scale.shape) {
      factor = factor * scale
      y = y * factor
    } else {
      y = y * factor
      if let scale { y = y * scale }
    }
    if let shift { y = y + shift }
    return y
  }
}

private func check(_ name: String, _ x: Tensor, leastRank: Int) {
  precondition(x.dtype.isFloatingPoint, "\(name): \(x.dtype) where a floating-point type is needed")
  precondition(x.rank >= leastRank, "\(name): input \(x.shape) has fewer than \(leastRank) axes")
}

private func checkAffine(_ name: String, _ x: Tensor, _ a: Tensor?, _ b: Tensor?, _ shape: Shape) {
  for tensor in [a, b] {
    guard let tensor else { continue }
    precondition(
      tensor.shape == shape && tensor.dtype == x.dtype,
      "\(name): \(tensor.shape) \(tensor.dtype) where input \(x.shape) \(x.dtype) needs \(shape)")
  }
}
