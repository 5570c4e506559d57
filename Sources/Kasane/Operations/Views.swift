// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension Tensor {
  /// A view with other sizes and strides, `offset` elements from this tensor's first.
  func view(_ shape: Shape, strides: Shape, offset: Int = 0) -> Tensor {
    let made = shape.withSizes { sizes in
      strides.withSizes { ks_tensor_view(object, Int32(shape.count), sizes, $0, Int64(offset)) }
    }
    return Tensor(box: TensorBox.holding(made!, of: box))
  }

  /// How many elements lie from one index of an axis to the next.
  var strides: Shape {
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

  /// Different axes, counted from the end where they are negative.
  func axes(_ axes: Shape, of operation: String) -> [Int] {
    let result = axes.map { axis($0, of: operation) }
    precondition(
      Set(result).count == result.count, "\(operation): axes \(axes) of shape \(shape) name one twice")
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

  /// This tensor cut off from the tape: no gradient flows through the result.
  public func detached() -> Tensor { alias() }

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
}
