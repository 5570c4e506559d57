// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// Tensors of random numbers: their distributions, by fixed seeds, and that they are functions of the generator alone.
@Suite struct RandomTests {
  private let count = 60_000

  private func numbers(_ x: Tensor) -> [Double] { x.cast(to: .float64).elements() }

  /// How far counts are from what is expected: Pearson's sum of squares, made a number of the standard normal
  /// distribution (Wilson and Hilferty 1931).
  private func deviation(_ counts: [Int], _ probabilities: [Double]) -> Double {
    let total = Double(counts.reduce(0, +))
    var (sum, freedom) = (0.0, -1.0)
    for (count, probability) in zip(counts, probabilities) where probability > 0 {
      let expected = total * probability
      sum += (Double(count) - expected) * (Double(count) - expected) / expected
      freedom += 1
    }
    let spread = 2 / (9 * freedom)
    return (cbrt(sum / freedom) - (1 - spread)) / spread.squareRoot()
  }

  private func counts(_ x: Tensor, _ classes: Int) -> [Int] {
    var counts = [Int](repeating: 0, count: classes)
    for number in x.elements(as: Int64.self) { counts[Int(number)] += 1 }
    return counts
  }

  private static let makers: [@Sendable (Shape, inout RandomGenerator) -> Tensor] = [
    { Tensor(uniform: $0, in: -3..<9, using: &$1) },
    { Tensor(truncatedNormal: $0, using: &$1) },
    { Tensor(bernoulli: $0, probability: 0.3, using: &$1) },
  ]

  @Test(arguments: makers.indices)
  func tensorsAreFunctionsOfTheGenerator(_ index: Int) {
    let make = Self.makers[index]
    var random = RandomGenerator(seed: 5, stream: 2, position: 7)
    var same = random
    let whole = make([3, 5], &random)
    #expect(whole.shape == [3, 5])
    let parts = Tensor.concatenate([make([4], &same), make([11], &same)])
    #expect(numbers(whole) == numbers(parts))
    #expect(random == same && random.position == 7 + 15)
    #expect(numbers(make([3, 5], &random)) != numbers(whole))
    #expect(make([0, 2], &random).shape == [0, 2])
  }

  @Test func wholeNumbersInARange() {
    var random = RandomGenerator(seed: 1)
    let x = Tensor(uniform: [count], in: -4..<8, using: &random)
    #expect(x.dtype == .int64 && x.min().elements() == [-4] && x.max().elements() == [7])
    #expect(abs(deviation(counts(x + Tensor(4), 12), [Double](repeating: 1.0 / 12, count: 12))) < 4)
    let bytes = Tensor(uniform: [count], in: 0..<256, dtype: .uint8, using: &random)
    #expect(bytes.dtype == .uint8 && bytes.min().scalar == 0 && bytes.max().scalar == 255)
    #expect(Tensor(uniform: [3], in: 5..<6, using: &random).elements() == [5, 5, 5])
    let far = Tensor(uniform: [100], in: (1 << 60)..<(1 << 60 + 4), using: &random)
    #expect(Set(far.elements(as: Int64.self)) == Set((0..<4).map { 1 << 60 + $0 }))
  }

  /// Against the distribution function, in twenty stretches that should be equally full.
  @Test(arguments: [(-2.0, 2.0), (-0.5, 3), (1, 2.5), (-7, -1), (-.infinity, .infinity)])
  func truncatedNormal(_ lower: Double, _ upper: Double) {
    var random = RandomGenerator(seed: 2)
    let (mean, scale) = (3.0, 2.0)
    let bounds = (mean + scale * lower, mean + scale * upper)
    let x = Tensor(
      truncatedNormal: [count], mean: mean, standardDeviation: scale, from: bounds.0, to: bounds.1,
      dtype: .float64, using: &random)
    #expect(x.min().scalar >= bounds.0 && x.max().scalar <= bounds.1)
    func probability(_ z: Double) -> Double { (1 + errorFunction(z / 2.0.squareRoot())) / 2 }
    let (first, last) = (probability(lower), probability(upper))
    var counts = [Int](repeating: 0, count: 20)
    var uniform = RandomGenerator(seed: 2)
    var worst = 0.0
    for number in x.elements(as: Double.self) {
      let place = (probability((number - mean) / scale) - first) / (last - first)
      counts[min(19, Int(20 * place))] += 1
      worst = max(worst, abs(place - uniform.uniform()))
    }
    #expect(abs(deviation(counts, [Double](repeating: 0.05, count: 20))) < 4)
    #expect(worst < 1e-9, "the distribution function of the numbers is \(worst) from the uniform ones")
  }

