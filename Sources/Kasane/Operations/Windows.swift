// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The windows of `size` neighbouring elements that begin at every `step`th place of an axis: the axis counts the
  /// windows, a new last one the elements of a window. A view, whose elements the windows share.
  public func unfolded(size: Int, step: Int = 1, axis: Int = -1) -> Tensor {
    let axis = self.axis(axis, of: "unfolded")
    precondition(
      size > 0 && step > 0 && size <= shape[axis],
      "unfolded: windows of \(size) in steps of \(step) along axis \(axis) of shape \(shape)")
    var (sizes, strides) = (shape, self.strides)
    sizes[axis] = (shape[axis] - size) / step + 1
    sizes.append(size)
    strides.append(strides[axis])
    strides[axis] *= step
    let length = shape[axis]
    return recorded(.unfold, view(sizes, strides: strides), self) { gradient in
      gradient.add(gradient.gradient.folded(to: length, step: step, axis: axis), to: 0)
    }
  }

  /// The transpose of `unfolded`: windows, whose elements are the last axis, laid over each other and added up.
  func folded(to length: Int, step: Int, axis: Int) -> Tensor {
    let size = shape[rank - 1]
    let reach = (shape[axis] - 1) * step + 1
    let result = Tensor(zeros: shape.removing(at: rank - 1).replacing(at: axis, with: length), dtype: dtype)
    withoutGradient {
      for place in 0..<size where reach > 0 {
        var slicing = Slicing(place..<place + shape[axis], axis: axis, of: result.shape)
        slicing.steps[axis] = step
        let part = slicing.view(of: result)
        part.fill(from: engine.binary(.add, part, select(place, axis: -1)))
      }
    }
    return recorded(.fold, result, self) { outer in
      outer.add(outer.gradient.unfolded(size: size, step: step, axis: axis), to: 0)
    }
  }
}
