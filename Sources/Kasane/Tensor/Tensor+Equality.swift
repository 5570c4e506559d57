// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// Whether both tensors have one shape and every element differs from the other's by no more than
  /// `absolute + relative * |other|`. Equal infinities are close, NaN is close to nothing unless asked.
  public func isClose(
    to other: Tensor, relative: Double = 1e-5, absolute: Double = 1e-8, equalNaN: Bool = false
  ) -> Bool {
    guard shape == other.shape else { return false }
    return zip(scalars, other.scalars).allSatisfy { a, b in
      a == b || Swift.abs(a - b) <= absolute + relative * Swift.abs(b) && b.isFinite
        || equalNaN && a.isNaN && b.isNaN
    }
  }

  /// Whether both tensors have one shape, one type and the same elements. NaN equals nothing.
  public func isEqual(to other: Tensor) -> Bool {
    guard shape == other.shape, dtype == other.dtype else { return false }
    if dtype == .int64 { return elements(as: Int.self) == other.elements(as: Int.self) }
    return scalars == other.scalars
  }
}
