// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// Tensors of one shape laid side by side along a new axis.
  public static func stack(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    precondition(!tensors.isEmpty, "stack: no tensors")
    let first = tensors[0]
    for tensor in tensors {
      precondition(
        tensor.shape == first.shape && tensor.dtype == first.dtype,
        "stack: \(first.shape) \(first.dtype) beside \(tensor.shape) \(tensor.dtype)")
    }
    let place = axis < 0 ? axis + first.rank + 1 : axis
    precondition(place >= 0 && place <= first.rank, "stack: axis \(axis) for tensors of shape \(first.shape)")
    let result = Tensor(
      unsetWithShape: first.shape.inserting(tensors.count, at: place), dtype: first.dtype)
    withoutGradient {
      for (index, tensor) in tensors.enumerated() {
        result.select(index, axis: place).fill(from: tensor)
      }
    }
    return recorded(.stack, result, inputs: tensors, integers: (place, 0)) { step in
      for index in 0..<step.inputCount {
        step.add(step.gradient.select(index, axis: step.integers.0), to: index)
      }
    }
  }

  /// Tensors joined end to end along an axis; their other axes have the same sizes. Where some are float32 and the others
  /// bfloat16, all become float32.
  public static func concatenate(_ tensors: [Tensor], axis: Int = 0) -> Tensor {
    precondition(!tensors.isEmpty, "concatenate: no tensors")
    let first = tensors[0]
    if tensors.contains(where: { first.widened(with: $0) != nil }),
      tensors.allSatisfy({ $0.dtype == .float32 || $0.dtype == .bfloat16 })
    {
      return concatenate(tensors.map { $0.cast(to: .float32) }, axis: axis)
    }
    let axis = first.axis(axis, of: "concatenate")
    // Where each tensor begins, and where the last ends.
    var ends = [0]
    for tensor in tensors {
      precondition(
        tensor.rank == first.rank && tensor.dtype == first.dtype
          && tensor.shape.replacing(at: axis, with: 0) == first.shape.replacing(at: axis, with: 0),
        "concatenate: \(first.shape) \(first.dtype) and \(tensor.shape) \(tensor.dtype) along axis \(axis)")
      ends.append(ends.last! + tensor.shape[axis])
    }
    let result = Tensor(
      unsetWithShape: first.shape.replacing(at: axis, with: ends.last!), dtype: first.dtype)
    for (index, tensor) in tensors.enumerated() {
      Slicing(ends[index]..<ends[index + 1], axis: axis, of: result.shape).view(of: result).fill(from: tensor)
    }
    return recorded(.concatenate, result, inputs: tensors) { [ends] step in
      for index in 0..<step.inputCount {
        // Parts that do not overlap: each may be added to in place where the whole may.
        if step.ownsGradient {
          step.addOwn(part: step.gradient.sliced(ends[index]..<ends[index + 1], axis: axis), to: index)
        } else {
          step.add(step.gradient.sliced(ends[index]..<ends[index + 1], axis: axis), to: index)
        }
      }
    }
  }

  /// Equal parts of an axis, whose size must be a multiple of their number. Views.
  public func split(into count: Int, axis: Int = 0) -> [Tensor] {
    let axis = self.axis(axis, of: "split")
    precondition(
      count > 0 && shape[axis] % count == 0,
      "split: axis \(axis) of shape \(shape) cannot be split into \(count) equal parts")
    return split(sizes: [Int](repeating: shape[axis] / count, count: count), axis: axis)
  }

  /// Parts of an axis with the given sizes, which add up to the axis's. Views.
  public func split(sizes: [Int], axis: Int = 0) -> [Tensor] {
    let axis = self.axis(axis, of: "split")
    precondition(
      !sizes.contains { $0 < 0 } && sizes.reduce(0, +) == shape[axis],
      "split: sizes \(sizes) do not add up to axis \(axis) of shape \(shape)")
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return sliced(start..<start + size, axis: axis)
    }
  }

  /// The slices at all the indices of an axis, that axis taken away. Views.
  public func unstacked(axis: Int = 0) -> [Tensor] {
    let axis = self.axis(axis, of: "unstacked")
    return (0..<shape[axis]).map { select($0, axis: axis) }
  }
}
