// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import Testing

@testable import Kasane

/// A training step's steady state takes nothing from the system.
@Suite struct AllocationTests {
  struct Model: Module {
    let cell: RNNCell
    let output: Linear
  }

  @Test(.enabled(if: ks_pool_keeps_blocks(), "AddressSanitizer turns the pool off"))
  func steadyStateTakesNoBlocks() async {
    // On a thread of its own: what other tests left on a shared one, or took from it, is no part of this loop.
    let taken = await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: blocksTakenInSteadyState()) }.start()
    }
    #expect(taken == 0)
  }

  private func blocksTakenInSteadyState() -> Int {
    var random = RandomGenerator(seed: 1)
    let model = Model(cell: RNNCell(2, 16, using: &random), output: Linear(16, 1, using: &random))
    let x = Tensor(uniform: [4, 8, 2], using: &random)
    let y = Tensor(uniform: [4, 1], using: &random)
    let optimizer = SGD(learningRate: 0.1)
    func step() {
      let (_, gradients) = valueWithGradient(at: model) { model in
        var state: Tensor?
        for t in 0..<8 { state = model.cell(x.select(t, axis: 1), state) }
        return halfSquaredError(sigmoid(model.output(state!)), y)
      }
      optimizer.update(model, along: gradients)
    }
    for _ in 0..<200 { step() }
    let before = Memory.systemAllocations
    for _ in 0..<100 { step() }
    return Memory.systemAllocations - before
  }
}
