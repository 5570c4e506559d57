// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The elements in order along an axis, and the index at which each was, int64. Equal elements keep their order;
  /// NaN comes after every number ascending, before every number descending. Gradients flow through the values.
  public func sorted(axis: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
    let axis = self.axis(axis, of: "sorted")
    let rows = movedAxis(from: axis, to: -1)
    let (values, indices) = engine.sort(rows, descending: descending)
    let recordedValues = rows.takingAlong(indices, axis: rank - 1, value: values)
    return (
      recordedValues.movedAxis(from: -1, to: axis), withoutGradient { indices.movedAxis(from: -1, to: axis) }
    )
  }

  /// The indices along an axis that put the elements in order, int64; see `sorted`.
  public func argsorted(axis: Int = -1, descending: Bool = false) -> Tensor {
    let axis = self.axis(axis, of: "argsorted")
    return withoutGradient {
      let indices = engine.sort(movedAxis(from: axis, to: -1), descending: descending).indices
      return indices.movedAxis(from: -1, to: axis)
    }
  }

  /// The `count` largest elements along an axis, the largest first, or the smallest, the smallest first; and the
  /// index at which each was, int64. Gradients flow through the values.
  public func topK(_ count: Int, axis: Int = -1, largest: Bool = true) -> (values: Tensor, indices: Tensor) {
    let axis = self.axis(axis, of: "topK")
    precondition(
      count >= 0 && count <= shape[axis],
      "topK: \(count) elements of axis \(axis) of a tensor of shape \(shape)")
    let (values, indices) = sorted(axis: axis, descending: largest)
    return (
      values.sliced(0..<count, axis: axis), withoutGradient { indices.sliced(0..<count, axis: axis) }
    )
  }

  /// The different elements in ascending order, `[count]`; for every element of this tensor which of them it is,
  /// int64, of this shape; and how often each comes, int64, `[count]`. Every NaN is different from all others.
  public func unique() -> (values: Tensor, inverse: Tensor, counts: Tensor) {
    withoutGradient {
      let (values, order) = engine.sort(reshaped(to: [elementCount]), descending: false)
      let count = elementCount
      let changes =
        count < 2
        ? [] : engine.compare(.notEqual, values[1...], values[..<(count - 1)]).elements(as: Bool.self)
      var (starts, inverse) = ([Int](), [Int](repeating: 0, count: count))
      for (rank, place) in order.elements(as: Int.self).enumerated() {
        if rank == 0 || changes[rank - 1] { starts.append(rank) }
        inverse[place] = starts.count - 1
      }
      let ends = starts.dropFirst() + [count]
      return (
        values.gathered(Tensor(starts)), Tensor(inverse, shape: shape),
        Tensor(zip(starts, ends).map { $1 - $0 })
      )
    }
  }

  /// Where in this tensor, whose one axis is in ascending order, each of some values belongs: the number of its
  /// elements that are smaller, or with `afterEqual` not larger. int64, of the shape of `values`.
  public func searchSorted(_ values: Tensor, afterEqual: Bool = false) -> Tensor {
    precondition(
      rank == 1 && dtype == values.dtype,
      "searchSorted: values of shape \(values.shape), \(values.dtype), in a tensor of shape \(shape), \(dtype)"
    )
    return withoutGradient {
      dtype == .int64
        ? search(values, Int.self, afterEqual)
        : cast(to: .float64).search(values.cast(to: .float64), Double.self, afterEqual)
    }
  }

  private func search<Element: TensorElement & Comparable>(
    _ values: Tensor, _ type: Element.Type, _ afterEqual: Bool
  ) -> Tensor {
    let places = withElements(of: type) { sorted in
      values.withElements(of: type) { values in
        values.map { value -> Int in
          var (low, high) = (0, sorted.count)
          while low < high {
            let middle = (low + high) / 2
            let isBefore = afterEqual ? !(sorted[middle] > value) : sorted[middle] < value
            if isBefore { low = middle + 1 } else { high = middle }
          }
          return low
        }
      }
    }
    return Tensor(places, shape: values.shape)
  }
}
