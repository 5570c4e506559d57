// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The slice at an index of the first axis. A view; setting it replaces these elements of this value alone.
  public subscript(index: Int) -> Tensor {
    get {
      precondition(rank > 0, "subscript: index \(index) of a tensor without axes")
      return select(index)
    }
    set { replace(Slicing([index], of: shape), with: newValue) }
  }

  /// The elements that the indices select, one index an axis and all of the axes that are left:
  ///
  ///     x[0]              // the first along the first axis, that axis taken away
  ///     x[1..<3, -1]      // two rows, their last elements
  ///     x[..<4, .newAxis] // a new axis of size 1 after the first
  ///     x[1..., ..., 0]   // `...` stands for all of the axes between
  ///     x[(0...).stride(by: -2)]
  ///
  /// A view. Setting it replaces the elements by those of a value, broadcast and converted; a tensor is a value, so
  /// that nothing else changes, and gradients flow to both. Indices out of range trap.
  public subscript(indices: (any TensorIndex)...) -> Tensor {
    get { sliced(by: Slicing(indices, of: shape)) }
    set { replace(Slicing(indices, of: shape), with: newValue) }
  }

  /// The elements that the indices select along the last axes, all of those before.
  public subscript(_: UnboundedRange, rest: (any TensorIndex)...) -> Tensor {
    get { sliced(by: Slicing([.ellipsis], rest, of: shape)) }
    set { replace(Slicing([.ellipsis], rest, of: shape), with: newValue) }
  }

  /// The elements that the indices select along the first and the last axes, all of those between.
  public subscript(first: any TensorIndex, _: UnboundedRange, rest: (any TensorIndex)...) -> Tensor {
    get { sliced(by: Slicing([first, .ellipsis], rest, of: shape)) }
    set { replace(Slicing([first, .ellipsis], rest, of: shape), with: newValue) }
  }

  /// The elements that the indices select along the first and the last axes, all of those between.
  public subscript(
    first: any TensorIndex, second: any TensorIndex, _: UnboundedRange, rest: (any TensorIndex)...
  ) -> Tensor {
    get { sliced(by: Slicing([first, second, .ellipsis], rest, of: shape)) }
    set { replace(Slicing([first, second, .ellipsis], rest, of: shape), with: newValue) }
  }

  /// The elements that the indices select along the first and the last axes, all of those between. Where more
  /// indices come before, write `.ellipsis`.
  public subscript(
    first: any TensorIndex, second: any TensorIndex, third: any TensorIndex, _: UnboundedRange,
    rest: (any TensorIndex)...
  ) -> Tensor {
    get { sliced(by: Slicing([first, second, third, .ellipsis], rest, of: shape)) }
    set { replace(Slicing([first, second, third, .ellipsis], rest, of: shape), with: newValue) }
  }

  /// A stretch of an axis, such as `x.sliced(1..., axis: -1)`. A view.
  public func sliced(_ range: some TensorIndex, axis: Int) -> Tensor {
    let axis = self.axis(axis, of: "sliced")
    return sliced(
      by: Slicing([any TensorIndex](repeating: 0..., count: axis) + [range], of: shape))
  }
}

extension Slicing {
  /// What a subscript's indices select of a tensor.
  init(_ first: [any TensorIndex], _ rest: [any TensorIndex] = [], of shape: Shape) {
    self.init(all: shape)
    sizes = Shape()
    let selections = (first + rest).map(\.selection)
    let (left, hasEllipsis) = Self.axesLeft(by: selections, of: shape)
    var axis = 0
    func keepAll(_ count: Int) {
      for _ in 0..<count {
        targets[axis] = sizes.count
        sizes.append(shape[axis])
        axis += 1
      }
    }
    for selection in selections {
      switch selection {
      case .ellipsis: keepAll(left)
      case .newAxis: sizes.append(1)
      case .index(let index):
        let position = index < 0 ? index + shape[axis] : index
        precondition(
          position >= 0 && position < shape[axis],
          "subscript: index \(index) of axis \(axis) of shape \(shape)")
        starts[axis] = position
        targets[axis] = -1
        axis += 1
      case .range, .progression:
        let walk = Self.walk(selection, axis: axis, of: shape)
        (starts[axis], steps[axis], targets[axis]) = (walk.start, walk.step, sizes.count)
        sizes.append(walk.count)
        axis += 1
      }
    }
    if !hasEllipsis { keepAll(left) }
  }

  /// How many axes the indices leave to an ellipsis, written or not.
  private static func axesLeft(by selections: [AxisSelection], of shape: Shape) -> (Int, Bool) {
    var (used, ellipses) = (0, 0)
    for selection in selections {
      switch selection {
      case .ellipsis: ellipses += 1
      case .newAxis: break
      default: used += 1
      }
    }
    precondition(ellipses <= 1, "subscript: \(ellipses) ellipses, of which there can be one")
    precondition(used <= shape.count, "subscript: \(used) indices for a tensor of shape \(shape)")
    return (shape.count - used, ellipses == 1)
  }

  private static func walk(
    _ selection: AxisSelection, axis: Int, of shape: Shape
  ) -> (start: Int, step: Int, count: Int) {
    let size = shape[axis]
    if case .progression(let first, let step, let count) = selection {
      if count == 0 { return (0, 1, 0) }
      let start = first < 0 ? first + size : first
      let (reach, overflows) = step.multipliedReportingOverflow(by: count - 1)
      precondition(
        !overflows && start >= 0 && start < size && start + reach >= 0 && start + reach < size,
        "subscript: \(count) indices from \(first) in steps of \(step) of axis \(axis) of shape \(shape)")
      return (start, step, count)
    }
    guard case .range(let from, let to, let step) = selection else { preconditionFailure() }
    let lower = from.map { $0 < 0 ? $0 + size : $0 } ?? 0
    let upper = to.map { $0 < 0 ? $0 + size : $0 } ?? size
    precondition(
      lower >= 0 && lower <= upper && upper <= size,
      "subscript: range \(from.map(String.init) ?? "")..<\(to.map(String.init) ?? "") "
        + "of axis \(axis) of shape \(shape)")
    let count = (upper - lower + Swift.abs(step) - 1) / Swift.abs(step)
    return (count == 0 ? 0 : step > 0 ? lower : upper - 1, count > 1 ? step : 1, count)
  }
}