  @Test func truncatedNormalByDefault() {
    var random = RandomGenerator(seed: 3)
    let x = Tensor(truncatedNormal: [count], standardDeviation: 0.5, using: &random)
    #expect(x.dtype == .float32 && x.max().scalar <= 1 && x.min().scalar >= -1)
    #expect(abs(x.mean().scalar) < 0.008)
    // 1 - 4 phi(2) / (2 Phi(2) - 1) of the variance remains.
    #expect(abs(x.variance().scalar / 0.25 - 0.7737) < 0.02)
    let point = Tensor(truncatedNormal: [2], mean: 1, standardDeviation: 0, using: &random)
    #expect(numbers(point) == [1, 1])
  }

  @Test func bernoulli() {
    var random = RandomGenerator(seed: 4)
    let x = Tensor(bernoulli: [count], probability: 0.3, using: &random)
    #expect(Set(numbers(x)) == [0, 1] && x.dtype == .float32)
    #expect(abs(x.mean().scalar - 0.3) < 4 * (0.21 / Double(count)).squareRoot())
    #expect(Tensor(bernoulli: [9], probability: 0, dtype: .bool, using: &random).any().elements() == [false])
    #expect(Tensor(bernoulli: [9], probability: 1, dtype: .bool, using: &random).all().elements() == [true])
  }

  @Test func categorical() {
    var random = RandomGenerator(seed: 5)
    let probabilities = [0.1, 0, 0.4, 0.3, 0, 0.2]
    let rows = Tensor(probabilities + probabilities.reversed(), shape: [2, 6])
    let drawn = Tensor.categorical(probabilities: 7 * rows, count: count, using: &random)
    #expect(drawn.shape == [2, count] && drawn.dtype == .int64)
    let (first, second) = (counts(drawn.select(0), 6), counts(drawn.select(1), 6))
    #expect(first[1] == 0 && first[4] == 0 && second[1] == 0 && second[4] == 0)
    #expect(abs(deviation(first, probabilities)) < 4)
    #expect(abs(deviation(second, probabilities.reversed())) < 4)
    #expect(first != second.reversed())

    var (one, other) = (RandomGenerator(seed: 6), RandomGenerator(seed: 6))
    let byLogits = Tensor.categorical(logits: log(rows) + 3, count: 50, using: &one)
    let byProbabilities = Tensor.categorical(probabilities: rows, count: 50, using: &other)
    #expect(byLogits.elements(as: Int64.self) == byProbabilities.elements(as: Int64.self))
    #expect(one == other && one.position == 100)
    #expect(Tensor.categorical(logits: Tensor([0.0]), count: 3, using: &one).elements() == [0, 0, 0])
    #expect(Tensor.categorical(probabilities: rows, count: 0, using: &one).shape == [2, 0])
  }

  @Test func everyPermutationIsAsLikely() {
    var random = RandomGenerator(seed: 7)
    var counts: [[Int64]: Int] = [:]
    for _ in 0..<24_000 { counts[Tensor(permutation: 4, using: &random).elements(), default: 0] += 1 }
    #expect(counts.count == 24)
    #expect(abs(deviation(Array(counts.values), [Double](repeating: 1.0 / 24, count: 24))) < 4)
    #expect(Tensor(permutation: 1000, using: &random).elements(as: Int64.self).sorted() == Array(0..<1000))
    #expect(Tensor(permutation: 0, using: &random).shape == [0])
    #expect(random.position == 24_000 * 4 + 1000)
  }

  @Test func dropoutKeepsTheMean() {
    var random = RandomGenerator(seed: 8)
    let x = Tensor(ones: [count], dtype: .float64)
    let y = dropout(x, rate: 0.4, using: &random)
    let share = Double(y.countNonzero().elements(as: Int64.self)[0]) / Double(count)
    #expect(abs(share - 0.6) < 4 * (0.24 / Double(count)).squareRoot())
    #expect(y.max().scalar == 1 / (1 - 0.4))
    #expect(numbers(dropout(x, rate: 0.4, using: &random)) != numbers(y))
    for dtype in [DType.float32, .bfloat16, .float16] {
      var same = RandomGenerator(seed: 8)
      let other = dropout(x.cast(to: dtype), rate: 0.4, using: &same)
      #expect(
        other.dtype == dtype && (other .> 0).elements(as: Bool.self) == (y .> 0).elements(as: Bool.self))
    }
    let wild = Tensor(repeating: .infinity, shape: [3])
    #expect(numbers(dropout(wild, rate: 1, using: &random)) == [0, 0, 0])
  }

  @Test func spatialDropoutDropsWholeChannels() {
    var random = RandomGenerator(seed: 9)
    let y = spatialDropout(Tensor(ones: [40, 3, 5, 50]), rate: 0.25, using: &random)
    let kept = y.sum(axes: [1, 2])
    let values = Set(numbers(kept))
    #expect(values.count == 2 && values.contains(0) && values.allSatisfy { $0 == 0 || abs($0 - 20) < 1e-4 })
    let share = numbers((kept .> 0).cast(to: .float64).mean())[0]
    #expect(abs(share - 0.75) < 4 * (0.1875 / 2000).squareRoot())
  }
}
