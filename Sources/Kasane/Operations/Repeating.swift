// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The tensor laid side by side with itself, `counts[i]` times along axis i. Where there are more counts than
  /// axes, new axes come first; where there are fewer, they are those of the last axes.
  public func tiled(_ counts: Shape) -> Tensor {
    precondition(!counts.contains { $0 < 0 }, "tiled: \(counts) times a tensor of shape \(shape)")
    let missing = Swift.max(0, counts.count - rank)
    var result = self
    for _ in 0..<missing { result = result.expanded(axis: 0) }
    for (place, count) in counts.enumerated() where count != 1 {
      // Axis by axis, so that no more than one axis is added to those there may be.
      let axis = result.rank - counts.count + place
      let sizes = result.shape
      _ = sizes.inserting(count, at: axis).elementCount
      result = result.reshaped(to: sizes.inserting(1, at: axis))
        .broadcast(to: sizes.inserting(count, at: axis))
        .reshaped(to: sizes.replacing(at: axis, with: sizes[axis] * count))
    }
    return result
  }

  /// The tensor with every slice along an axis `count` times in a row.
  public func repeated(_ count: Int, axis: Int) -> Tensor {
    let axis = self.axis(axis, of: "repeated")
    precondition(count >= 0, "repeated: \(count) times")
    // Refuses what cannot be counted before sizes are multiplied.
    _ = shape.inserting(count, at: axis + 1).elementCount
    return reshaped(to: shape.inserting(1, at: axis + 1))
      .broadcast(to: shape.inserting(count, at: axis + 1))
      .reshaped(to: shape.replacing(at: axis, with: shape[axis] * count))
  }

  /// The tensor moved along an axis by `shift` places, what leaves at the end coming in at the beginning.
  public func rolled(by shift: Int, axis: Int) -> Tensor {
    let axis = self.axis(axis, of: "rolled")
    let size = shape[axis]
    guard size > 1 else { return self }
    let cut = ((size - shift % size) % size + size) % size
    if cut == 0 { return self }
    return Tensor.concatenate([sliced(cut..<size, axis: axis), sliced(0..<cut, axis: axis)], axis: axis)
  }
}
