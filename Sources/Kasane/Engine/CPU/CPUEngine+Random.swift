// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func random(
    _ distribution: RandomDistribution, shape: Shape, dtype: DType, seed: UInt64, stream: UInt64,
    position: UInt64
  ) -> Tensor {
    precondition(dtype.isFloatingPoint, "random: \(dtype) where a floating-point type is needed")
    let y = Tensor(unsetWithShape: shape, dtype: dtype)
    ks_random(distribution == .normal, y.object, seed, stream, position)
    return y
  }
}
