// SPDX-License-Identifier: Apache-2.0

/// Each element made zero with the probability `rate`, the others divided by 1 - `rate`, so that the mean stays
/// (Srivastava et al. 2014). The same generator drops the same elements, whatever their type.
public func dropout(_ x: Tensor, rate: Double, using random: inout RandomGenerator) -> Tensor {
  dropped(x, rate, of: "dropout", maskShape: x.shape, using: &random)
}

/// Whole channels of `[batch, ..., channels]` made zero with the probability `rate`, for each of the batch anew, the
/// others divided by 1 - `rate` (Tompson et al. 2015).
public func spatialDropout(_ x: Tensor, rate: Double, using random: inout RandomGenerator) -> Tensor {
  precondition(x.rank >= 2, "spatialDropout: a tensor of shape \(x.shape) is no batch with channels")
  var shape = Shape(repeating: 1, count: x.rank)
  (shape[0], shape[x.rank - 1]) = (x.shape[0], x.shape[x.rank - 1])
  return dropped(x, rate, of: "spatialDropout", maskShape: shape, using: &random)
}

private func dropped(
  _ x: Tensor, _ rate: Double, of operation: String, maskShape: Shape, using random: inout RandomGenerator
) -> Tensor {
  precondition(rate >= 0 && rate <= 1, "\(operation): a rate of \(rate), which is not in [0, 1]")
  x.requireFloatingPoint(operation)
  if rate == 0 { return x }
  if rate == 1 { return Tensor(zeros: x.shape, dtype: x.dtype) }
  let scale = withoutGradient {
    let isKept = random.uniform(maskShape, dtype: .float32) .>= rate
    return engine.select(isKept, x.number(1 / (1 - rate)), x.number(0))
  }
  return x * scale
}
