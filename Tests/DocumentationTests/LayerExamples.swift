// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@Suite struct LayerExamples {
  // example
  struct Highway: Layer {
    let transform: Linear
    let gate: Linear

    init(_ size: Int, using random: inout RandomGenerator) {
      transform = Linear(size, size, using: &random)
      gate = Linear(size, size, using: &random)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let open = sigmoid(gate(x))
      return open * relu(transform(x)) + (1 - open) * x
    }
  }
  // end

  @Test func use() {
    // example
    var random = RandomGenerator(seed: 1)
    let layer = Highway(4, using: &random)
    print(layer.parameters.map(\.name))
    // ["transform.weight", "transform.bias", "gate.weight", "gate.bias"]
    let y = layer(Tensor(normal: [2, 4], using: &random))
    print(y.shape)  // [2, 4]
    // end
    #expect(
      layer.parameters.map(\.name) == ["transform.weight", "transform.bias", "gate.weight", "gate.bias"])
    #expect(y.shape == [2, 4])
  }
}
