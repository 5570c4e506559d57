// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The largest element over the axes, of which there must be at least one; NaN beats every number. The elements
  /// that are equally large share the gradient evenly.
  public func max(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    extremum(.maximum, axes, keepingAxes, of: "max")
  }

  /// The smallest element over the axes, of which there must be at least one; NaN beats every number. The elements
  /// that are equally small share the gradient evenly.
  public func min(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    extremum(.minimum, axes, keepingAxes, of: "min")
  }

  private func extremum(
    _ primitive: ReductionPrimitive, _ axes: Shape?, _ keepingAxes: Bool, of name: String
  ) -> Tensor {
    let reduced = ReducedShape(self, over: axes, of: name)
    guard elementCount > 0 else {
      precondition(reduced.kept.elementCount == 0, "\(name): no elements over the axes of shape \(shape)")
      return reduced.result(Tensor(unsetWithShape: reduced.kept, dtype: dtype), keepingAxes: keepingAxes)
    }
    let y = engine.reduce(primitive, self, to: reduced.kept)
    let result = recorded(
      primitive == .maximum ? .maximumOverAxes : .minimumOverAxes, y, self, saving: self, y
    ) { step in
      let share = withoutGradient { () -> Tensor in
        let isExtreme = (step[0] .== step[1]).cast(to: step[0].dtype)
        return isExtreme / isExtreme.summed(to: step[1].shape)
      }
      step.add(step.gradient * share, to: 0)
    }
    return reduced.result(result, keepingAxes: keepingAxes)
  }

  /// Where along an axis the largest element is, int64, the first of several; without an axis, its place among all
  /// elements in row-major order. NaN counts as the largest.
  public func argmax(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    argument(.maximum, axis, keepingAxis, of: "argmax")
  }

  /// Where along an axis the smallest element is, int64, the first of several; without an axis, its place among all
  /// elements in row-major order. NaN counts as the smallest.
  public func argmin(axis: Int? = nil, keepingAxis: Bool = false) -> Tensor {
    argument(.minimum, axis, keepingAxis, of: "argmin")
  }

  private func argument(
    _ primitive: ReductionPrimitive, _ axis: Int?, _ keepingAxis: Bool, of name: String
  ) -> Tensor {
    withoutGradient {
      let x = axis == nil ? reshaped(to: Shape(elementCount)) : self
      let axis = x.axis(axis ?? 0, of: name)
      var kept = x.shape
      kept[axis] = 1
      precondition(
        x.shape[axis] > 0 || kept.elementCount == 0,
        "\(name): no elements along axis \(axis) of shape \(shape)")
      guard x.elementCount > 0 else {
        let none = Tensor(unsetWithShape: kept, dtype: .int64)
        return keepingAxis ? none : none.reshaped(to: x.shape.removing(at: axis))
      }
      let places = engine.argument(primitive, x, axis: axis)
      guard keepingAxis else { return places }
      return places.reshaped(to: self.rank == kept.count ? kept : Shape(repeating: 1, count: rank))
    }
  }
}
