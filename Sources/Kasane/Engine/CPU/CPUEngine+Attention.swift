// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

extension CPUEngine {
  func hasFusedAttention(for call: AttentionCall) -> Bool {
    let dtype = call.query.dtype
    return (dtype == .float32 || dtype == .bfloat16) && call.key.dtype == dtype && call.value.dtype == dtype
  }

  func attention(_ call: AttentionCall) -> (output: Tensor, logarithms: Tensor) {
    let call = call.withDenseHeads()
    let (shape, outputs) = (call.query.shape, call.value.shape[3])
    let output = Tensor(
      unsetWithShape: Shape(shape[0], shape[1], shape[2] * outputs), dtype: call.query.dtype)
    let logarithms = Tensor(unsetWithShape: Shape(shape[0], shape[2], shape[1]), dtype: .float32)
    let mask = call.broadcastMask
    var task = ks_attention(call, mask: mask, output: output, logarithms: logarithms)
    _ = ks_adopt_threads()
    let status = ks_attention_forward(&task)
    withExtendedLifetime((call, mask)) {}
    Self.check(status, call)
    return (output, logarithms)
  }

  func attentionGradient(
    _ call: AttentionCall, output: Tensor, logarithms: Tensor, gradient: Tensor,
    into gradients: AttentionGradients
  ) {
    let call = call.withDenseHeads()
    let gradient = gradient.contiguous()
    let mask = call.broadcastMask
    var task = ks_attention(call, mask: mask, output: output, logarithms: logarithms)
    task.gradient = ks_heads(joined: gradient, size: call.value.shape[3])
    task.query_gradient = ks_heads(gradients.query)
    task.key_gradient = ks_heads(gradients.key)
    task.value_gradient = ks_heads(gradients.value)
    _ = ks_adopt_threads()
    let status = ks_attention_backward(&task)
    withExtendedLifetime((call, gradient, mask)) {}
    Self.check(status, call)
  }

  private static func check(_ status: Int32, _ call: AttentionCall) {
    if status == Int32(KS_DONE) { return }
    fatalError(
      "attention: out of memory, or oneDNN failed, for queries of shape \(call.query.shape) and keys of shape "
        + "\(call.key.shape)")
  }
}

extension AttentionCall {
  /// The same with each head's numbers side by side.
  fileprivate func withDenseHeads() -> AttentionCall {
    AttentionCall(
      query: query.withDenseLastAxis(), key: key.withDenseLastAxis(), value: value.withDenseLastAxis(),
      mask: mask, keyLengths: keyLengths?.contiguous(), isCausal: isCausal, scale: scale)
  }

  fileprivate var broadcastMask: Tensor? {
    mask.map { mask in withoutGradient { mask.broadcast(to: weightsShape) } }
  }
}

extension Tensor {
  fileprivate func withDenseLastAxis() -> Tensor {
    isContiguous || strides[rank - 1] == 1 || shape[rank - 1] == 1 ? self : contiguous()
  }
}

extension ks_heads {
  /// A tensor `[batch, time, heads, size]`.
  fileprivate init(_ x: Tensor) {
    let strides = x.object.pointee.strides
    self.init(data: x.object.pointee.data, batch: strides.0, time: strides.1, head: strides.2)
  }

  /// A contiguous tensor `[batch, time, heads * size]`.
  fileprivate init(joined x: Tensor, size: Int) {
    let strides = x.object.pointee.strides
    self.init(data: x.object.pointee.data, batch: strides.0, time: strides.1, head: Int64(size))
  }
}

extension ks_attention {
  /// What the forward pass needs; the tensors are kept alive by the caller.
  fileprivate init(_ call: AttentionCall, mask: Tensor?, output: Tensor, logarithms: Tensor) {
    self.init()
    let sizes = call.query.object.pointee.shape
    (batch, queries, heads, size) = (sizes.0, sizes.1, sizes.2, sizes.3)
    keys = call.key.object.pointee.shape.1
    outputs = call.value.object.pointee.shape.3
    dtype = call.query.object.pointee.dtype
    is_causal = call.isCausal
    scale = Float(call.scale)
    product = cdnn_sgemm
    (query, key, value) = (ks_heads(call.query), ks_heads(call.key), ks_heads(call.value))
    if let mask {
      let strides = mask.object.pointee.strides
      self.mask = UnsafeRawPointer(mask.object.pointee.data)
      mask_strides = (strides.0, strides.1, strides.2, strides.3)
      is_mask_bool = mask.dtype == .bool
    }
    lengths = call.keyLengths.map {
      UnsafePointer($0.object.pointee.data!.assumingMemoryBound(to: Int64.self))
    }
    self.output = ks_heads(joined: output, size: Int(outputs))
    log_sums = logarithms.floats
  }
}
