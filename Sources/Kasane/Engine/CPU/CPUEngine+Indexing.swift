// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func take(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    var shape = x.shape
    shape[axis] = indices.elementCount
    let (source, places) = (x.contiguous(), indices.contiguous())
    let y = Tensor(unsetWithShape: shape, dtype: x.dtype)
    withExtendedLifetime((source, places)) { ks_take(y.object, source.object, places.object, Int32(axis)) }
    return y
  }

  func takeAlong(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    let (source, places) = (x.contiguous(), indices.contiguous())
    let y = Tensor(unsetWithShape: indices.shape, dtype: x.dtype)
    withExtendedLifetime((source, places)) {
      ks_take_along(y.object, source.object, places.object, Int32(axis))
    }
    return y
  }

  func scatterAdd(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    scatter("scatterAdd", values, indices, into: target) { ks_scatter_add($0, $1, $2, Int32(axis)) }
  }

  func scatterAddAlong(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    scatter("scatterAddAlong", values, indices, into: target) {
      ks_scatter_add_along($0, $1, $2, Int32(axis))
    }
  }

  private typealias Object = UnsafeMutablePointer<KSTensor>

  private func scatter(
    _ operation: String, _ values: Tensor, _ indices: Tensor, into target: Tensor,
    _ kernel: (Object, Object, Object) -> Void
  ) {
    Self.requireOneType(operation, values, target)
    if target.dtype == .bool { Self.refuse(operation, .bool, admitsIntegers: true) }
    // Half-width numbers are added up in single precision and rounded once.
    let total = Self.widened(target)
    let (source, places) = (Self.widened(values).contiguous(), indices.contiguous())
    withExtendedLifetime((total, source, places)) { kernel(total.object, source.object, places.object) }
    if total.dtype != target.dtype { ks_copy(target.object, total.object) }
  }

  func sort(_ x: Tensor, descending: Bool) -> (values: Tensor, indices: Tensor) {
    let source = x.contiguous()
    let values = Tensor(unsetLike: source)
    let indices = Tensor(unsetWithShape: x.shape, dtype: .int64)
    let status = withExtendedLifetime(source) {
      ks_sort(values.object, indices.object, source.object, descending)
    }
    if status != Int32(KS_DONE) { fatalError("out of memory: no room to sort a tensor of shape \(x.shape)") }
    return (values, indices)
  }
}
