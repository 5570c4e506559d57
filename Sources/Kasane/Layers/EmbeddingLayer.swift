// SPDX-License-Identifier: Apache-2.0

/// A table that gives each index a vector, which is learnt.
public struct Embedding: Layer {
  /// The vectors, `[count, features]`.
  public let weight: Parameter
  /// The index that stands for nothing: its vector begins as zeros and gets no gradient.
  public let paddingIndex: Int?

  /// A table of random vectors.
  public init(
    _ count: Int, _ features: Int, paddingIndex: Int? = nil, initializer: Initializer = .normal,
    using generator: inout RandomGenerator
  ) {
    precondition(
      paddingIndex == nil || (0..<count).contains(paddingIndex!),
      "Embedding: a padding index of \(paddingIndex ?? 0) in a table of \(count)")
    var vectors = initializer(count, features, using: &generator)
    if let paddingIndex {
      let rows = Tensor.arange(count).reshaped(to: [count, 1])
      vectors = Tensor.where(rows .== Double(paddingIndex), 0, vectors)
    }
    weight = Parameter(vectors)
    self.paddingIndex = paddingIndex
  }

  /// The vectors `[..., features]` of whole numbers `[...]`.
  public func callAsFunction(_ indices: Tensor) -> Tensor {
    reported {
      let vectors = embedding(weight.value, indices)
      guard let paddingIndex, Tape.recording != nil else { return vectors }
      // Negative indices count from the end.
      let isPadding =
        (indices .== Double(paddingIndex)) .| (indices .== Double(paddingIndex - weight.shape[0]))
      return Tensor.where(isPadding.expanded(axis: indices.rank), vectors.detached(), vectors)
    }
  }
}
