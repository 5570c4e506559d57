// SPDX-License-Identifier: Apache-2.0

/// The attention of several heads (Vaswani et al. 2017, section 3.2.2) after their projections, as one primitive of the
/// engine that never makes the weights as a whole (Dao et al. 2022): for each head
/// `softmax(query key^T * scale) value`, the heads' results side by side.
///
/// - Parameters:
///   - query: `[batch, queries, heads * size]`
///   - key: `[batch, keys, heads * size]`
///   - value: `[batch, keys, heads * outputs]`
///   - heads: How many heads there are.
///   - mask: Broadcast to `[batch, heads, queries, keys]`. Of type bool, true where a query may attend to a key; of a
///     floating-point type, it is added to the products before the softmax, and minus infinity is as good as false. The
///     result of a query that may attend to nothing is zero.
///   - keyLengths: How many of the keys there are for each of the batch, `[batch]`, int64 or int32; the others are
///     padding.
///   - isCausal: Whether query i may attend to keys 0 to i only.
///   - scale: 1 / sqrt(size) when nil.
///   - dropout: The rate at which, within `withTraining`, weights are dropped.
/// - Returns: `[batch, queries, heads * outputs]`
public func multiHeadAttention(
  _ query: Tensor, _ key: Tensor, _ value: Tensor, heads: Int, mask: Tensor? = nil, keyLengths: Tensor? = nil,
  isCausal: Bool = false, scale: Double? = nil, dropout: Double = 0
) -> Tensor {
  attention(
    [query.split(heads), key.split(heads), value.split(heads)], mask, keyLengths, isCausal, scale, dropout)
}

/// The attention of sequences to themselves where one product projected them to queries, keys and values side by side.
///
/// - Parameters:
///   - projected: `[batch, time, 3 * heads * size]`
///   - heads: How many heads there are.
///   - mask: And the others: as for queries, keys and values apart.
/// - Returns: `[batch, time, heads * size]`
public func multiHeadAttention(
  projected: Tensor, heads: Int, mask: Tensor? = nil, keyLengths: Tensor? = nil, isCausal: Bool = false,
  scale: Double? = nil, dropout: Double = 0
) -> Tensor {
  attention([projected.split(heads, parts: 3)], mask, keyLengths, isCausal, scale, dropout)
}

/// The attention of one sequence to another one that one product projected to keys and values side by side.
///
/// - Parameters:
///   - query: `[batch, queries, heads * size]`
///   - projected: `[batch, keys, 2 * heads * size]`
///   - heads: How many heads there are.
///   - mask: And the others: as for queries, keys and values apart.
/// - Returns: `[batch, queries, heads * size]`
public func multiHeadAttention(
  _ query: Tensor, projected: Tensor, heads: Int, mask: Tensor? = nil, keyLengths: Tensor? = nil,
  isCausal: Bool = false, scale: Double? = nil, dropout: Double = 0
) -> Tensor {
  attention(
    [query.split(heads), projected.split(heads, parts: 2)], mask, keyLengths, isCausal, scale, dropout)
}

/// Query, key and value: three tensors `[batch, time, heads, size]`, or fewer, of which the last has an axis of several
/// parts, `[batch, time, parts, heads, size]`.
func attention(
  _ inputs: [Tensor], _ mask: Tensor?, _ keyLengths: Tensor?, _ isCausal: Bool, _ scale: Double?,
  _ dropout: Double
) -> Tensor {
  let size = inputs[0].shape[inputs[0].rank - 1]
  let factor = scale ?? 1 / Double(Swift.max(1, size)).squareRoot()
  let parts = withoutGradient { attentionParts(inputs) }
  var call = AttentionCall(query: parts[0], key: parts[1], value: parts[2], isCausal: isCausal, scale: factor)
  check(call, mask, keyLengths)
  call.mask = mask.map { $0.withFourAxes() }
  call.keyLengths = keyLengths.map { lengths in withoutGradient { lengths.cast(to: .int64) } }
  let isDropped = dropout > 0 && isTraining
  let isMaskTracked = call.mask.map { mask in Tape.recording?.holds(mask) ?? false } ?? false
  // The primitive's own backward is not recorded and knows no gradient of the mask.
  guard !isDropped, !isMaskTracked, !Tape.isNested, call.query.elementCount > 0, call.key.elementCount > 0,
    call.value.elementCount > 0, engine.hasFusedAttention(for: call)
  else {
    let parts = attentionParts(inputs)
    return composedAttention(
      AttentionCall(
        query: parts[0], key: parts[1], value: parts[2], mask: call.mask, keyLengths: call.keyLengths,
        isCausal: isCausal, scale: factor), dropout: dropout)
  }
  if let mask = call.mask, mask.dtype != .bool {
    call.mask = withoutGradient { mask.cast(to: .float32) }
  }
  let (output, logarithms) = engine.attention(call)
  guard let tape = Tape.recording else { return output }
  let options = AttentionOptions(
    isCausal: isCausal, hasMask: call.mask != nil, hasLengths: call.keyLengths != nil)
  let saved = inputs + [output, logarithms] + [call.mask, call.keyLengths].compactMap(\.self)
  tape.record(
    .attention, output, inputs: inputs, saving: saved,
    integers: (options.rawValue, Int(bitPattern: UInt(factor.bitPattern)))
  ) { step in
    let count = step.inputCount
    let options = AttentionOptions(rawValue: step.integers.0)
    let inputs = (0..<count).map { step[$0] }
    let parts = attentionParts(inputs)
    var call = AttentionCall(
      query: parts[0], key: parts[1], value: parts[2], isCausal: options.contains(.isCausal),
      scale: Double(bitPattern: UInt64(UInt(bitPattern: step.integers.1))))
    if options.contains(.hasMask) { call.mask = step[count + 2] }
    if options.contains(.hasLengths) { call.keyLengths = step[count + (call.mask == nil ? 2 : 3)] }
    let gradients = inputs.map { Tensor(unsetWithShape: $0.shape, dtype: $0.dtype) }
    let places = attentionParts(gradients)
    engine.attentionGradient(
      call, output: step[count], logarithms: step[count + 1],
      gradient: step.gradient.cast(to: step[count].dtype),
      into: AttentionGradients(query: places[0], key: places[1], value: places[2]))
    for (place, gradient) in gradients.enumerated() { step.add(gradient, to: place) }
  }
  return output
}

