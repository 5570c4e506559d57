// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The fused cross-entropy against its composition.
@Suite struct CrossEntropyEngineTests {
  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.cast(to: .float64), b.cast(to: .float64))
    return abs(a - b).max().scalar / (Swift.max(abs(b).max().scalar, 0.1))
  }

  @Test(arguments: [[1, 1], [3, 7], [4, 5, 513], [37, 1031], [2, 10_000]] as [Shape])
  func theFusedLossEqualsItsComposition(shape: Shape) {
    var generator = RandomGenerator(seed: 7)
    let classes = shape[shape.count - 1]
    let logits = 5 * generator.normal(shape, dtype: .float32)
    let labels = Tensor(uniform: Shape(shape.dropLast()), in: 0..<classes, using: &generator)
    let gradient = generator.normal(labels.shape, dtype: .float32)
    for dtype in [DType.float32, .bfloat16] {
      for (ignored, smoothing) in [(nil, 0), (0, 0), (nil, 0.1), (classes / 2, 0.3)] as [(Int?, Double)] {
        let call = CrossEntropyCall(
          logits: logits.cast(to: dtype), labels: labels, ignoredIndex: ignored, labelSmoothing: smoothing)
        let (losses, statistics) = engine.crossEntropy(call)
        let expected = CPUEngine().composedCrossEntropy(call)
        #expect(losses.dtype == .float32 && losses.shape == labels.shape)
        #expect(difference(losses, expected) < 1e-5)
        let found = engine.crossEntropyGradient(call, statistics: statistics, gradient: gradient)
        #expect(found.dtype == dtype && found.shape == shape)
        let bound = dtype == .bfloat16 ? 0x1p-8 : 1e-5
        #expect(difference(found, CPUEngine().composedCrossEntropyGradient(call, gradient)) < bound)
      }
    }
  }

  @Test func largeLogitsDoNotOverflow() {
    let logits = Tensor([1e4, -1e4, 9_999, 3e38, 0, 0] as [Float], shape: [2, 3])
    let labels = Tensor([2, 0] as [Int64])
    let (loss, gradient) = valueWithGradient(at: logits) { crossEntropy($0, labels, reduction: .sum) }
    #expect(abs(loss.scalar - 1.3132617) < 1e-6)
    #expect(gradient.isFinite)
  }

  @Test func allIgnoredIsNotANumber() {
    let logits = Tensor(zeros: [2, 3])
    let labels = Tensor([1, 1] as [Int64])
    #expect(crossEntropy(logits, labels, ignoredIndex: 1).scalar.isNaN)
    #expect(crossEntropy(logits, labels, ignoredIndex: 1, reduction: .sum).scalar == 0)
  }
}
