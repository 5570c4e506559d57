// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

@testable import Kasane

/// The fused recurrent layers work in float32: they are held against their compositions in float64, in value and gradient.
@Suite(.serialized) struct RecurrentTests {
  /// Small ones, ones whose sequences the threads share, ones whose units they share, and odd ones.
  static let sizes = [
    (1, 8, 2, 16), (3, 5, 4, 7), (2, 1, 1, 33), (4, 6, 3, 40), (1, 1, 1, 1), (37, 4, 5, 61), (5, 3, 6, 129),
    (1, 3, 7, 257), (6, 4, 3, 272), (16, 7, 8, 128),
  ]
  static let cells: [RecurrentPrimitive] = [
    .simple(.sigmoid), .simple(.tanh), .simple(.relu), .lstm, .gru(.afterProduct), .gru(.beforeProduct),
  ]

  @Test(arguments: cells, [1, 2])
  func fusedIsTheComposition(_ cell: RecurrentPrimitive, threads: Int32) {
    let before = ks_threads()
    ks_set_threads(threads)
    defer { ks_set_threads(before) }
    for (index, size) in Self.sizes.enumerated() {
      for variant in 0..<4 { check(cell, size, seed: index, variant: variant) }
    }
  }

  private func check(
    _ cell: RecurrentPrimitive, _ size: (batch: Int, steps: Int, inputs: Int, hidden: Int), seed: Int,
    variant: Int
  ) {
    var make = RowInputs(seed: UInt64(seed + 1))
    let (batch, steps, inputs, hidden) = size
    let width = cell.gateCount * hidden
    var tensors = [
      make.tensor(Input([batch, steps, inputs])), make.tensor(Input([inputs, width])),
      make.tensor(Input([hidden, width])) * (1 / Double(hidden).squareRoot()),
    ]
    let hasBias = variant != 1, hasInitial = variant >= 2
    let hasRecurrentBias = hasBias && cell == .gru(.afterProduct)
    if hasBias { tensors.append(make.tensor(Input([width]))) }
    if hasRecurrentBias { tensors.append(make.tensor(Input([width]))) }
    if hasInitial { tensors.append(make.tensor(Input([batch, hidden]))) }
    if hasInitial && cell == .lstm { tensors.append(make.tensor(Input([batch, hidden]))) }
    let lengths = variant % 2 == 0 ? nil : Tensor((0..<batch).map { ($0 * 5 + seed) % (steps + 1) })
    let factors = [
      make.tensor(Input([batch, steps, hidden])), make.tensor(Input([batch, hidden])),
      make.tensor(Input([batch, hidden])),
    ]
    func call(_ x: [Tensor]) -> RecurrentCall {
      var next = 3
      func take(_ isThere: Bool) -> Tensor? {
        next += isThere ? 1 : 0
        return isThere ? x[next - 1] : nil
      }
      var call = RecurrentCall(cell: cell, x: x[0], inputWeight: x[1], recurrentWeight: x[2])
      call.bias = take(hasBias)
      call.recurrentBias = take(hasRecurrentBias)
      call.initialState = take(hasInitial)
      call.initialCell = take(hasInitial && cell == .lstm)
      call.lengths = lengths
      call.isReversed = variant > 1
      return call.checked("test")
    }
    for usesFinalStates in [false, true] {
      func loss(_ result: RecurrentResult) -> Tensor {
        var parts = [result.outputs]
        if usesFinalStates { parts += [result.finalState, result.finalCell].compactMap { $0 } }
        return zip(parts, factors).map { ($0 * $1.cast(to: $0.dtype)).sum() }.reduce(
          Tensor(0.0).cast(to: parts[0].dtype), +)
      }
      let exact = valueWithGradients(at: tensors) { loss(composedSequences(call($0))) }
      let fused = valueWithGradients(at: tensors.map { $0.cast(to: .float32) }) {
        loss(recurrentSequences(call($0), withFinalStates: usesFinalStates))
      }
      let name = "\(cell) \(size) \(variant) \(usesFinalStates)"
      let scale = exact.value.scalar.magnitude + Double(batch * steps * hidden).squareRoot()
      #expect((fused.value.scalar - exact.value.scalar).magnitude < 1e-5 * scale, "\(name)")
      for (a, b) in zip(fused.gradients, exact.gradients) {
        let largest = b.elements(as: Double.self).reduce(1e-3) { max($0, abs($1)) }
        expectClose(a, b, 2e-5, scale: largest, "\(name)")
      }
      let outputs = recurrentSequences(
        call(tensors.map { $0.cast(to: .float32) }), withFinalStates: usesFinalStates
      ).outputs
      expectClose(outputs, composedSequences(call(tensors)).outputs, 2e-5, scale: 1, "\(name): in use")
    }
  }

  /// What a padded step holds, even a NaN, is seen by nothing.
  @Test(arguments: cells)
  func paddingIsNotLookedAt(_ cell: RecurrentPrimitive) {
    var random = RandomGenerator(seed: 3)
    let weight = Tensor(normal: [3, cell.gateCount * 5], using: &random)
    let recurrentWeight = Tensor(normal: [5, cell.gateCount * 5], using: &random) * 0.3
    let clean = Tensor(normal: [2, 4, 3], using: &random)
    let isPadding = Tensor(
      [false, false, true, true, false, false, false, false], shape: [2, 4, 1])
    let dirty = Tensor.where(isPadding, Tensor(repeating: .nan, shape: [2, 4, 3]), clean)
    func run(_ x: Tensor) -> (Tensor, [Tensor]) {
      let (value, gradients) = valueWithGradients(at: [x, weight, recurrentWeight]) {
        var call = RecurrentCall(cell: cell, x: $0[0], inputWeight: $0[1], recurrentWeight: $0[2])
        call.lengths = Tensor([2, 4])
        call.isReversed = true
        return square(recurrentSequences(call.checked("test"), withFinalStates: true).outputs).sum()
      }
      return (value, gradients)
    }
    let (a, b) = (run(clean), run(dirty))
    #expect(a.0.scalar == b.0.scalar)
    for (x, y) in zip(a.1, b.1) { #expect(x.elements(as: Float.self) == y.elements(as: Float.self)) }
  }

  @Test func onlyTheFinalCellHasAGradient() {
    var random = RandomGenerator(seed: 1)
    let cell = LSTMCell(3, 4, using: &random)
    let x = Tensor(normal: [2, 5, 3], using: &random)
    let (_, gradients) = valueWithGradient(at: cell) {
      $0.run(x, from: nil, lengths: nil, reversed: false).finalState.cell.sum()
    }
    let (_, expected) = valueWithGradient(at: cell) { cell in
      var state: LSTMState?
      for t in 0..<5 { state = cell(x.select(t, axis: 1), state) }
      return state!.cell.sum()
    }
    for parameter in [cell.inputWeight, cell.recurrentWeight, cell.bias!] {
      expectClose(gradients[parameter]!, expected[parameter]!, 1e-5)
    }
  }
}
