// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What the rows of the losses leave out.
@Suite struct LossTests {
  private func numbers(_ x: Tensor) -> [Double] { x.cast(to: .float64).elements() }

  @Test func labelsOfEveryWholeType() {
    let logits = Tensor([1, 2, 0.5, -1, 0, 3], shape: [2, 3])
    let expected = crossEntropy(logits, Tensor([1, 2])).scalar
    for dtype in [DType.int8, .uint8, .int32, .int64] {
      #expect(crossEntropy(logits, Tensor([1, 2]).cast(to: dtype)).scalar == expected)
    }
    let oneHot = Tensor([0.0, 1, 0, 0, 0, 1], shape: [2, 3])
    #expect(abs(crossEntropy(logits, probabilities: oneHot).scalar - expected) < 1e-12)
    #expect(abs(negativeLogLikelihood(logSoftmax(logits), Tensor([1, 2])).scalar - expected) < 1e-12)
    // One position, without a batch.
    #expect(crossEntropy(logits.select(0), Tensor(1), reduction: .none).shape == [])
  }

  @Test func ignoredPositionsHaveNoGradient() {
    let logits = Tensor([1, 2, 0.5, -1, 0, 3], shape: [2, 3])
    let labels = Tensor([-100, 0])
    let (value, slope) = valueWithGradient(at: logits) {
      crossEntropy($0, labels, ignoredIndex: -100, labelSmoothing: 0.1)
    }
    let alone = valueWithGradient(at: logits.select(1)) {
      crossEntropy($0, labels.select(1), labelSmoothing: 0.1)
    }
    #expect(abs(value.scalar - alone.value.scalar) < 1e-12)
    #expect(numbers(slope.select(0)) == [0, 0, 0])
    expectClose(slope.select(1), alone.gradient, 1e-12)
    let ignored = Tensor([-100, -100])
    #expect(crossEntropy(logits, ignored, ignoredIndex: -100).scalar.isNaN)
    #expect(crossEntropy(logits, ignored, ignoredIndex: -100, reduction: .sum).scalar == 0)
  }

  @Test func extremeLogits() {
    let x = Tensor([-1000.0, 1000, 0]).cast(to: .float32)
    let targets = Tensor([1.0, 0, 1]).cast(to: .float32)
    let (losses, slope) = valueWithGradient(at: x) {
      binaryCrossEntropy(logits: $0, targets, reduction: .sum)
    }
    #expect(abs(losses.scalar - 2000.6931) < 1e-3)
    #expect(numbers(slope) == [-1, 1, -0.5])
    let rows = Tensor([1000.0, 0, -1000], shape: [1, 3]).cast(to: .float32)
    #expect(crossEntropy(rows, Tensor([2])).scalar == 2000)
  }

  @Test func cornersOfDifferences() {
    let zero = Tensor([0.0])
    #expect(numbers(gradient(at: zero) { meanAbsoluteError($0, zero) }) == [0])
    checkGradients("huber at its middle", at: [zero]) { huberLoss($0[0], zero) }
    #expect(numbers(gradient(at: Tensor([2.0])) { huberLoss($0, zero, delta: 2) }) == [2])
    #expect(klDivergence(Tensor([-1.0, -2]), Tensor([0.0, 1]), reduction: .sum).scalar == 2)
  }

  @Test func similarityOfNothing() {
    let zero = Tensor([0.0, 0]), x = Tensor([3.0, 4])
    let (value, (ofZero, ofX)) = valueWithGradient(at: zero, x) { cosineSimilarity($0, $1) }
    #expect(value.scalar == 0 && ofZero.isFinite && ofX.isFinite)
    #expect(abs(cosineSimilarity(x, -2 * x).scalar + 1) < 1e-12)
    let losses = cosineEmbeddingLoss(
      Tensor([1.0, 0, 1, 0], shape: [2, 2]), Tensor([1.0, 0, 1, 0], shape: [2, 2]),
      targets: Tensor([1.0, -1]),
      margin: 0.25, reduction: .none)
    #expect(numbers(losses) == [0, 0.75])
  }
}
