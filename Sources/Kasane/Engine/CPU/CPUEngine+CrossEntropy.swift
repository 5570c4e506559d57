// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func crossEntropy(_ call: CrossEntropyCall) -> (losses: Tensor, statistics: Tensor) {
    guard call.hasKernel else { return (composedCrossEntropy(call), Tensor(zeros: [0])) }
    let losses = Tensor(unsetWithShape: call.labels.shape, dtype: .float32)
    let statistics = Tensor(unsetWithShape: Shape(call.labels.elementCount, 2), dtype: .float32)
    let logits = call.logits.contiguous()
    var task = ks_cross_entropy(call, logits: logits, statistics: statistics)
    task.losses = losses.floats
    let wrong = ks_cross_entropy_forward(&task)
    if wrong >= 0 {
      preconditionFailure(
        "crossEntropy: label \(task.labels[Int(wrong)]) where there are \(task.classes) classes")
    }
    withExtendedLifetime((call.labels, logits)) {}
    return (losses, statistics)
  }

  func crossEntropyGradient(_ call: CrossEntropyCall, statistics: Tensor, gradient: Tensor) -> Tensor {
    guard call.hasKernel else { return composedCrossEntropyGradient(call, gradient) }
    let (logits, gradient) = (call.logits.contiguous(), Self.cast(gradient, to: .float32).contiguous())
    let result = Tensor(unsetLike: logits)
    var task = ks_cross_entropy(call, logits: logits, statistics: statistics)
    task.gradient = UnsafePointer(gradient.floats)
    task.logits_gradient = result.data
    ks_cross_entropy_backward(&task)
    withExtendedLifetime((call.labels, logits, gradient, statistics)) {}
    return result
  }
}

extension CrossEntropyCall {
  fileprivate var hasKernel: Bool {
    (logits.dtype == .float32 || logits.dtype == .bfloat16) && logits.elementCount > 0
  }
}

extension ks_cross_entropy {
  fileprivate init(_ call: CrossEntropyCall, logits: Tensor, statistics: Tensor) {
    self.init(
      rows: Int64(call.labels.elementCount), classes: Int64(logits.shape[logits.rank - 1]),
      logits: logits.data,
      dtype: logits.dtype.rawValue, labels: call.labels.data.assumingMemoryBound(to: Int64.self),
      ignored: call.ignoredIndex.map(Int64.init) ?? Int64.min, smoothing: Float(call.labelSmoothing),
      losses: nil,
      statistics: statistics.floats, gradient: nil, logits_gradient: nil)
  }
}
