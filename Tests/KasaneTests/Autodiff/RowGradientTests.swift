// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import Testing

@testable import Kasane

/// Gradients of embedding tables that stay rows.
@Suite struct RowGradientTests {
  struct Model: Module {
    let table: Parameter
    let output: Parameter

    init(_ dtype: DType = .float64) {
      var make = RowInputs(seed: 2)
      table = Parameter(make.tensor(Input([7, 3])).cast(to: dtype))
      output = Parameter(make.tensor(Input([3])).cast(to: dtype))
    }
  }

  private let indices = Tensor([4, 1, 4, 6, 1, 1], shape: [2, 3])

  private func loss(_ model: Model, _ indices: Tensor) -> Tensor {
    square(embedding(model.table.value, indices) * model.output.value).sum()
  }

  /// The gradient with a table that is no parameter, which is dense.
  private func dense(_ model: Model, _ function: (Tensor) -> Tensor) -> Tensor {
    gradient(at: model.table.value, of: function)
  }

  @Test func rowsAreThoseOfTheDenseGradient() throws {
    let model = Model()
    let gradients = gradient(at: model) { loss($0, indices) }
    let rows = try #require(gradients.rows(of: model.table))
    #expect(rows.indices.elements(as: Int.self) == [1, 4, 6])
    #expect(rows.values.shape == [3, 3] && rows.rowCount == 7 && rows.shape == [7, 3])
    let expected = dense(model) { square(embedding($0, indices) * model.output.value).sum() }
    expectClose(gradients[model.table]!, expected, 1e-14)
    #expect(gradients.rows(of: model.output) == nil && gradients[model.output] != nil)
    // Scaled, clipped and added as the dense one would be.
    var scaled = gradients
    scaled.scale(by: 2)
    expectClose(scaled[model.table]!, 2 * expected, 1e-14)
    expectClose(scaled.rows(of: model.table)!.dense, 2 * expected, 1e-14)
    var other = Gradients()
    other[model.table] = expected
    other[model.output] = gradients[model.output]
    #expect(abs(gradients.norm - other.norm) < 1e-14)
    var clipped = gradients
    clipped.clip(toValue: 0.5)
    other.clip(toValue: 0.5)
    #expect(clipped.rows(of: model.table) != nil)
    expectClose(clipped[model.table]!, other[model.table]!, 1e-14)
  }

  @Test func batchesOfRowsAddUp() {
    let model = Model()
    let more = Tensor([0, 4])
    let first = gradient(at: model) { loss($0, indices) }
    let second = gradient(at: model) { loss($0, more) }
    var total = Gradients()
    total.accumulate(first)
    total.accumulate(second, scale: 0.5)
    #expect(total.rows(of: model.table)!.indices.elements(as: Int.self) == [0, 1, 4, 6])
    let expected = first[model.table]! + 0.5 * second[model.table]!
    expectClose(total[model.table]!, expected, 1e-14)
    var mixed = Gradients()
    mixed[model.table] = Tensor(ones: [7, 3], dtype: .float64)
    mixed.accumulate(first)
    expectClose(mixed[model.table]!, first[model.table]! + 1, 1e-14)
    var turned = first
    var ones = Gradients()
    ones[model.table] = Tensor(ones: [7, 3], dtype: .float64)
    turned.accumulate(ones)
    expectClose(turned[model.table]!, first[model.table]! + 1, 1e-14)
  }

  /// A table that is also the output layer's weight gets both gradients.
  @Test func otherUsesOfTheTableCount() {
    let model = Model()
    func tied(_ table: Tensor) -> Tensor {
      let hidden = embedding(table, Tensor([2, 2, 5]))
      let logits = matmul(hidden, table.transposed())
      return square(logits).sum() + embedding(table, Tensor([0])).sum()
    }
    let gradients = gradient(at: model) { tied($0.table.value) }
    #expect(gradients.rows(of: model.table) == nil)
    expectClose(gradients[model.table]!, dense(model, tied), 1e-13)
  }

