// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The fused linear map against its composition, where the library's primitive, its gemm and the small product take over
/// from each other.
@Suite struct LinearEngineTests {
  private static let sizes = [
    (1, 1, 1), (3, 7, 5), (37, 61, 129), (64, 128, 128), (20, 2600, 65), (129, 300, 2050),
  ]

  private func random(_ shape: Shape, _ generator: inout RandomGenerator) -> Tensor {
    generator.normal(shape, dtype: .float32)
  }

  private func expectClose(_ a: Tensor, _ b: Tensor, _ bound: Double, _ comment: String) {
    #expect(a.shape == b.shape && a.dtype == b.dtype, "\(comment)")
    let (a, b) = (a.cast(to: .float32), b.cast(to: .float32))
    let scale = abs(b).max().scalar + 1e-30
    #expect(abs(a - b).max().scalar <= bound * scale, "\(comment)")
  }

  /// Value and gradients of a map, the loss a fixed product with its result.
  private func all(
    _ inputs: [Tensor], _ map: ([Tensor]) -> Tensor
  ) -> [Tensor] {
    let y = map(inputs)
    let weights = cos(Tensor((0..<y.elementCount).map { Float($0) * 0.7 }, shape: y.shape))
    return [y] + valueWithGradients(at: inputs) { (map($0) * weights).sum() }.gradients
  }

  @Test(arguments: [nil, .relu, .tanh, .sigmoid, .gelu, .silu] as [Activation?])
  func theFusedMapEqualsItsComposition(activation: Activation?) {
    var generator = RandomGenerator(seed: 1)
    for (m, n, k) in Self.sizes {
      let inputs = [
        random([m, k], &generator), random([k, n], &generator) * (1 / Double(k).squareRoot()),
        random([n], &generator),
      ]
      let fused = all(inputs) { linear($0[0], $0[1], bias: $0[2], activation: activation) }
      let composed = all(inputs) { composedLinear($0[0], $0[1], $0[2], activation) }
      for (a, b) in zip(fused, composed) { expectClose(a, b, 1e-5, "\(m) \(n) \(k)") }
    }
  }

  /// An embedding's table that serves as output too: its gradient lies as the table does.
  @Test(arguments: Precision.allCases) func theWeightMayBeTransposed(precision: Precision) {
    var generator = RandomGenerator(seed: 5)
    for (m, n, k) in Self.sizes + [(1, 600, 700), (70, 500, 40)] {
      let inputs = [
        random([m, k], &generator), random([n, k], &generator) * (1 / Double(k).squareRoot()),
        random([n], &generator),
      ]
      let fused = withPrecision(precision) {
        all(inputs) { linear($0[0], $0[1].transposed(), bias: $0[2]) }
      }
      let composed = all(inputs) { composedLinear($0[0], $0[1].transposed(), $0[2], nil) }
      for (a, b) in zip(fused, composed) {
        // A bias's gradient is a sum of rounded numbers of either sign.
        let bound = precision == .bfloat16 ? 0x1p-4 : 1e-5
        expectClose(a.cast(to: .float32), b, bound, "\(m) \(n) \(k)")
      }
    }
  }

  /// A parameter that is used again and again without being trained is packed.
  @Test func thePackedWeightGivesTheSame() {
    var generator = RandomGenerator(seed: 2)
    for (m, n, k) in [(64, 128, 128), (129, 370, 61), (300, 1000, 30)] {
      let x = random([m, k], &generator)
      let weight = Parameter(random([k, n], &generator) * (1 / Double(k).squareRoot()))
      let bias = random([n], &generator)
      for precision in Precision.allCases {
        withPrecision(precision) {
          let first = linear(x, weight.value, bias: bias, activation: .gelu)
          for _ in 0..<5 {
            let again = linear(x, weight.value, bias: bias, activation: .gelu)
            expectClose(again, first, precision == .bfloat16 ? 1e-2 : 1e-5, "\(m) \(n) \(k) \(precision)")
          }
          // The last steps of sequences lie apart.
          let apart = Tensor.stack([0 * x, x], axis: 1).select(-1, axis: 1)
          expectClose(
            linear(apart, weight.value, bias: bias, activation: .gelu), first,
            precision == .bfloat16 ? 1e-2 : 1e-5, "apart")
          weight.mutate { engine.copy($0 * 2, into: $0) }
          let doubled = linear(x, weight.value, bias: 2 * bias)
          expectClose(
            doubled, 2 * linear(x, weight.value * 0.5, bias: bias), precision == .bfloat16 ? 1e-2 : 1e-5,
            "changed")
        }
      }
    }
  }

  /// Products by a parameter, by some of its rows and by their transposes are told apart, and follow a change of its value.
  @Test func productsOfAPackedParameterAreThose() {
    var generator = RandomGenerator(seed: 3)
    let (columns, split) = (352, 130)
    let weight = Parameter(random([400, columns], &generator) * 0.05)
    for rows in [5, 37] {
      for change in [1.0, 2.0] {
        weight.mutate { engine.copy($0 * change, into: $0) }
        let apart = weight.value + 0
        for _ in 0..<5 {
          for (first, last) in [(0, 400), (0, split), (split, 400)] {
            let (whole, part) = (weight.value[first..<last], apart[first..<last])
            let (x, y) = (random([rows, last - first], &generator), random([rows, columns], &generator))
            expectClose(matmul(x, whole), matmul(x, part), 1e-5, "\(rows) \(first)")
            expectClose(
              matmul(y, whole.transposed()), matmul(y, part.transposed()), 1e-5, "\(rows) \(first) transposed"
            )
            let gap = Tensor.stack([0 * x, x], axis: 1).select(-1, axis: 1)
            expectClose(matmul(gap, whole), matmul(x, part), 1e-5, "apart")
          }
        }
      }
    }
  }

  @Test func columnSumsAreTheSameForAnyThreads() {
    var generator = RandomGenerator(seed: 3)
    for shape in [[1, 1], [5, 3], [700, 611], [20_000, 7], [3, 40_000]] as [Shape] {
      let (g, y) = (random(shape, &generator), random(shape, &generator))
      for dtype in [DType.float32, .bfloat16, .float64] {
        let (g, y) = (g.cast(to: dtype), y.cast(to: dtype))
        let (values, sums) = engine.binaryWithColumnSums(.tanhGradient, g, y)
        let expected = engine.binary(.tanhGradient, g, y)
        #expect(values.shape == expected.shape)
        expectClose(values, expected, 0, "\(shape) \(dtype)")
        expectClose(sums, expected.cast(to: sums.dtype).sum(axes: [0]), 1e-6, "\(shape) \(dtype)")
        expectClose(engine.columnSums(values), sums, 0, "\(shape) \(dtype)")
      }
    }
  }
}
