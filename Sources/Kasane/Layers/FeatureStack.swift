// SPDX-License-Identifier: Apache-2.0

/// Features that grow along the last axis: what a densely connected block hands from layer to layer (Huang et al. 2017).
///
/// It is a concatenation whose memory is taken once, so that appending copies only what is new:
///
///     var features = FeatureStack(x, capacity: x.shape[3] + layers.count * growth)
///     for layer in layers { features.append(layer(features.value)) }
public struct FeatureStack: ~Copyable {
  private let memory: Tensor
  /// All features so far, a view `[..., features]`. Earlier values stay as they are.
  public private(set) var value: Tensor

  /// A stack that begins with `first` and has room for `capacity` features in all.
  public init(_ first: Tensor, capacity: Int) {
    let shape = first.shape
    precondition(
      first.rank > 0 && shape[first.rank - 1] <= capacity,
      "FeatureStack: features of shape \(shape) with a capacity of \(capacity)")
    memory = Tensor(
      unsetWithShape: shape.replacing(at: first.rank - 1, with: capacity), dtype: first.dtype)
    value = first
    value = extended(from: 0, by: first, after: nil)
  }

  /// Lays further features, of the same other axes and type, behind those so far.
  public mutating func append(_ features: Tensor) {
    let axis = value.rank - 1, count = value.shape[axis]
    let shape = features.shape
    precondition(
      features.rank == value.rank && features.dtype == value.dtype
        && shape.replacing(at: axis, with: count) == value.shape && count + shape[axis] <= memory.shape[axis],
      "FeatureStack: \(shape) \(features.dtype) behind \(value.shape) \(value.dtype), "
        + "with room for \(memory.shape[axis])")
    value = extended(from: count, by: features, after: value)
  }

  private func extended(from start: Int, by new: Tensor, after earlier: Tensor?) -> Tensor {
    let axis = memory.rank - 1, end = start + new.shape[axis]
    let all = withoutGradient {
      memory.sliced(start..<end, axis: axis).fill(from: new)
      return memory.sliced(0..<end, axis: axis)
    }
    guard let earlier else {
      return recorded(.concatenate, all, new) { step in step.add(step.gradient, to: 0) }
    }
    return recorded(.concatenate, all, earlier, new, integers: (start, end)) { step in
      let (start, end) = step.integers, axis = step.gradient.rank - 1
      for (input, part) in [0..<start, start..<end].enumerated() {
        // A block's layers all add to the parts of one gradient.
        if step.ownsGradient {
          step.addOwn(part: step.gradient.sliced(part, axis: axis), to: input)
        } else {
          step.add(step.gradient.sliced(part, axis: axis), to: input)
        }
      }
    }
  }
}