  @Test func secondDerivativesTakeTheWholeTable() {
    let model = Model()
    func penalty(_ table: Tensor) -> Tensor {
      square(gradient(at: table) { square(square(embedding($0, indices))).sum() }).sum()
    }
    let found = gradient(at: model) { model in
      let inner = gradient(at: model) { square(square(embedding($0.table.value, indices))).sum() }
      #expect(inner.rows(of: model.table) == nil)
      return square(inner[model.table]!).sum()
    }
    expectClose(found[model.table]!, dense(model, penalty), 1e-12)
  }

  @Test func blocksThatRunAgainGiveRows() {
    let model = Model()
    let plain = gradient(at: model) { loss($0, indices) }
    let found = gradient(at: model) { model in checkpointed([]) { _ in loss(model, indices) } }
    #expect(found.rows(of: model.table) != nil)
    #expect(
      found[model.table]!.elements(as: Double.self) == plain[model.table]!.elements(as: Double.self))
  }

  @Test func noIndicesGiveNoRows() {
    let model = Model()
    let gradients = gradient(at: model) { embedding($0.table.value, Tensor([Int](), shape: [0])).sum() }
    if let table = gradients[model.table] { #expect(table.elements(as: Double.self).allSatisfy { $0 == 0 }) }
    SGD(learningRate: 1).update(model, along: gradients)
    Adam().update(model, along: gradients)
  }

  @Test func hooksSeeTheWholeGradient() {
    let model = Model()
    let expected = gradient(at: model) { loss($0, indices) }[model.table]!
    model.table.onGradient = { 2 * $0 }
    let gradients = gradient(at: model) { loss($0, indices) }
    expectClose(gradients[model.table]!, 2 * expected, 1e-14)
  }

  /// Every optimizer makes the step that it makes along the dense gradient, over several steps and other rows.
  @Test(arguments: OptimizerCase.all)
  func optimizersTakeRows(_ test: OptimizerCase) {
    let (byRows, whole) = (Model(.float32), Model(.float32))
    let (first, second) = (test.make(), test.make())
    for step in 0..<4 {
      let indices = step % 2 == 0 ? indices : Tensor([0, 4])
      first.update(byRows, along: gradient(at: byRows) { loss($0, indices) })
      let rows = gradient(at: whole) { loss($0, indices) }
      var dense = Gradients()
      for parameter in [whole.table, whole.output] { dense[parameter] = rows[parameter] }
      second.update(whole, along: dense)
    }
    #expect(byRows.tensors.mapValues(\.description) == whole.tensors.mapValues(\.description))
  }

  /// A step on a large table touches the rows that were used, and takes no memory for the rest.
  @Test(.enabled(if: ks_pool_keeps_blocks(), "AddressSanitizer turns the pool off"))
  func noLargeTensorIsMade() {
    struct Large: Module { let table: Parameter }
    let model = Large(table: Parameter(Tensor(zeros: [1_000_000, 64])))
    let indices = Tensor((0..<32).map { $0 * 31_000 })
    let before = Memory.pooledBytes
    var gradients = gradient(at: model) { embedding($0.table.value, indices).sum() }
    let norm = gradients.clip(toNorm: 1e9)
    SGD(learningRate: 0.5).update(model, along: gradients)
    // Other tests run meanwhile; a second table would be 256 MB.
    #expect(Memory.pooledBytes - before < 200 << 20)
    #expect(gradients.rows(of: model.table)!.values.shape == [32, 64])
    #expect(abs(norm - 2048.0.squareRoot()) < 1e-9)
    #expect(model.table.value.select(31_000).elements(as: Float.self) == [Float](repeating: -0.5, count: 64))
    #expect(model.table.value.select(31_001).elements(as: Float.self) == [Float](repeating: 0, count: 64))
  }
}
