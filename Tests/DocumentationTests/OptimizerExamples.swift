// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@Suite struct OptimizerExamples {
  private func problem() -> (model: Linear, x: Tensor, y: Tensor) {
    var random = RandomGenerator(seed: 1)
    let x = Tensor(normal: [64, 2], using: &random)
    let y = matmul(x, Tensor([3, -2] as [Float], shape: [2, 1])) + 1
    return (Linear(2, 1, using: &random), x, y)
  }

  @Test func schedules() {
    let (model, x, y) = problem()
    // example
    let schedule = Schedule.cosine(from: 0.1, to: 0, steps: 200).afterWarmUp(steps: 20)
    let optimizer = AdamW(learningRate: 0.1, groups: [.biasesAndNormsWithoutDecay])
    for step in 0..<220 {
      var (_, gradients) = valueWithGradient(at: model) { square($0(x) - y).mean() }
      gradients.clip(toNorm: 1)
      optimizer.learningRate = schedule(step)
      optimizer.update(model, along: gradients)
    }
    // end
    #expect(square(model(x) - y).mean().scalar < 0.05)
  }

  @Test func groups() {
    // example
    let optimizer = SGD(
      learningRate: 0.1, weightDecay: 0.01,
      groups: [
        ParameterGroup(prefix: "encoder.", learningRateFactor: 0.1),
        ParameterGroup(weightDecay: 0) { _, shape in shape.count <= 1 },
      ])
    // end
    #expect(optimizer.groups.count == 2)
  }

  @Test func averages() {
    let (model, x, y) = problem()
    let optimizer = SGD(learningRate: 0.1)
    // example
    let average = ExponentialMovingAverage(of: model, decay: 0.99)
    for _ in 0..<100 {
      let gradients = gradient(at: model) { square($0(x) - y).mean() }
      optimizer.update(model, along: gradients)
      average.update()
    }
    let loss = average.withAverages { square(model(x) - y).mean().scalar }
    // end
    #expect(loss > square(model(x) - y).mean().scalar)
    #expect(loss < 5)
  }
}
