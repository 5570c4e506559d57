// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// The processor: oneDNN for large products, Kasane's own vectorised kernels for the rest.
struct CPUEngine: Engine {
  var description: String { "cpu, oneDNN \(String(cString: cdnn_version()))" }

  func fill(_ target: Tensor, with value: Double) { ks_fill(target.object, value) }

  func copy(_ x: Tensor, into target: Tensor) { ks_copy(target.object, x.object) }

  func scalar(_ x: Tensor) -> Double { ks_scalar(x.object) }
}

extension Tensor {
  var floats: UnsafeMutablePointer<Float> {
    object.pointee.data!.assumingMemoryBound(to: Float.self)
  }
}
