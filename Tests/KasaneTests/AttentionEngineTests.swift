// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The primitive against its composition, at sizes that take several blocks.
@Suite struct AttentionEngineTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var batch = 2
    var heads = 3
    var queries: Int
    var keys: Int
    var size = 8
    var outputs = 8
    var isCausal = false
    var mask: Mask = .none
    var lengths: [Int]?

    enum Mask { case none, bool, boolOfBatch, added, addedToHeads }

    var testDescription: String {
      "\(batch)x\(heads), \(queries) to \(keys), \(size) and \(outputs), causal \(isCausal), \(mask), \(lengths ?? [])"
    }

    func makeMask(using random: inout RandomGenerator) -> Tensor? {
      switch mask {
      case .none: nil
      case .bool: Tensor(uniform: [queries, keys], using: &random) .> 0.4
      case .boolOfBatch: Tensor(uniform: [batch, 1, 1, keys], using: &random) .> 0.4
      case .added: Tensor(normal: [queries, keys], using: &random)
      case .addedToHeads: Tensor(normal: [batch, heads, queries, 1], using: &random)
      }
    }
  }

  static let cases: [Case] = [
    Case(queries: 20, keys: 20), Case(queries: 37, keys: 61, mask: .bool),
    Case(queries: 129, keys: 129, isCausal: true), Case(queries: 200, keys: 600, mask: .added),
    Case(queries: 300, keys: 300, isCausal: true, lengths: [300, 41]),
    Case(queries: 1, keys: 500, size: 5, outputs: 7, mask: .boolOfBatch),
    Case(queries: 400, keys: 3, isCausal: true),
    Case(queries: 3, keys: 700, isCausal: true, mask: .addedToHeads),
    Case(batch: 3, queries: 61, keys: 1000, size: 16, outputs: 4, lengths: [0, 1000, 700]),
    Case(batch: 1, heads: 1, queries: 700, keys: 700, size: 1, outputs: 1, mask: .bool),
    // Of few multiplications, in sixteens.
    Case(queries: 20, keys: 21, size: 16, outputs: 32, isCausal: true, lengths: [21, 3]),
    Case(queries: 61, keys: 37, size: 32, outputs: 16, mask: .boolOfBatch),
    Case(queries: 3, keys: 900, size: 32, outputs: 32, mask: .added),
  ]

  @Test(arguments: cases) func theCompositionIsTheSame(_ shape: Case) {
    var random = RandomGenerator(seed: 5)
    let mask = shape.makeMask(using: &random)
    let lengths = shape.lengths.map { Tensor($0) }
    let (heads, batch) = (shape.heads, shape.batch)
    let inputs = [
      Tensor(normal: [batch, shape.queries, heads * shape.size], using: &random),
      Tensor(normal: [batch, shape.keys, heads * shape.size], using: &random),
      Tensor(normal: [batch, shape.keys, heads * shape.outputs], using: &random),
    ]
    let factor = Tensor(normal: [batch, shape.queries, heads * shape.outputs], using: &random)
    func check(_ dtype: DType, _ tolerance: Double) {
      let rounded = inputs.map { $0.cast(to: dtype) }
      func run(_ x: [Tensor]) -> Tensor {
        multiHeadAttention(
          x[0], x[1], x[2], heads: heads, mask: mask, keyLengths: lengths, isCausal: shape.isCausal)
      }
      func loss(_ y: Tensor) -> Tensor { (y.cast(to: .float64) * factor.cast(to: .float64)).sum() }
      let (_, found) = valueWithGradients(at: rounded) { loss(run($0)) }
      // In float64 attention is composed.
      let exact = rounded.map { $0.cast(to: .float64) }
      let (_, expected) = valueWithGradients(at: exact) { loss(run($0)) }
      expectClose(run(rounded), run(exact), tolerance, "\(dtype)")
      for (place, gradient) in found.enumerated() {
        #expect(gradient.dtype == dtype)
        expectClose(gradient, expected[place], tolerance, "gradient \(place), \(dtype)")
      }
    }
    check(.float32, 1e-5)
    check(.bfloat16, 0x1p-6)
  }

  @Test func projectedSequencesAreTheSame() {
    var random = RandomGenerator(seed: 6)
    let projected = Tensor(normal: [2, 40, 3 * 12], using: &random)
    let factor = Tensor(normal: [2, 40, 12], using: &random)
    let (value, gradient) = valueWithGradient(at: projected) {
      (multiHeadAttention(projected: $0, heads: 2) * factor).sum()
    }
    let (expected, exact) = valueWithGradient(at: projected) { x in
      let parts = x.split(into: 3, axis: 2)
      return (multiHeadAttention(parts[0], parts[1], parts[2], heads: 2) * factor).sum()
    }
    expectClose(value, expected, 1e-6)
    expectClose(gradient, exact, 1e-6)
    let (other, otherGradients) = valueWithGradients(at: [projected]) { x in
      let (query, rest) = (x[0][0..., 0..., 0..<12], x[0][0..., 0..., 12...])
      return (multiHeadAttention(query, projected: rest, heads: 2) * factor).sum()
    }
    expectClose(other, expected, 1e-6)
    expectClose(otherGradients[0], exact, 1e-6)
  }

  @Test func threadsChangeNoBit() {
    let threads = Machine.threads
    defer { Machine.threads = threads }
    var random = RandomGenerator(seed: 7)
    let x = Tensor(normal: [2, 150, 3 * 32], using: &random)
    let scale = Tensor(normal: [32], using: &random)
    func run() -> [Tensor] {
      let (_, gradients) = valueWithGradients(at: [x, scale]) { x in
        square(layerNormalization(multiHeadAttention(projected: x[0], heads: 4), scale: x[1])).sum()
      }
      return gradients
    }
    Machine.threads = 1
    let one = run()
    Machine.threads = 2
    for (a, b) in zip(run(), one) { #expect(a.elements(as: Float.self) == b.elements(as: Float.self)) }
  }
}
