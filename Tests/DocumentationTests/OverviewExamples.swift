// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

// The landing page's and the README's.
@Suite struct OverviewExamples {
  @Test func fitting() {
    // example
    var random = RandomGenerator(seed: 1)
    let x = Tensor(normal: [64, 2], using: &random)
    let y = matmul(x, Tensor([3, -2] as [Float], shape: [2, 1])) + 1
    let model = Linear(2, 1, using: &random)
    let optimizer = SGD(learningRate: 0.1)

    for step in 0..<100 {
      let (loss, gradients) = valueWithGradient(at: model) { model in square(model(x) - y).mean() }
      optimizer.update(model, along: gradients)
      if step % 20 == 0 { print(step, loss.scalar) }
    }
    print(model.weight.value, model.bias!.value)  // close to 3, -2 and 1
    // end
    let weights = model.weight.value.elements(as: Float.self) + model.bias!.value.elements(as: Float.self)
    for (found, expected) in zip(weights, [3, -2, 1] as [Float]) { #expect(abs(found - expected) < 0.05) }
  }

  @Test func ownModel() {
    // example
    struct Tagger: Layer {
      let rnn: RNN
      let output: Linear

      func callAsFunction(_ x: Tensor) -> Tensor { sigmoid(output(rnn(x))) }
    }
    // end
    var random = RandomGenerator(seed: 1)
    let tagger = Tagger(rnn: RNN(RNNCell(2, 4, using: &random)), output: Linear(4, 1, using: &random))
    #expect(tagger(Tensor(ones: [3, 5, 2])).shape == [3, 5, 1])
    #expect(
      tagger.parameters.map(\.name) == [
        "rnn.layers.0.forward.inputWeight", "rnn.layers.0.forward.recurrentWeight",
        "rnn.layers.0.forward.bias",
        "output.weight", "output.bias",
      ])
  }
}
