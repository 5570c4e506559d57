// SPDX-License-Identifier: Apache-2.0

/// The attention of several heads; see `multiHeadAttention`.
public struct AttentionCall {
  /// `[batch, queries, heads, size]`
  let query: Tensor
  /// `[batch, keys, heads, size]`
  let key: Tensor
  /// `[batch, keys, heads, outputs]`
  let value: Tensor
  /// Four axes, each of size 1 or that of `[batch, heads, queries, keys]`: of type bool, or float32, which is added.
  var mask: Tensor?
  /// How many keys there are for each of the batch, `[batch]`, int64; all of them when nil.
  var keyLengths: Tensor?
  /// Whether query i attends to keys 0 to i only.
  var isCausal = false
  /// What the products of queries and keys are multiplied by.
  var scale: Double

  /// The shape that a mask broadcasts to.
  var weightsShape: Shape { [query.shape[0], query.shape[2], query.shape[1], key.shape[1]] }
}

/// Where the gradients of attention go: tensors of the shapes of query, key and value whose elements are not set, which
/// may be views.
public struct AttentionGradients {
  let query: Tensor
  let key: Tensor
  let value: Tensor
}

extension Engine {
  /// False: attention is composed from plain operations.
  public func hasFusedAttention(for call: AttentionCall) -> Bool { false }
  /// Never called while `hasFusedAttention` is false.
  public func attention(_ call: AttentionCall) -> (output: Tensor, logarithms: Tensor) {
    fatalError("\(self): no attention primitive")
  }
  /// Never called while `hasFusedAttention` is false.
  public func attentionGradient(
    _ call: AttentionCall, output: Tensor, logarithms: Tensor, gradient: Tensor,
    into gradients: AttentionGradients
  ) { fatalError("\(self): no attention primitive") }
}
