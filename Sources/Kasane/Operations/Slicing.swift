// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Which elements of a tensor a view shows, each at most once: an even walk along each of the tensor's axes. The
/// walks along two axes may go together, which makes a diagonal.
struct Slicing: Sendable {
  /// The shape of the tensor.
  let shape: Shape
  /// The first index along each of the tensor's axes, and the distance to the next.
  var starts, steps: Shape
  /// Along which axis of the view each of the tensor's axes is walked, -1 where it is not.
  var targets: Shape
  /// The shape of the view.
  var sizes: Shape

  /// The whole tensor.
  init(all shape: Shape) {
    self.shape = shape
    starts = Shape(repeating: 0, count: shape.count)
    steps = Shape(repeating: 1, count: shape.count)
    targets = Shape(shape.indices)
    sizes = shape
  }

  /// A stretch of one axis.
  init(_ range: Range<Int>, axis: Int, of shape: Shape) {
    self.init(all: shape)
    starts[axis] = range.lowerBound
    sizes[axis] = range.count
  }

  /// One index of one axis, that axis taken away.
  init(index: Int, axis: Int, of shape: Shape) {
    self.init(all: shape)
    starts[axis] = index
    targets[axis] = -1
    sizes = shape.removing(at: axis)
    for later in (axis + 1)..<Swift.max(axis + 1, shape.count) { targets[later] = later - 1 }
  }

  /// A diagonal over two axes.
  init(diagonalOf shape: Shape, row: Int, column: Int, offset: Int) {
    self.init(all: shape)
    (starts[row], starts[column]) = (Swift.max(0, -offset), Swift.max(0, offset))
    let count = Swift.max(0, Swift.min(shape[row] - starts[row], shape[column] - starts[column]))
    if count == 0 { (starts[row], starts[column]) = (0, 0) }
    sizes = Shape()
    for axis in shape.indices where axis != row && axis != column {
      targets[axis] = sizes.count
      sizes.append(shape[axis])
    }
    (targets[row], targets[column]) = (sizes.count, sizes.count)
    sizes.append(count)
  }

  /// The elements of a tensor of the right shape.
  func view(of x: Tensor) -> Tensor {
    let strides = x.strides
    var offset = 0
    var viewStrides = Shape(repeating: 0, count: sizes.count)
    for axis in shape.indices {
      offset += starts[axis] * strides[axis]
      if targets[axis] >= 0 { viewStrides[targets[axis]] += steps[axis] * strides[axis] }
    }
    return x.view(sizes, strides: viewStrides, offset: sizes.contains(0) ? 0 : offset)
  }
}

extension Tensor {
  /// The slice at one index of an axis, that axis taken away. A view.
  public func select(_ index: Int, axis: Int = 0) -> Tensor {
    let axis = self.axis(axis, of: "select")
    let size = shape[axis]
    let position = index < 0 ? index + size : index
    precondition(
      position >= 0 && position < size, "select: index \(index) of axis \(axis) of shape \(shape)")
    let view = ks_tensor_select(object, Int32(axis), Int64(position))!
    let result = Tensor(box: TensorBox.holding(view, of: box))
    return recorded(.select, result, self, saving: ghostIfRecording, integers: (axis, position)) { step in
      step.add(
        ofSlice: Slicing(index: step.integers.1, axis: step.integers.0, of: step[0].shape), to: 0)
    }
  }

  /// A view of some of the elements.
  func sliced(by slicing: Slicing) -> Tensor {
    recorded(.slice, slicing.view(of: self), self) { step in step.add(ofSlice: slicing, to: 0) }
  }

  /// A stretch of an axis. A view.
  func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    sliced(by: Slicing(range, axis: axis, of: shape))
  }

  /// A tensor that has these elements where a slicing shows them, and one value everywhere else.
  func embedded(by slicing: Slicing, in background: Double = 0) -> Tensor {
    let whole = Tensor(repeating: background, shape: slicing.shape, dtype: dtype)
    slicing.view(of: whole).fill(from: self)
    return recorded(.embed, whole, self) { step in step.add(step.gradient.sliced(by: slicing), to: 0) }
  }

  /// This tensor with the elements that a slicing shows replaced by those of `part`, broadcast and converted.
  func replacing(_ slicing: Slicing, with part: Tensor) -> Tensor {
    let part = checkedPart(part, slicing)
    let whole = copied()
    slicing.view(of: whole).fill(from: part)
    return recorded(.replace, whole, self, part) { step in
      step.add(step.gradient.replacing(slicing, with: step.gradient.number(0)), to: 0)
      step.add(step.gradient.sliced(by: slicing), to: 1)
    }
  }

  private func checkedPart(_ part: Tensor, _ slicing: Slicing) -> Tensor {
    precondition(
      part.shape.broadcast(with: slicing.sizes) == slicing.sizes,
      "subscript: a value of shape \(part.shape) does not fit a slice of shape \(slicing.sizes) "
        + "of a tensor of shape \(shape)")
    return part.cast(to: dtype)
  }

  /// Replaces the elements that a slicing shows, in place where nobody else sees them.
  mutating func replace(_ slicing: Slicing, with part: Tensor) {
    let tape = Tape.current
    let isOnTape = tape.map { $0.holds(self) || ($0.isRecording && $0.holds(part)) } ?? false
    if !isOnTape && holdsElementsAlone() {
      slicing.view(of: self).fill(from: checkedPart(part, slicing))
    } else {
      self = replacing(slicing, with: part)
    }
  }

  /// The same elements in memory of their own, in row-major order.
  func copied() -> Tensor {
    let copy = Tensor(unsetLike: self)
    copy.fill(from: self)
    return copy
  }
}

extension PullbackStep {
  /// Adds the gradient of a slice to that of the whole. In place where nothing is recorded, so that many slices of
  /// one tensor cost no more than their elements.
  func add(ofSlice slicing: Slicing, to input: Int) {
    addInPlace(to: input, shape: slicing.shape, else: gradient.embedded(by: slicing)) { whole, isZero in
      let part = slicing.view(of: whole)
      if isZero {
        part.fill(from: gradient)
      } else if part.isContiguous {
        engine.accumulate(gradient, into: part)
      } else {
        part.fill(from: engine.binary(.add, part, gradient))
      }
    }
  }
}
