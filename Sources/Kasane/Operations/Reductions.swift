// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The sum of all elements, or over the given axes, which are kept with size 1 when asked.
  public func sum(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    var kept = shape
    if let axes {
      for axis in axes { kept[self.axis(axis, of: "sum")] = 1 }
    } else {
      kept = Shape(repeating: 1, count: rank)
    }
    let result = recorded(.sum, engine.reduce(.sum, self, to: kept), self, saving: ghostIfRecording) { step in
      step.add(step.gradient.broadcast(to: step[0].shape), to: 0)
    }
    if keepingAxes || rank == 0 { return result }
    var rest = Shape()
    for axis in 0..<rank where !isReduced(axis, in: axes) { rest.append(shape[axis]) }
    return result.reshaped(to: rest)
  }

  private func isReduced(_ axis: Int, in axes: Shape?) -> Bool {
    guard let axes else { return true }
    return axes.contains(axis) || axes.contains(axis - rank)
  }

  /// The mean of all elements, or over the given axes, which are kept with size 1 when asked.
  public func mean(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    let count = axes.map { $0.reduce(1) { $0 * shape[axis($1, of: "mean")] } } ?? elementCount
    return sum(axes: axes, keepingAxes: keepingAxes) / Double(count)
  }

  /// The transpose of broadcasting: the sum over the axes along which `shape` was broadcast to this shape.
  func summed(to shape: Shape) -> Tensor {
    if hasShape(shape) { return self }
    let missing = rank - shape.count
    var kept = Shape(repeating: 1, count: missing)
    for size in shape { kept.append(size) }
    let result = recorded(.sum, engine.reduce(.sum, self, to: kept), self, saving: ghostIfRecording) { step in
      step.add(step.gradient.broadcast(to: step[0].shape), to: 0)
    }
    return missing == 0 ? result : result.reshaped(to: shape)
  }
}
