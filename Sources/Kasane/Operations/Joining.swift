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
    let axis = axis < 0 ? axis + first.rank + 1 : axis
    precondition(axis >= 0 && axis <= first.rank, "stack: axis \(axis) for tensors of shape \(first.shape)")
    var shape = Array(first.shape)
    shape.insert(tensors.count, at: axis)
    let result = Tensor(unsetWithShape: Shape(shape), dtype: first.dtype)
    withoutGradient {
      for (index, tensor) in tensors.enumerated() {
        result.select(index, axis: axis).fill(from: tensor)
      }
    }
    return recorded(.stack, result, inputs: tensors, integers: (axis, 0)) { step in
      for index in 0..<step.inputCount {
        step.add(step.gradient.select(index, axis: step.integers.0), to: index)
      }
    }
  }
}
