// SPDX-License-Identifier: Apache-2.0

/// How much each query attends to each key (Vaswani et al. 2017): the softmax over the keys of
/// `query key^T * scale`.
///
/// - Parameters:
///   - query: `[..., queries, size]`
///   - key: `[..., keys, size]`
///   - mask: Broadcast to `[..., queries, keys]`. Of type bool, true where a query may attend to a key. Of a
///     floating-point type, it is added to the products before the softmax, and minus infinity is as good as false. A
///     query that may attend to nothing has weights of zero.
///   - isCausal: Whether query i may attend to keys 0 to i only; see also `causalMask`.
///   - scale: 1 / sqrt(size) when nil.
/// - Returns: `[..., queries, keys]`
public func attentionWeights(
  _ query: Tensor, _ key: Tensor, mask: Tensor? = nil, isCausal: Bool = false, scale: Double? = nil
) -> Tensor {
  precondition(
    query.rank >= 2 && key.rank >= 2 && query.shape[query.rank - 1] == key.shape[key.rank - 1],
    "attention: queries of shape \(query.shape) and keys of shape \(key.shape) do not fit")
  let factor = scale ?? 1 / Double(Swift.max(1, query.shape[query.rank - 1])).squareRoot()
  let isBool = mask?.dtype == .bool
  return attentionWeights(
    query, key, added: isBool ? nil : mask, allowed: isBool ? mask : nil, isCausal: isCausal, scale: factor)
}

/// The same with what is added to the products and what a query may attend to, of which both may be given.
func attentionWeights(
  _ query: Tensor, _ key: Tensor, added: Tensor?, allowed: Tensor?, isCausal: Bool, scale: Double
) -> Tensor {
  var scores = matmul(query * scale, key.transposed())
  for mask in [added, allowed] {
    guard let mask else { continue }
    precondition(
      mask.shape.broadcast(with: scores.shape) == scores.shape,
      "attention: a mask of shape \(mask.shape) for weights of shape \(scores.shape)")
  }
  var allowed = allowed
  if isCausal {
    let past = causalMask(queries: query.shape[query.rank - 2], keys: key.shape[key.rank - 2])
    allowed = allowed.map { $0 .& past } ?? past
  }
  if let added {
    scores = scores + added.cast(to: scores.dtype)
    let isFinite = withoutGradient { added .> -Double.infinity }
    allowed = allowed.map { $0 .& isFinite } ?? isFinite
  }
  guard let allowed else { return softmax(scores) }
  // A finite number, for a row of nothing but infinities would be NaN. It vanishes beside any number that counts.
  let weights = softmax(Tensor.where(allowed, scores, scores.dtype == .float16 ? -65504 : -1e30))
  return Tensor.where(allowed, weights, 0)
}

/// Attention (Vaswani et al. 2017, equation 1): for each query the mean of the values, weighted by how much the query
/// attends to their keys.
///
/// - Parameters:
///   - query: `[..., queries, size]`
///   - key: `[..., keys, size]`
///   - value: `[..., keys, outputs]`
///   - mask: As for `attentionWeights`.
///   - isCausal: Whether query i may attend to keys 0 to i only.
///   - scale: 1 / sqrt(size) when nil.
///   - dropout: The rate at which, within `withTraining`, weights are dropped.
/// - Returns: `[..., queries, outputs]`
public func scaledDotProductAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, mask: Tensor? = nil, isCausal: Bool = false,
  scale: Double? = nil, dropout: Double = 0
) -> Tensor {
  precondition(
    value.rank >= 2 && key.rank >= 2 && value.shape[value.rank - 2] == key.shape[key.rank - 2],
    "attention: keys of shape \(key.shape) and values of shape \(value.shape) do not fit")
  if query.rank == 4, key.rank == 4, value.rank == 4, query.shape[0] == key.shape[0],
    query.shape[1] == key.shape[1], query.shape[3] == key.shape[3],
    value.shape[0] == key.shape[0], value.shape[1] == key.shape[1], mask.map({ $0.rank <= 4 }) ?? true
  {
    // Heads and time exchanged, as the primitive takes them.
    let result = attention(
      [query, key, value].map { $0.permuted([0, 2, 1, 3]) }, mask, nil, isCausal, scale, dropout)
    return result.reshaped(to: [query.shape[0], query.shape[2], query.shape[1], value.shape[3]])
      .permuted([0, 2, 1, 3])
  }
  let weights = attentionWeights(query, key, mask: mask, isCausal: isCausal, scale: scale)
  return matmul(TrainingContext.dropped(weights, rate: dropout), value)
}

/// Where a query may attend to a key when none may look ahead: query i stands at the place `offset + i` of the keys,
/// so that with `offset` keys from before, the new ones see all of those.
///
/// - Returns: `[queries, keys]`, of type bool
public func causalMask(queries: Int, keys: Int, offset: Int = 0) -> Tensor {
  withoutGradient {
    let rows = Tensor.arange(from: offset, to: offset + queries).reshaped(to: [queries, 1])
    return rows .>= Tensor.arange(keys)
  }
}
