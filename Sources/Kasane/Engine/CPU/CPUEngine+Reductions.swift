// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func reduce(_ primitive: ReductionPrimitive, _ x: Tensor, to shape: Shape) -> Tensor {
    let y = Tensor(unsetWithShape: shape, dtype: x.dtype)
    let status = ks_reduce(primitive.rawValue, y.object, x.object)
    if status != Int32(KS_DONE) { Self.refuse("\(primitive)", x.dtype, admitsIntegers: true) }
    return y
  }

  func argument(_ primitive: ReductionPrimitive, _ x: Tensor, axis: Int) -> Tensor {
    precondition(primitive == .maximum || primitive == .minimum, "argument: no place has the \(primitive)")
    let x = Self.widened(x)
    var shape = Shape()
    for other in 0..<x.rank where other != axis { shape.append(x.shape[other]) }
    precondition(
      x.shape[axis] > 0 || shape.elementCount == 0,
      "argument: no elements along axis \(axis) of shape \(x.shape)")
    let y = Tensor(unsetWithShape: shape, dtype: .int64)
    withExtendedLifetime(x) { ks_argument(primitive == .minimum, y.object, x.object, Int32(axis)) }
    return y
  }

  func cumulativeSum(_ x: Tensor, axis: Int, reversed: Bool) -> Tensor {
    let wide = Self.widened(x)
    let y = Tensor(unsetLike: wide)
    let status = withExtendedLifetime(wide) {
      ks_cumulative_sum(y.object, wide.object, Int32(axis), reversed)
    }
    if status != Int32(KS_DONE) { Self.refuse("cumulativeSum", x.dtype, admitsIntegers: true) }
    return Self.cast(y, to: x.dtype)
  }

  func softmax(_ x: Tensor) -> Tensor { softmax(x, "softmax", logarithm: false) }

  func logSoftmax(_ x: Tensor) -> Tensor { softmax(x, "logSoftmax", logarithm: true) }

  private func softmax(_ x: Tensor, _ operation: String, logarithm: Bool) -> Tensor {
    Self.requireFloat(operation, x)
    precondition(x.rank > 0, "\(operation): a tensor without axes")
    let wide = Self.widened(x).contiguous()
    let y = Tensor(unsetLike: wide)
    withExtendedLifetime(wide) { ks_softmax(y.object, wide.object, logarithm) }
    return Self.cast(y, to: x.dtype)
  }

  func halfSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor {
    Self.requireFloat("halfSquaredError", a)
    Self.requireOneType("halfSquaredError", a, b)
    let (left, right) = (Self.widened(a).contiguous(), Self.widened(b).contiguous())
    let y = Tensor(unsetWithShape: Shape(), dtype: left.dtype)
    withExtendedLifetime((left, right)) { ks_half_squared_error(y.object, left.object, right.object) }
    return Self.cast(y, to: a.dtype)
  }

  func isFinite(_ x: Tensor) -> Bool {
    let x = x.contiguous()
    return withExtendedLifetime(x) { ks_all_finite(x.object) }
  }

  /// Half-width numbers in single precision, others as they are.
  static func widened(_ x: Tensor) -> Tensor {
    x.dtype == .float16 || x.dtype == .bfloat16 ? cast(x, to: .float32) : x
  }

  /// The elements in another type, off the tape.
  static func cast(_ x: Tensor, to dtype: DType) -> Tensor {
    if x.dtype == dtype { return x }
    let y = Tensor(unsetWithShape: x.shape, dtype: dtype)
    ks_copy(y.object, x.object)
    return y
  }
}
