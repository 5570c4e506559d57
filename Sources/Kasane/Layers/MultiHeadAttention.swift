// SPDX-License-Identifier: Apache-2.0

/// Attention of several heads, each with its own projections (Vaswani et al. 2017, section 3.2.2): of a sequence to
/// itself, or to another one.
///
/// PyTorch keeps the transposes of the first three weights below each other as `in_proj_weight`, and that of the last
/// as `out_proj.weight`.
public struct MultiHeadAttention: Layer {
  /// The projection of the queries, to `heads * headSize`.
  public let query: Linear
  /// The projection of the keys, to `heads * headSize`.
  public let key: Linear
  /// The projection of the values, to `heads * headSize`.
  public let value: Linear
  /// The projection of all heads' results together.
  public let output: Linear
  /// The number of heads.
  public let heads: Int
  /// The rate at which, in training, weights of attention are dropped.
  public let dropout: Double

  /// A layer with random weights.
  ///
  /// - Parameters:
  ///   - features: The size of queries and results.
  ///   - heads: The number of heads.
  ///   - headSize: The size of each head; features / heads when nil.
  ///   - keyFeatures: The size of keys before their projection; as `features` when nil.
  ///   - valueFeatures: The size of values before their projection; as keys when nil.
  public init(
    _ features: Int, heads: Int, headSize: Int? = nil, keyFeatures: Int? = nil, valueFeatures: Int? = nil,
    bias: Bool = true, dropout: Double = 0, initializer: Initializer = .glorotUniform,
    using generator: inout RandomGenerator
  ) {
    precondition(
      heads > 0 && (headSize != nil || features % heads == 0),
      "MultiHeadAttention: \(features) features in \(heads) heads")
    precondition(dropout >= 0 && dropout <= 1, "MultiHeadAttention: a dropout of \(dropout), outside 0 to 1")
    let size = heads * (headSize ?? features / heads)
    func linear(_ inputs: Int, _ outputs: Int) -> Linear {
      Linear(inputs, outputs, bias: bias, initializer: initializer, using: &generator)
    }
    query = linear(features, size)
    key = linear(keyFeatures ?? features, size)
    value = linear(valueFeatures ?? keyFeatures ?? features, size)
    output = linear(size, features)
    (self.heads, self.dropout) = (heads, dropout)
  }

  /// The attention of sequences `[batch, time, features]` to themselves.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, x, x) }

  /// The attention of sequences to themselves, with what may not be attended to.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor? = nil, keyPadding: Tensor? = nil, isCausal: Bool
  ) -> Tensor {
    self(x, x, x, mask: mask, keyPadding: keyPadding, isCausal: isCausal)
  }

  /// The attention of one sequence to another.
  ///
  /// - Parameters:
  ///   - queries: `[batch, queries, features]`
  ///   - keys: `[batch, keys, keyFeatures]`
  ///   - values: `[batch, keys, valueFeatures]`
  ///   - mask: `[queries, keys]`, `[batch, queries, keys]` or, different for each head,
  ///     `[batch, heads, queries, keys]`. Of type bool, true where a query may attend to a key; of a floating-point
  ///     type, it is added before the softmax.
  ///   - keyPadding: `[batch, keys]`, of type bool, true for keys that are padding, to which nothing attends.
  ///   - isCausal: Whether query i may attend to keys 0 to i only.
  /// - Returns: `[batch, queries, features]`
  public func callAsFunction(
    _ queries: Tensor, _ keys: Tensor, _ values: Tensor, mask: Tensor? = nil, keyPadding: Tensor? = nil,
    isCausal: Bool = false
  ) -> Tensor {
    reported {
      for x in [queries, keys, values] {
        precondition(
          x.rank == 3, "MultiHeadAttention: an input of \(x.rank) axes, not [batch, time, features]")
      }
      let mask = combined(mask, keyPadding, keys)
      let isSame = (queries.isSame(as: keys), keys.isSame(as: values))
      // One product with all weights side by side, and one of their gradients. In use the weights are better left as
      // they are, and a summary shows the layers one by one.
      guard let tape = Tape.recording, tape.recorder == nil, isSame.1 else {
        return output(
          multiHeadAttention(
            query(queries), key(keys), value(values), heads: heads, mask: mask, isCausal: isCausal,
            dropout: dropout))
      }
      if isSame.0 {
        let projected = Self.joined([query, key, value], queries)
        return output(
          multiHeadAttention(
            projected: projected, heads: heads, mask: mask, isCausal: isCausal, dropout: dropout))
      }
      return output(
        multiHeadAttention(
          query(queries), projected: Self.joined([key, value], keys), heads: heads, mask: mask,
          isCausal: isCausal, dropout: dropout))
    }
  }

  /// What several layers make of one input, side by side.
  private static func joined(_ layers: [Linear], _ x: Tensor) -> Tensor {
    let biases = layers.compactMap(\.bias?.value)
    return linear(
      x, Tensor.concatenate(layers.map(\.weight.value), axis: 1),
      bias: biases.isEmpty ? nil : Tensor.concatenate(biases, axis: 0))
  }

  /// How much each head attends to what: `[batch, heads, queries, keys]`.
  public func weights(
    _ queries: Tensor, _ keys: Tensor, mask: Tensor? = nil, keyPadding: Tensor? = nil, isCausal: Bool = false
  ) -> Tensor {
    attentionWeights(
      split(query(queries)), split(key(keys)), mask: combined(mask, keyPadding, keys), isCausal: isCausal)
  }

  /// `[batch, time, heads * headSize]` as `[batch, heads, time, headSize]`.
  private func split(_ x: Tensor) -> Tensor {
    x.reshaped(to: [x.shape[0], x.shape[1], heads, x.shape[2] / heads]).permuted([0, 2, 1, 3])
  }

  private func combined(_ mask: Tensor?, _ padding: Tensor?, _ keys: Tensor) -> Tensor? {
    // The mask of a batch is the same for every head.
    let mask = mask.map { $0.rank == 3 ? $0.expanded(axis: 1) : $0 }
    guard let padding else { return mask }
    precondition(
      padding.dtype == .bool && padding.shape == Shape(keys.shape.dropLast()),
      "MultiHeadAttention: key padding of shape \(padding.shape), \(padding.dtype), for keys of shape "
        + "\(keys.shape)")
    let allowed = (.!padding).reshaped(to: [keys.shape[0], 1, 1, keys.shape[1]])
    guard let mask else { return allowed }
    if mask.dtype == .bool { return mask .& allowed }
    return Tensor.where(allowed, mask, mask.dtype == .float16 ? -65504 : -1e30)
  }
}
