// SPDX-License-Identifier: Apache-2.0

/// The cross-entropy between the softmax of logits and labels, position by position.
public struct CrossEntropyCall {
  /// `[..., classes]`, of a floating-point type.
  public let logits: Tensor
  /// `[...]`, int64, contiguous.
  public let labels: Tensor
  /// A label whose positions have no loss.
  public let ignoredIndex: Int?
  /// This share of the right class's probability is spread evenly over all classes.
  public let labelSmoothing: Double

  init(logits: Tensor, labels: Tensor, ignoredIndex: Int?, labelSmoothing: Double) {
    (self.logits, self.labels, self.ignoredIndex, self.labelSmoothing) =
      (logits, labels, ignoredIndex, labelSmoothing)
  }
}

extension Engine {
  /// The logarithms of the softmax, of which those of the labels are taken. There is nothing for the gradient to know.
  public func crossEntropy(_ call: CrossEntropyCall) -> (losses: Tensor, statistics: Tensor) {
    (composedCrossEntropy(call), Tensor(zeros: [0]))
  }

  /// The softmax less what is right, times the gradient of the position's loss.
  public func crossEntropyGradient(_ call: CrossEntropyCall, statistics: Tensor, gradient: Tensor) -> Tensor {
    composedCrossEntropyGradient(call, gradient)
  }

  func composedCrossEntropy(_ call: CrossEntropyCall) -> Tensor {
    withoutGradient {
      let labels = CheckedLabels("crossEntropy", call.labels, call.logits, nil, call.ignoredIndex)
      let logProbabilities = logSoftmax(call.logits.cast(to: call.wideType))
      let losses = labels.losses(logProbabilities)
      guard call.labelSmoothing > 0 else { return losses }
      let spread = labels.masked(-logProbabilities.mean(axes: [-1]))
      return (1 - call.labelSmoothing) * losses + call.labelSmoothing * spread
    }
  }

  func composedCrossEntropyGradient(_ call: CrossEntropyCall, _ gradient: Tensor) -> Tensor {
    withoutGradient {
      let classes = call.logits.shape[call.logits.rank - 1]
      let labels = CheckedLabels("crossEntropy", call.labels, call.logits, nil, call.ignoredIndex)
      let probabilities = softmax(call.logits.cast(to: call.wideType))
      let numbers = Tensor((0..<classes).map { Int64($0) })
      let isRight = (labels.labels.expanded(axis: -1) .== numbers).cast(to: call.wideType)
      let right = (1 - call.labelSmoothing) * isRight + call.labelSmoothing / Double(max(classes, 1))
      let scale = labels.masked(gradient.cast(to: call.wideType)).expanded(axis: -1)
      return ((probabilities - right) * scale).cast(to: call.logits.dtype)
    }
  }
}

extension CrossEntropyCall {
  /// The type of the losses.
  var wideType: DType { logits.dtype == .float64 ? .float64 : .float32 }
}
