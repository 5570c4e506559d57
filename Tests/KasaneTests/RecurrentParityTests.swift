// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The LSTM's variants against their equations in PyTorch (Tests/Fixtures/lstm_variants.py): values and all gradients, of
/// two levels in both directions over sequences of different lengths.
@Suite struct RecurrentParityTests {
  private typealias Source = LayerFixture.Source
  private static let lengths = Tensor([3, 5, 1])

  private func check<Cell: RecurrentCell>(
    _ name: String, _ cell: (Int, inout RandomGenerator) -> Cell
  ) throws where Cell.State == LSTMState {
    var random = RandomGenerator(seed: 1)
    let layer = Recurrent(inputs: 3, layers: 2, isBidirectional: true) { cell($0, &random) }
    let sources = layer.parameters.map { own, _ in
      (own, Source(own.replacing("forward", with: "ahead").replacing("backward", with: "back")))
    }
    try LayerFixture("lstm-\(name)").check(
      layer, Dictionary(uniqueKeysWithValues: sources), inputs: ["x", "h", "c"]
    ) { layer, inputs in
      let initial = zip(inputs[1].unstacked(), inputs[2].unstacked()).map {
        LSTMState(hidden: $0, cell: $1)
      }
      let (outputs, states) = layer(inputs[0], from: initial, lengths: Self.lengths)
      return [outputs, Tensor.stack(states.map(\.hidden)), Tensor.stack(states.map(\.cell))]
    }
  }

  @Test func carousel() throws { try check("carousel") { ErrorCarouselCell($0, 4, using: &$1) } }
  @Test func original() throws { try check("original") { OriginalLSTMCell($0, 4, using: &$1) } }
  @Test func coupled() throws { try check("coupled") { CoupledLSTMCell($0, 4, using: &$1) } }
  @Test func peephole() throws { try check("peephole") { PeepholeLSTMCell($0, 4, using: &$1) } }
  @Test func layerNorm() throws { try check("layer-norm") { LayerNormLSTMCell($0, 4, using: &$1) } }

  private static var weights: [String: Source] {
    [
      "inputWeight": Source("inputWeight"), "recurrentWeight": Source("recurrentWeight"),
      "bias": Source("bias"),
    ]
  }

  @Test func recurrentDropout() throws {
    var random = RandomGenerator(seed: 1)
    let cell = RecurrentDropoutLSTMCell(3, 4, dropout: 0.25, using: &random)
    try LayerFixture("lstm-recurrent-dropout").check(
      cell, Self.weights, inputs: ["x", "h", "c", "mask"]
    ) { cell, inputs in
      var state = LSTMState(hidden: inputs[1], cell: inputs[2])
      var outputs: [Tensor] = []
      for t in 0..<5 {
        let mask = inputs[3].select(t, axis: 1)
        state = cell.step(cell.project(inputs[0].select(t, axis: 1)), state) { $0 * mask }
        outputs.append(state.hidden)
      }
      return [Tensor.stack(outputs, axis: 1), Tensor.stack([state.hidden, state.cell])]
    }
  }

  @Test func variational() throws {
    var random = RandomGenerator(seed: 1)
    let cell = VariationalLSTMCell(3, 4, inputDropout: 0.25, stateDropout: 0.5, using: &random)
    try LayerFixture("lstm-variational").check(
      cell, Self.weights, inputs: ["x", "h", "c", "inputMask", "stateMask"]
    ) { cell, inputs in
      let masked = cell.withMasks(input: inputs[3], state: inputs[4])
      let (outputs, state) = masked.run(
        inputs[0], from: LSTMState(hidden: inputs[1], cell: inputs[2]), lengths: Self.lengths, reversed: false
      )
      return [outputs, Tensor.stack([state.hidden, state.cell])]
    }
  }
}
