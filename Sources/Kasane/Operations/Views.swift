// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension Tensor {
  /// A view with other sizes and strides, `offset` elements from this tensor's first.
  private func view(_ shape: Shape, strides: Shape, offset: Int = 0) -> Tensor {
    let made = shape.withSizes { sizes in
      strides.withSizes { ks_tensor_view(object, Int32(shape.count), sizes, $0, Int64(offset)) }
    }
    return Tensor(box: TensorBox.holding(made!, of: box))
  }

  private var strides: Shape {
    var result = shape
    withUnsafeBytes(of: object.pointee.strides) { bytes in
      for axis in 0..<rank { result[axis] = bytes.load(fromByteOffset: axis * 8, as: Int.self) }
    }
    return result
  }

  /// An axis counted from the end where it is negative.
  func axis(_ axis: Int, of operation: String) -> Int {
    let result = axis < 0 ? axis + rank : axis
    precondition(
      result >= 0 && result < rank, "\(operation): axis \(axis) of a tensor of shape \(shape)")
    return result
  }

  /// A second reference to the same elements, with a place on the tape of its own.
  func alias(in spare: TensorBox? = nil) -> Tensor {
    guard let spare else { return view(shape, strides: strides) }
    let made = shape.withSizes { sizes in
      strides.withSizes { ks_tensor_view(object, Int32(rank), sizes, $0, 0) }
    }
    spare.reuse(for: made!, owner: box.owner ?? box)
    return Tensor(box: spare)
  }

  /// The same elements in row-major order under another shape; -1 stands for the size that fits.
  /// A view where the elements are contiguous, else a copy.
  public func reshaped(to shape: Shape) -> Tensor {
    var wanted = shape
    if let open = shape.firstIndex(of: -1) {
      let known = shape.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
      wanted[open] = known == 0 ? 0 : elementCount / known
    }
    precondition(
      wanted.elementCount == elementCount, "reshaped: shape \(self.shape) does not fit \(shape)")
    var strides = wanted
    var stride = 1
    for axis in (0..<wanted.count).reversed() {
      strides[axis] = stride
      stride *= wanted[axis]
    }
    let result = contiguous().view(wanted, strides: strides)
    return recorded(.reshape, result, self, saving: ghostIfRecording) { step in
      step.add(step.gradient.reshaped(to: step[0].shape), to: 0)
    }
  }

  /// The axes in another order: axis `order[i]` of this tensor becomes axis i.
  public func permuted(_ order: Shape) -> Tensor {
    precondition(
      Set(order) == Set(0..<rank) && order.count == rank,
      "permuted: \(order) is no order of the axes of shape \(shape)")
    var (sizes, strides) = (order, order)
    for (axis, source) in order.enumerated() {
      sizes[axis] = shape[source]
      strides[axis] = self.strides[source]
    }
    var inverse = order
    for (axis, source) in order.enumerated() { inverse[source] = axis }
    return recorded(.permute, view(sizes, strides: strides), self) { [inverse] step in
      step.add(step.gradient.permuted(inverse), to: 0)
    }
  }

  /// The tensor with its last two axes exchanged.
  public func transposed() -> Tensor {
    precondition(rank >= 2, "transposed: a tensor of shape \(shape) has no two axes to exchange")
    var (sizes, strides) = (shape, self.strides)
    sizes.swapAt(rank - 1, rank - 2)
    strides.swapAt(rank - 1, rank - 2)
    return recorded(.transpose, view(sizes, strides: strides), self) { step in
      step.add(step.gradient.transposed(), to: 0)
    }
  }

  /// The slice at one index of an axis, that axis taken away.
  public func select(_ index: Int, axis: Int = 0) -> Tensor {
    let axis = self.axis(axis, of: "select")
    let size = shape[axis]
    let position = index < 0 ? index + size : index
    precondition(
      position >= 0 && position < size, "select: index \(index) of axis \(axis) of shape \(shape)")
    let view = ks_tensor_select(object, Int32(axis), Int64(position))!
    let result = Tensor(box: TensorBox.holding(view, of: box))
    return recorded(.select, result, self, saving: ghostIfRecording, integers: (axis, position)) { step in
      let whole = Tensor(zeros: step[0].shape, dtype: step[0].dtype)
      withoutGradient { whole.select(step.integers.1, axis: step.integers.0).fill(from: step.gradient) }
      step.add(
        recorded(.embed, whole, step.gradient, integers: step.integers) { outer in
          outer.add(outer.gradient.select(outer.integers.1, axis: outer.integers.0), to: 0)
        }, to: 0)
    }
  }

  /// The elements repeated along axes of size 1 (and new leading axes) to fill `shape`. A view.
  public func broadcast(to shape: Shape) -> Tensor {
    precondition(
      self.shape.broadcast(with: shape) == shape, "broadcast: shape \(self.shape) does not fit \(shape)")
    if self.shape == shape { return self }
    var strides = Shape(repeating: 0, count: shape.count)
    let missing = shape.count - rank
    let (ownSizes, ownStrides) = (self.shape, self.strides)
    for axis in 0..<rank where ownSizes[axis] != 1 { strides[axis + missing] = ownStrides[axis] }
    return recorded(.broadcast, view(shape, strides: strides), self, saving: ghostIfRecording) { step in
      step.add(step.gradient.summed(to: step[0].shape), to: 0)
    }
  }

  /// This tensor cut off from the tape: no gradient flows through the result.
  public func detached() -> Tensor { alias() }
}
