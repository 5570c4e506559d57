// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The axes in another order: axis `order[i]` of this tensor becomes axis i. A view.
  public func permuted(_ order: Shape) -> Tensor {
    precondition(
      order.count == rank && Set(order.map { $0 < 0 ? $0 + rank : $0 }) == Set(0..<rank),
      "permuted: \(order) is no order of the axes of shape \(shape)")
    var (sizes, strides, inverse) = (order, order, order)
    let (ownSizes, ownStrides) = (shape, self.strides)
    for (axis, source) in order.enumerated() {
      let source = source < 0 ? source + rank : source
      sizes[axis] = ownSizes[source]
      strides[axis] = ownStrides[source]
      inverse[source] = axis
    }
    return recorded(.permute, view(sizes, strides: strides), self) { [inverse] step in
      step.add(step.gradient.permuted(inverse), to: 0)
    }
  }

  /// The tensor with its last two axes exchanged. A view.
  public func transposed() -> Tensor {
    precondition(rank >= 2, "transposed: a tensor of shape \(shape) has no two axes to exchange")
    var (sizes, strides) = (shape, self.strides)
    sizes.swapAt(rank - 1, rank - 2)
    strides.swapAt(rank - 1, rank - 2)
    return recorded(.transpose, view(sizes, strides: strides), self) { step in
      step.add(step.gradient.transposed(), to: 0)
    }
  }

  /// The tensor with two axes exchanged. A view.
  public func swappedAxes(_ first: Int, _ second: Int) -> Tensor {
    var order = Shape(0..<rank)
    order.swapAt(axis(first, of: "swappedAxes"), axis(second, of: "swappedAxes"))
    return permuted(order)
  }

  /// The tensor with an axis at another place, the others in their order. A view.
  public func movedAxis(from source: Int, to destination: Int) -> Tensor {
    let (source, destination) = (axis(source, of: "movedAxis"), axis(destination, of: "movedAxis"))
    if source == destination { return self }
    let others = Shape(0..<rank).removing(at: source)
    return permuted(others.inserting(source, at: destination))
  }

  /// The elements whose indices along two axes differ by `offset` (column minus row), as the last axis of the
  /// result in place of the two. A view.
  public func diagonal(offset: Int = 0, axes: (Int, Int) = (-2, -1)) -> Tensor {
    precondition(rank >= 2, "diagonal: a tensor of shape \(shape) has no two axes")
    let (row, column) = (axis(axes.0, of: "diagonal"), axis(axes.1, of: "diagonal"))
    precondition(row != column, "diagonal: axes \(axes.0) and \(axes.1) of shape \(shape) are one")
    return sliced(by: Slicing(diagonalOf: shape, row: row, column: column, offset: offset))
  }

  /// The elements in opposite order along the given axes, or along all. A view.
  public func flipped(axes: Shape? = nil) -> Tensor {
    var slicing = Slicing(all: shape)
    for axis in axes.map({ self.axes($0, of: "flipped") }) ?? Array(0..<rank) {
      slicing.starts[axis] = Swift.max(0, shape[axis] - 1)
      slicing.steps[axis] = -1
    }
    return sliced(by: slicing)
  }
}
