// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The slices where a bool mask is true, in row-major order, as the first axis of the result. The mask's shape is
  /// that of this tensor's first axes. How many there are depends on the mask's values.
  public func masked(by mask: Tensor) -> Tensor {
    precondition(
      mask.dtype == .bool && mask.rank > 0 && mask.rank <= rank
        && mask.shape == Shape(shape[..<mask.rank]),
      "masked: a \(mask.dtype) mask of shape \(mask.shape) for a tensor of shape \(shape)")
    let flat = mask.rank == 1 ? self : flattened(to: mask.rank - 1)
    return flat.gathered(Tensor(mask.truePlaces()))
  }

  /// The indices of the elements that are not zero (or are true), in row-major order: `[count, rank]`, int64.
  public func nonzeroIndices() -> Tensor {
    let places = withoutGradient { cast(to: .bool) }.truePlaces()
    let sizes = shape
    return Tensor(shape: [places.count, rank], of: Int.self) { indices in
      for (row, place) in places.enumerated() {
        var rest = place
        for axis in sizes.indices.reversed() {
          indices[row * sizes.count + axis] = rest % sizes[axis]
          rest /= sizes[axis]
        }
      }
    }
  }

  /// Where in row-major order a bool tensor is true.
  private func truePlaces() -> [Int] {
    withElements(of: Bool.self) { flags in flags.indices.filter { flags[$0] } }
  }
}

/// For each index a row of `depth` elements, 1 at the index and 0 elsewhere: the shape of `indices` and a last axis
/// of size `depth`. Indices are int32 or int64 and count from the end where they are negative.
public func oneHot(_ indices: Tensor, depth: Int, dtype: DType = .float32) -> Tensor {
  precondition(depth >= 0, "oneHot: a depth of \(depth)")
  let places = indices.checkedIndices(of: "oneHot", axis: 0, shape: [depth])
  let classes = Tensor.arange(depth)
  let shape = places.shape.inserting(1, at: places.rank)
  return withoutGradient { engine.compare(.equal, places.reshaped(to: shape), classes).cast(to: dtype) }
}
