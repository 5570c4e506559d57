// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func hasFusedLayerNorm(for x: Tensor) -> Bool { x.dtype == .float32 || x.dtype == .bfloat16 }

  func layerNorm(_ call: LayerNormCall, isTraced: Bool) -> (value: Tensor, trace: LayerNormTrace?) {
    let call = call.contiguous()
    let value = Tensor(unsetLike: call.x)
    var task = ks_layer_norm(call)
    task.y = value.object.pointee.data
    guard isTraced else {
      Self.check(withExtendedLifetime(call) { ks_layer_norm_forward(&task) }, call)
      return (value, nil)
    }
    let moments = Tensor(unsetMatrix: task.rows, 2, dtype: DType.float32.rawValue)
    let sum = call.residual == nil ? call.x : Tensor(unsetLike: call.x)
    task.moments = moments.floats
    if call.residual != nil { task.sum = sum.object.pointee.data }
    Self.check(withExtendedLifetime(call) { ks_layer_norm_forward(&task) }, call)
    return (value, LayerNormTrace(sum: sum, moments: moments))
  }

  func layerNormGradient(
    _ call: LayerNormCall, moments: Tensor, gradient: Tensor, needsInput: Bool, needsScale: Bool,
    needsShift: Bool
  ) -> LayerNormGradients {
    let (call, gradient) = (call.contiguous(), gradient.contiguous())
    let width = call.x.shape[call.x.rank - 1]
    func vector(_ isWanted: Bool) -> Tensor? {
      isWanted ? Tensor(unsetWithShape: Shape(width), dtype: .float32) : nil
    }
    let gradients = LayerNormGradients(
      x: needsInput ? Tensor(unsetLike: call.x) : nil, scale: vector(needsScale), shift: vector(needsShift))
    var task = ks_layer_norm(call)
    task.moments = moments.floats
    task.gradient = UnsafeRawPointer(gradient.object.pointee.data)
    task.x_gradient = gradients.x?.object.pointee.data
    task.scale_gradient = gradients.scale?.floats
    task.shift_gradient = gradients.shift?.floats
    Self.check(withExtendedLifetime((call, gradient)) { ks_layer_norm_backward(&task) }, call)
    return gradients
  }

  private static func check(_ status: Int32, _ call: LayerNormCall) {
    if status != Int32(KS_DONE) {
      fatalError("layerNormalization: out of memory for a tensor of shape \(call.x.shape)")
    }
  }
}

extension LayerNormCall {
  fileprivate func contiguous() -> LayerNormCall {
    LayerNormCall(
      x: x.contiguous(), residual: residual?.contiguous(), scale: scale?.contiguous(),
      shift: shift?.contiguous(),
      isCentered: isCentered, epsilon: epsilon)
  }
}

extension ks_layer_norm {
  /// What both passes need; the tensors are kept alive by the caller.
  fileprivate init(_ call: LayerNormCall) {
    let width = call.x.shape[call.x.rank - 1]
    self.init(
      rows: width == 0 ? 0 : Int64(call.x.elementCount / width), width: Int64(width),
      dtype: call.x.object.pointee.dtype, is_centered: call.isCentered, epsilon: call.epsilon,
      x: call.x.object.pointee.data!, residual: UnsafeRawPointer(call.residual?.object.pointee.data),
      scale: UnsafePointer(call.scale?.floats), shift: UnsafePointer(call.shift?.floats), sum: nil, y: nil,
      moments: nil, gradient: nil, x_gradient: nil, scale_gradient: nil, shift_gradient: nil)
  }
}
