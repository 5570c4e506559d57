// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The same elements in row-major order under another shape; one size may be -1 and stands for what fits.
  /// A view where the strides allow it, else a copy.
  public func reshaped(to shape: Shape) -> Tensor {
    let wanted = resolved(shape)
    let result =
      isContiguous
      ? view(wanted, strides: wanted.rowMajorStrides)
      : viewStrides(for: wanted).map { view(wanted, strides: $0) }
        ?? contiguous().view(wanted, strides: wanted.rowMajorStrides)
    return recorded(.reshape, result, self, saving: ghostIfRecording) { step in
      step.add(step.gradient.reshaped(to: step[0].shape), to: 0)
    }
  }

  /// The shape with its open size worked out.
  private func resolved(_ shape: Shape) -> Shape {
    var wanted = shape
    if let open = shape.firstIndex(of: -1) {
      wanted[open] = 1
      precondition(
        !wanted.contains { $0 < 0 }, "reshaped: shape \(self.shape) to \(shape), which has two negative sizes"
      )
      let known = wanted.elementCount
      precondition(
        known > 0 && elementCount % known == 0,
        "reshaped: shape \(self.shape) does not fit \(shape): "
          + (known == 0
            ? "any size would do for -1" : "\(elementCount) elements are no multiple of \(known)"))
      wanted[open] = elementCount / known
    }
    precondition(
      !wanted.contains { $0 < 0 }, "reshaped: shape \(self.shape) to \(shape), which has a negative size")
    precondition(
      wanted.elementCount == elementCount, "reshaped: shape \(self.shape) does not fit \(shape)")
    return wanted
  }

  /// The strides under which the elements in row-major order have another shape, or nil where none do.
  private func viewStrides(for wanted: Shape) -> Shape? {
    let (sizes, strides) = (shape, self.strides)
    guard rank > 0, elementCount > 0 else { return wanted.rowMajorStrides }
    var result = wanted
    var place = wanted.count - 1
    // Axes that lie evenly behind each other make a run; every run must be filled by whole axes of the new shape.
    var (runStride, runCount, filled) = (strides[rank - 1], 1, 1)
    for axis in (0..<rank).reversed() {
      runCount *= sizes[axis]
      if axis > 0 && (sizes[axis - 1] == 1 || strides[axis - 1] == runCount * runStride) { continue }
      while place >= 0 && (filled < runCount || wanted[place] == 1) {
        result[place] = filled * runStride
        filled *= wanted[place]
        place -= 1
      }
      guard filled == runCount else { return nil }
      if axis > 0 { (runStride, runCount, filled) = (strides[axis - 1], 1, 1) }
    }
    return result
  }

  /// The axes from one to another, that one included, taken as a single axis; by default all of them.
  public func flattened(from first: Int = 0, to last: Int = -1) -> Tensor {
    if rank == 0 { return reshaped(to: [1]) }
    let (first, last) = (axis(first, of: "flattened"), axis(last, of: "flattened"))
    precondition(first <= last, "flattened: axes \(first) to \(last) of a tensor of shape \(shape)")
    let merged = shape[first...last].reduce(1, *)
    return reshaped(to: Shape(Array(shape[..<first]) + [merged] + Array(shape[(last + 1)...])))
  }

  /// The tensor without an axis of size 1.
  public func squeezed(axis: Int) -> Tensor {
    let axis = self.axis(axis, of: "squeezed")
    precondition(shape[axis] == 1, "squeezed: axis \(axis) of shape \(shape) has not size 1")
    return reshaped(to: shape.removing(at: axis))
  }

  /// The tensor without its axes of size 1.
  public func squeezed() -> Tensor { reshaped(to: Shape(shape.filter { $0 != 1 })) }

  /// The tensor with a new axis of size 1 at a position, which counts from the end where it is negative: -1 makes
  /// it the last.
  public func expanded(axis: Int) -> Tensor {
    let place = axis < 0 ? axis + rank + 1 : axis
    precondition(place >= 0 && place <= rank, "expanded: axis \(axis) for a tensor of shape \(shape)")
    return reshaped(to: shape.inserting(1, at: place))
  }
}
