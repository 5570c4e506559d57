// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func gatedTanh(_ x: Tensor) -> Tensor {
    guard x.dtype == .float32 || x.dtype == .bfloat16 else { return composedGatedTanh(x) }
    let x = x.contiguous()
    var shape = x.shape
    shape[x.rank - 1] /= 2
    let y = Tensor(unsetWithShape: shape, dtype: x.dtype)
    withExtendedLifetime(x) { ks_gated_tanh(y.object, x.object) }
    return y
  }

  func gatedTanhGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    guard x.dtype == .float32 || x.dtype == .bfloat16, gradient.dtype == x.dtype else {
      return composedGatedTanhGradient(gradient, x)
    }
    let (gradient, x) = (gradient.contiguous(), x.contiguous())
    let result = Tensor(unsetLike: x)
    withExtendedLifetime((gradient, x)) {
      ks_gated_tanh_gradient(result.object, gradient.object, x.object)
    }
    return result
  }
}
