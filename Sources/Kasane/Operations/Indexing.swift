// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The slices at some indices of an axis: the axes of `indices`, of which there may be any number, take its
  /// place. Indices are int32 or int64 and count from the end where they are negative.
  public func gathered(_ indices: Tensor, axis: Int = 0) -> Tensor {
    let axis = self.axis(axis, of: "gathered")
    let places = indices.checkedIndices(of: "gathered", axis: axis, shape: shape)
    let flat = taking(places.contiguousVector(), axis: axis)
    if places.rank == 1 { return flat }
    return flat.reshaped(
      to: Shape(Array(shape[..<axis]) + Array(places.shape) + Array(shape[(axis + 1)...])))
  }

  /// The slices at checked indices `[count]`.
  private func taking(_ places: Tensor, axis: Int) -> Tensor {
    recorded(
      .take, engine.take(self, places, axis: axis), self, saving: places, ghostIfRecording,
      integers: (axis, 0)
    ) { step in
      let (places, axis, shape) = (step[0], step.integers.0, step[1].shape)
      step.addInPlace(
        to: 0, shape: shape,
        else: Tensor(zeros: shape, dtype: step.gradient.dtype)
          .addingSlices(of: step.gradient, places, axis: axis)
      ) { sum, _ in
        engine.scatterAdd(step.gradient, places, axis: axis, into: sum)
      }
    }
  }

  /// This tensor with the slices of `values` added to those at some indices of an axis; an index that comes twice is
  /// added to twice. The values have this tensor's shape, the axes of `indices` in place of the axis, or broadcast
  /// to that. Indices are int32 or int64 and count from the end where they are negative.
  public func scatterAdding(_ values: Tensor, at indices: Tensor, axis: Int = 0) -> Tensor {
    let axis = self.axis(axis, of: "scatterAdding")
    let places = indices.checkedIndices(of: "scatterAdding", axis: axis, shape: shape)
    let (before, after) = (Array(shape[..<axis]), Array(shape[(axis + 1)...]))
    let needed = before + Array(places.shape) + after
    precondition(
      dtype == values.dtype && values.shape.elementsBroadcast(to: needed),
      "scatterAdding: values of shape \(values.shape), \(values.dtype), at indices of shape \(indices.shape) "
        + "along axis \(axis) of a tensor of shape \(shape), \(dtype)")
    let flat = values.broadcast(to: Shape(needed)).reshaped(
      to: shape.replacing(at: axis, with: places.elementCount))
    return addingSlices(of: flat, places.contiguousVector(), axis: axis)
  }

  /// The sum with the slices of `values` at checked indices `[count]`.
  private func addingSlices(of values: Tensor, _ places: Tensor, axis: Int) -> Tensor {
    let result = copied()
    engine.scatterAdd(values, places, axis: axis, into: result)
    return recorded(.scatterAdd, result, self, values, saving: places, integers: (axis, 0)) { step in
      step.add(step.gradient, to: 0)
      step.add(step.gradient.taking(step[0], axis: step.integers.0), to: 1)
    }
  }

  /// The elements at the indices along an axis: element [i, j, k] of the result is that at [i, indices[i, j, k], k]
  /// for axis 1. The other axes of tensor and indices broadcast. Indices are int32 or int64 and count from the end
  /// where they are negative.
  public func gatheredAlong(_ indices: Tensor, axis: Int) -> Tensor {
    let axis = self.axis(axis, of: "gatheredAlong")
    let places = indices.checkedIndices(of: "gatheredAlong", axis: axis, shape: shape)
    guard rank == places.rank,
      let others = shape.removing(at: axis).broadcast(with: places.shape.removing(at: axis))
    else {
      preconditionFailure(
        "gatheredAlong: indices of shape \(indices.shape) along axis \(axis) of a tensor of shape \(shape)")
    }
    return broadcast(to: others.inserting(shape[axis], at: axis))
      .takingAlong(places.broadcast(to: others.inserting(places.shape[axis], at: axis)), axis: axis)
  }

  /// The elements at checked indices; the value may be known already.
  func takingAlong(_ places: Tensor, axis: Int, value: Tensor? = nil) -> Tensor {
    recorded(
      .takeAlong, value ?? engine.takeAlong(self, places, axis: axis), self, saving: places, ghostIfRecording,
      integers: (axis, 0)
    ) { step in
      let (places, axis, shape) = (step[0], step.integers.0, step[1].shape)
      step.addInPlace(
        to: 0, shape: shape,
        else: Tensor(zeros: shape, dtype: step.gradient.dtype)
          .addingAlong(step.gradient, places, axis: axis)
      ) { sum, _ in
        engine.scatterAddAlong(step.gradient, places, axis: axis, into: sum)
      }
    }
  }

  /// This tensor with the elements of `values` added to those at the indices along an axis, as `gatheredAlong` finds
  /// them. The indices have this tensor's shape but for the axis; the values have that of the indices or broadcast
  /// to it.
  public func scatterAddingAlong(_ values: Tensor, at indices: Tensor, axis: Int) -> Tensor {
    let axis = self.axis(axis, of: "scatterAddingAlong")
    let places = indices.checkedIndices(of: "scatterAddingAlong", axis: axis, shape: shape)
    precondition(
      dtype == values.dtype && rank == places.rank
        && places.shape.removing(at: axis) == shape.removing(at: axis)
        && values.shape.elementsBroadcast(to: Array(places.shape)),
      "scatterAddingAlong: values of shape \(values.shape), \(values.dtype), at indices of shape "
        + "\(indices.shape) along axis \(axis) of a tensor of shape \(shape), \(dtype)")
    return addingAlong(values.broadcast(to: places.shape), places, axis: axis)
  }

  private func addingAlong(_ values: Tensor, _ places: Tensor, axis: Int) -> Tensor {
    let result = copied()
    engine.scatterAddAlong(values, places, axis: axis, into: result)
    return recorded(.scatterAddAlong, result, self, values, saving: places, integers: (axis, 0)) { step in
      step.add(step.gradient, to: 0)
      step.add(step.gradient.takingAlong(step[0], axis: step.integers.0), to: 1)
    }
  }

  /// These indices as int64, counted from the beginning of an axis; traps where one is out of range.
  func checkedIndices(of operation: String, axis: Int, shape: Shape) -> Tensor {
    precondition(
      dtype == .int32 || dtype == .int64, "\(operation): indices of type \(dtype), not int32 or int64")
    let wide = cast(to: .int64).contiguous()
    let size = shape[axis]
    var hasNegative = false
    wide.withElements(of: Int.self) { indices in
      for index in indices {
        precondition(
          index < size && index >= -size,
          "\(operation): index \(index) of axis \(axis) of a tensor of shape \(shape)")
        if index < 0 { hasNegative = true }
      }
    }
    guard hasNegative else { return wide }
    return wide.withElements(of: Int.self) { indices in
      Tensor(shape: wide.shape, of: Int.self) { places in
        for (place, index) in indices.enumerated() { places[place] = index < 0 ? index + size : index }
      }
    }
  }

  /// The elements of a contiguous tensor with one axis, off the tape.
  fileprivate func contiguousVector() -> Tensor {
    rank == 1 ? self : view(Shape(elementCount), strides: Shape(1))
  }
}

extension Shape {
  /// Whether a tensor of this shape broadcasts to some sizes, of which there may be more than a shape has.
  fileprivate func elementsBroadcast(to sizes: [Int]) -> Bool {
    sizes.count <= Shape.maximumCount && broadcast(with: Shape(sizes)) == Shape(sizes)
  }
}
