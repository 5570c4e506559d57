// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct InitializerTests {
  private func moments(_ initializer: Initializer, _ shape: Shape) -> (
    mean: Double, variance: Double, largest: Double
  ) {
    var random = RandomGenerator(seed: 3)
    let values = initializer(shape, dtype: .float64, using: &random).elements(as: Double.self)
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return (mean, variance, values.reduce(0) { max($0, abs($1)) })
  }

  @Test func fansOfKernelsCountTheField() {
    #expect(Initializer.fans(of: [30, 40]) == (30, 40))
    #expect(Initializer.fans(of: [3, 5, 8, 16]) == (120, 240))
    #expect(Initializer.fans(of: [7, 8, 16]) == (56, 112))
    #expect(Initializer.fans(of: [9]) == (9, 9))
    #expect(Initializer.fans(of: []) == (1, 1))
  }

  @Test(
    arguments: [
      (Initializer.normal, 1), (.normal(standardDeviation: 3), 9), (.uniform(bound: 6), 12),
      (.lecunNormal, 1.0 / 300), (.lecunUniform, 1.0 / 300), (.xavier, 1.0 / 300), (.he, 2.0 / 300),
      (.heNormal, 2.0 / 300), (.heUniform, 2.0 / 300), (.glorotNormal, 2.0 / 700),
      (.glorotUniform, 2.0 / 700),
      (.pyTorchDefault, 1.0 / 900), (.heNormal(slope: 1), 1.0 / 300), (.heUniform(slope: 0.5), 1.6 / 300),
      (.varianceScaling(3, fan: .output, distribution: .truncatedNormal), 3.0 / 400),
    ] as [(Initializer, Double)])
  func varianceIsTheRules(_ initializer: Initializer, _ variance: Double) {
    let found = moments(initializer, [3, 5, 20, 400 / 15])
    let exact = moments(initializer, [300, 400])
    #expect(abs(exact.mean) < 5 * (variance / 120_000).squareRoot())
    #expect(abs(exact.variance / variance - 1) < 0.02)
    #expect(found.variance > 0)
  }

  @Test func boundsHold() {
    #expect(moments(.truncatedNormal(standardDeviation: 0.5), [100, 100]).largest <= 1)
    #expect(moments(.glorotUniform, [30, 70]).largest <= (6.0 / 100).squareRoot())
    #expect(moments(.pyTorchDefault, [3, 3, 4, 8]).largest <= 1.0 / 6)
    #expect(moments(.constant(0.3), [5]).largest == 0.3)
    #expect(moments(.zeros, [2, 2]).largest == 0)
    #expect(moments(.ones, [0, 2]).largest == 0)
  }

  @Test(arguments: [[6, 6], [20, 7], [7, 20], [3, 3, 4, 50], [1, 5], [5, 1]] as [Shape])
  func orthogonalRowsOrColumns(_ shape: Shape) {
    var random = RandomGenerator(seed: 9)
    let weight = Initializer.orthogonal(gain: 2)(shape, dtype: .float64, using: &random)
    #expect(weight.shape == shape)
    let matrix = weight.reshaped(to: [-1, shape.last!])
    let isTall = matrix.shape[0] >= matrix.shape[1]
    let product =
      isTall ? matmul(matrix.transposed(), matrix) : matmul(matrix, matrix.transposed())
    let size = product.shape[0]
    for (place, value) in product.elements(as: Double.self).enumerated() {
      #expect(abs(value - (place % size == place / size ? 4 : 0)) < 1e-12)
    }
  }

  @Test func sameSeedSameWeights() throws {
    for initializer in [
      Initializer.normal, .glorotUniform, .orthogonal, .truncatedNormal(standardDeviation: 1),
    ] {
      var (a, b) = (RandomGenerator(seed: 5), RandomGenerator(seed: 5))
      let weights = initializer([4, 6], dtype: .bfloat16, using: &a)
      #expect(weights.description == initializer([4, 6], dtype: .bfloat16, using: &b).description)
      #expect(a == b)
    }
  }

  /// What runs of the exercise were trained from: its weights may never change.
  @Test func exercisesWeightsStay() {
    for (initializer, variance) in [(Initializer.normal, 1.0), (.xavier, 1.0 / 7), (.he, 2.0 / 7)] {
      var (a, b) = (RandomGenerator(seed: 5), RandomGenerator(seed: 5))
      let expected = (0..<21).map { _ in Float(variance.squareRoot() * b.normal()) }
      #expect(initializer(7, 3, using: &a).elements(as: Float.self) == expected)
    }
  }
}