/// What a recorded attention notes of its call.
private struct AttentionOptions: OptionSet {
  let rawValue: Int
  static let isCausal = AttentionOptions(rawValue: 1)
  static let hasMask = AttentionOptions(rawValue: 2)
  static let hasLengths = AttentionOptions(rawValue: 4)

  init(rawValue: Int) { self.rawValue = rawValue }
  init(isCausal: Bool, hasMask: Bool, hasLengths: Bool) {
    rawValue = (isCausal ? 1 : 0) + (hasMask ? 2 : 0) + (hasLengths ? 4 : 0)
  }
}

/// Query, key and value as three tensors `[batch, time, heads, size]`.
private func attentionParts(_ inputs: [Tensor]) -> [Tensor] {
  if inputs.count == 3 { return inputs }
  let joined = inputs[inputs.count - 1]
  return inputs.dropLast() + (0..<joined.shape[2]).map { joined.select($0, axis: 2) }
}

private func check(_ call: AttentionCall, _ mask: Tensor?, _ lengths: Tensor?) {
  let (query, key, value) = (call.query.shape, call.key.shape, call.value.shape)
  precondition(
    query[0] == key[0] && query[2] == key[2] && query[3] == key[3] && value.dropLast() == key.dropLast(),
    "multiHeadAttention: queries of shape \(query), keys of shape \(key) and values of shape \(value), with the heads as "
      + "third axis, do not fit")
  if let mask {
    precondition(
      mask.rank <= 4 && mask.shape.broadcast(with: call.weightsShape) == call.weightsShape,
      "multiHeadAttention: a mask of shape \(mask.shape) for weights of shape \(call.weightsShape)")
  }
  if let lengths {
    precondition(
      lengths.shape == Shape(query[0]) && (lengths.dtype == .int64 || lengths.dtype == .int32),
      "multiHeadAttention: key lengths of shape \(lengths.shape), \(lengths.dtype), for a batch of \(query[0])"
    )
  }
}

/// The same from plain operations.
func composedAttention(_ call: AttentionCall, dropout: Double) -> Tensor {
  let (query, key, value) = (
    call.query.permuted([0, 2, 1, 3]), call.key.permuted([0, 2, 1, 3]), call.value.permuted([0, 2, 1, 3])
  )
  var (added, allowed) = (call.mask, Tensor?.none)
  if added?.dtype == .bool { (added, allowed) = (nil, added) }
  if let lengths = call.keyLengths {
    let isKey = withoutGradient {
      Tensor.arange(key.shape[2]) .< lengths.reshaped(to: [lengths.shape[0], 1, 1, 1])
    }
    allowed = allowed.map { $0 .& isKey } ?? isKey
  }
  let weights = attentionWeights(
    query, key, added: added, allowed: allowed, isCausal: call.isCausal, scale: call.scale)
  let result = matmul(TrainingContext.dropped(weights, rate: dropout), value)
  return result.permuted([0, 2, 1, 3]).reshaped(
    to: Shape(query.shape[0], query.shape[2], query.shape[1] * value.shape[3]))
}

extension Tensor {
  /// `[batch, time, heads * size]` as `[batch, time, heads, size]`, or with several parts
  /// `[batch, time, parts, heads, size]`.
  fileprivate func split(_ heads: Int, parts: Int = 1) -> Tensor {
    precondition(
      rank == 3 && heads > 0 && shape[2] % (parts * heads) == 0,
      "multiHeadAttention: shape \(shape), not [batch, time, features] whose features divide into "
        + "\(parts == 1 ? "" : "\(parts) times ")\(heads) heads")
    let size = shape[2] / (parts * heads)
    return reshaped(
      to: parts == 1 ? [shape[0], shape[1], heads, size] : [shape[0], shape[1], parts, heads, size])
  }

  /// With leading axes of size 1 up to four.
  fileprivate func withFourAxes() -> Tensor {
    if rank == 4 { return self }
    return reshaped(to: Shape(Array(repeating: 1, count: 4 - rank) + Array(shape)))
  }
}
