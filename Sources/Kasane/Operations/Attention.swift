// SPDX-License-Identifier: Apache-2.0

/// How much each query attends to each key (Vaswani et al. 2017): the softmax over the keys of
/// `query key^T * scale`.
///
/// - Parameters:
///   - query: `[..., queries, size]`
///   - key: `[..., keys, size]`
///   - mask: Broadcast to `[..., queries, keys]`. Of type bool, true where a query may attend to a key: a query that
///     may attend to none has weights of zero. Of a floating-point type, it is added to the products before the
///     softmax.
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
  var scores = matmul(query * factor, key.transposed())
  if let mask {
    precondition(
      mask.shape.broadcast(with: scores.shape) == scores.shape,
      "attention: a mask of shape \(mask.shape) for weights of shape \(scores.shape)")
  }
  var allowed: Tensor? = nil
  if isCausal { allowed = causalMask(queries: query.shape[query.rank - 2], keys: key.shape[key.rank - 2]) }
  if let mask, mask.dtype == .bool {
    allowed = allowed.map { $0 .& mask } ?? mask
  } else if let mask {
    scores = scores + mask.cast(to: scores.dtype)
  }
  guard let allowed else { return softmax(scores) }
  // A finite number, for a row of nothing but infinities would be NaN. It vanishes beside any number that counts.
  let weights = softmax(Tensor.where(allowed, scores, scores.dtype == .float16 ? -65504 : -1e30))
  return mask?.dtype == .bool ? Tensor.where(allowed, weights, 0) : weights
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
