// SPDX-License-Identifier: Apache-2.0

/// What a padding is filled with.
public enum PaddingMode: Hashable, Sendable {
  /// One value.
  case constant(Double)
  /// The elements mirrored at the first and last, which are not repeated. An axis is padded by less than its size.
  case reflect
  /// The first and last element repeated.
  case edge
}

extension Tensor {
  /// The tensor with further elements around it.
  ///
  /// - Parameters:
  ///   - before: For each axis the number of elements before its first.
  ///   - after: For each axis the number of elements after its last; nil for the same as before.
  ///   - mode: What the elements are.
  public func padded(
    before: Shape, after: Shape? = nil, mode: PaddingMode = .constant(0)
  ) -> Tensor {
    let after = after ?? before
    precondition(
      before.count == rank && after.count == rank && !before.contains { $0 < 0 }
        && !after.contains { $0 < 0 },
      "padded: \(before) before and \(after) after do not fit the axes of shape \(shape)")
    if case .constant(let value) = mode { return constantPadded(before, after, value) }
    var result = self
    for axis in 0..<rank where before[axis] > 0 || after[axis] > 0 {
      let size = shape[axis]
      let most = mode == .reflect ? size - 1 : size == 0 ? 0 : Int.max
      precondition(
        before[axis] <= most && after[axis] <= most,
        "padded: \(before[axis]) before and \(after[axis]) after axis \(axis) of shape \(shape), "
          + "mode \(mode)")
      let indices = (-before[axis]..<size + after[axis]).map { place in
        if mode == .edge { return Swift.min(Swift.max(place, 0), size - 1) }
        return place < 0 ? -place : place < size ? place : 2 * (size - 1) - place
      }
      result = result.gathered(Tensor(indices), axis: axis)
    }
    return result
  }

  /// The tensor with `before` and `after` further elements along one axis.
  public func padded(
    axis: Int, before: Int = 0, after: Int = 0, mode: PaddingMode = .constant(0)
  ) -> Tensor {
    let axis = self.axis(axis, of: "padded")
    let none = Shape(repeating: 0, count: rank)
    return padded(
      before: none.replacing(at: axis, with: before), after: none.replacing(at: axis, with: after), mode: mode
    )
  }

  private func constantPadded(_ before: Shape, _ after: Shape, _ value: Double) -> Tensor {
    var whole = shape
    for axis in 0..<rank {
      let (size, overflows) = whole[axis].addingReportingOverflow(before[axis])
      let (padded, overflowsToo) = size.addingReportingOverflow(after[axis])
      precondition(!overflows && !overflowsToo, "padded: \(before) and \(after) around shape \(shape)")
      whole[axis] = padded
    }
    var slicing = Slicing(all: whole)
    (slicing.starts, slicing.sizes) = (before, shape)
    return embedded(by: slicing, in: value)
  }
}
