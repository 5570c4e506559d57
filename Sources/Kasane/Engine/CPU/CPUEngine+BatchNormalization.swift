// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Kernels for float32 and bfloat16.
extension CPUEngine {
  func batchNorm(_ call: BatchNormCall) -> (value: Tensor, mean: Tensor, variance: Tensor) {
    guard call.isFused else { return composedBatchNorm(call) }
    let call = call.readable()
    let mean = Tensor(unsetWithShape: Shape(call.x.shape[call.x.rank - 1]), dtype: .float32)
    let variance = Tensor(unsetLike: mean)
    let y = Tensor(unsetWithShape: call.x.shape, dtype: call.x.dtype)
    var task = ks_batch_norm(call, mean: mean, variance: variance)
    task.y = y.data
    withExtendedLifetime((call, mean, variance, y)) {
      Self.check(ks_batch_norm_statistics(&task), call)
      Self.check(ks_batch_norm_apply(&task), call)
    }
    return (y, mean, variance)
  }

  func batchNorm(_ call: BatchNormCall, mean: Tensor, variance: Tensor) -> Tensor {
    guard call.isFused else { return composedBatchNorm(call, mean: mean, variance: variance) }
    let call = call.readable()
    let (mean, variance) = (mean.contiguous(), variance.contiguous())
    let y = Tensor(unsetWithShape: call.x.shape, dtype: call.x.dtype)
    var task = ks_batch_norm(call, mean: mean, variance: variance)
    task.y = y.data
    withExtendedLifetime((call, mean, variance, y)) { Self.check(ks_batch_norm_apply(&task), call) }
    return y
  }

  func batchNormGradient(_ call: BatchNormCall, _ backward: BatchNormBackward) -> BatchNormGradients {
    guard call.isFused else { return composedBatchNormGradient(call, backward) }
    let call = call.readable()
    let gradient = backward.gradient.contiguous()
    let value = backward.value?.contiguous()
    let scale = Tensor(unsetLike: backward.mean), shift = Tensor(unsetLike: backward.mean)
    var result = BatchNormGradients(x: nil, residual: nil, scale: scale, shift: shift)
    var task = ks_batch_norm(call, mean: backward.mean, variance: backward.variance)
    task.gradient = UnsafeRawPointer(gradient.data)
    if let value { task.y = value.data }
    (task.scale_gradient, task.shift_gradient) = (scale.floats, shift.floats)
    // A total whose rows do not lie evenly is added to afterwards.
    var late: Tensor?
    if backward.needsInput {
      let total = backward.total
      let isInPlace = total.map { ks_row_stride($0.object) > 0 } ?? false
      let x = isInPlace ? total! : Tensor(unsetWithShape: call.x.shape, dtype: call.x.dtype)
      task.x_gradient = x.data
      task.x_gradient_row = ks_row_stride(x.object)
      task.accumulates = isInPlace
      result.x = x
      if !isInPlace { late = total }
    }
    if backward.needsResidual {
      // What does not pass a rectifier arrives as it is.
      let residual = call.rectifies ? Tensor(unsetLike: gradient) : gradient
      if call.rectifies { task.residual_gradient = residual.data }
      result.residual = residual
    }
    withExtendedLifetime((call, backward, gradient, value, result)) {
      Self.check(ks_batch_norm_gradient(&task), call)
    }
    if let late {
      copy(binary(.add, late, result.x!), into: late)
      result.x = late
    }
    return result
  }

  private static func check(_ status: Int32, _ call: BatchNormCall) {
    if status != Int32(KS_DONE) {
      fatalError("out of memory: no room to normalise a tensor of shape \(call.x.shape)")
    }
  }
}

extension BatchNormCall {
  fileprivate var isFused: Bool { x.dtype == .float32 || x.dtype == .bfloat16 }

  /// The same with the layouts that the kernels take.
  fileprivate func readable() -> BatchNormCall {
    var call = self
    if ks_row_stride(x.object) < 0 { call.x = x.contiguous() }
    call.residual = residual?.contiguous()
    call.scale = scale?.contiguous()
    call.shift = shift?.contiguous()
    return call
  }
}

extension ks_batch_norm {
  fileprivate init(_ call: BatchNormCall, mean: Tensor, variance: Tensor) {
    let x = call.x.object
    let channels = call.x.shape[call.x.rank - 1]
    self.init(
      rows: ks_tensor_count(x) / Int64(channels), channels: Int64(channels), x_row: ks_row_stride(x),
      dtype: x.pointee.dtype, rectifies: call.rectifies, epsilon: call.epsilon, x: x.pointee.data!,
      residual: call.residual.map { UnsafeRawPointer($0.data) },
      scale: call.scale.map { UnsafePointer($0.floats) }, shift: call.shift.map { UnsafePointer($0.floats) },
      mean: mean.floats, variance: variance.floats, y: x.pointee.data!, gradient: nil, x_gradient: nil,
      x_gradient_row: 0, accumulates: false, residual_gradient: nil, scale_gradient: nil, shift_gradient: nil)
  }
}
