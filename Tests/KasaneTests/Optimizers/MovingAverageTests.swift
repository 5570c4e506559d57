// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct MovingAverageTests {
  private func set(_ model: SmallModel, _ step: Int) {
    model.weight.assign(Tensor([Double(step), 2 * Double(step)]))
    model.bias.assign(Tensor([-Double(step)]))
  }

  @Test(arguments: [false, true])
  func averagesAreThoseOfTheEquation(_ warmsUp: Bool) {
    let model = SmallModel(Tensor([1.0, 2]), Tensor([-1.0]))
    let average = ExponentialMovingAverage(of: model, decay: 0.8, warmsUp: warmsUp)
    var expected = 1.0
    for step in 1...6 {
      set(model, step)
      average.update()
      let decay = warmsUp ? min(0.8, Double(1 + step) / Double(10 + step)) : 0.8
      expected = decay * expected + (1 - decay) * Double(step)
    }
    expectClose(average.tensors["weight"]!, Tensor([expected, 2 * expected]), 1e-14)
    // Swapped in, and back to the bit, also after an error.
    average.withAverages {
      expectClose(model.weight.value, Tensor([expected, 2 * expected]), 1e-14)
      expectClose(model.bias.value, Tensor([-expected]), 1e-14)
    }
    #expect(throws: KasaneError.self) { try average.withAverages { throw KasaneError("stop") } }
    #expect(model.weight.value.elements(as: Double.self) == [6, 12])
    #expect(model.bias.value.elements(as: Double.self) == [-6])
    // Training goes on with the parameters.
    var gradients = Gradients()
    gradients[model.bias] = Tensor([1.0])
    SGD(learningRate: 1).update(model, along: gradients)
    #expect(model.bias.value.elements(as: Double.self) == [-7])
    expectClose(average.tensors["bias"]!, Tensor([-expected]), 1e-14)
  }

  @Test func averagesAreTakenUp() throws {
    let model = SmallModel(Tensor([1.0, 2]), Tensor([-1.0]))
    let average = ExponentialMovingAverage(of: model, decay: 0.8, warmsUp: true)
    for step in 1...3 {
      set(model, step)
      average.update()
    }
    let state = average.state
    let other = SmallModel(Tensor([0.0, 0]), Tensor([0.0]))
    let resumed = ExponentialMovingAverage(of: other, decay: 0.8, warmsUp: true)
    try resumed.restore(state, from: "memory")
    for step in 4...6 {
      set(model, step)
      set(other, step)
      average.update()
      resumed.update()
    }
    #expect(average.state.mapValues(\.description) == resumed.state.mapValues(\.description))
    #expect(state["step"]!.scalar == 3)
    #expect {
      try resumed.restore(["step": Tensor(1), "average.weight": Tensor([1.0])], from: "file")
    } throws: { error in
      "\(error)".contains("average.weight is [1] float64, not [2] float64")
        && "\(error)".contains("average.bias is missing")
    }
  }

  @Test func halfPrecisionIsAveragedInFloat32() {
    let model = SmallModel(Tensor([1.0]).cast(to: .bfloat16), Tensor([1]))
    let average = ExponentialMovingAverage(of: model, decay: 0.999)
    model.weight.assign(Tensor([2.0]).cast(to: .bfloat16))
    for _ in 0..<10 { average.update() }
    #expect(abs(average.state["average.weight"]!.scalar - 1.00995) < 1e-5)
    #expect(average.tensors["weight"]!.dtype == .bfloat16)
    #expect(average.tensors["bias"] == nil)
  }
}
