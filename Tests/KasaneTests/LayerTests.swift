// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What layers do that has no counterpart to be held against.
@Suite struct LayerTests {
  private func linear(_ inputs: Int, _ outputs: Int, seed: UInt64 = 1) -> Linear {
    var random = RandomGenerator(seed: seed)
    return Linear(inputs, outputs, using: &random)
  }

  @Test func listsOfLayersTakeSwiftsControlFlow() {
    let (hasHead, depth) = (true, 2)
    let body = [linear(3, 3), linear(3, 3)]
    let network = Sequential {
      linear(2, 3)
      relu
      for _ in 0..<depth {
        Residual {
          linear(3, 3)
          Activation.gelu
        }
      }
      if hasHead { linear(3, 1) } else { Flatten() }
      if !hasHead { Dropout(0.5) }
      Sequential(body)
      Function { $0 * 2 }
    }
    #expect(
      network.parameters.map(\.name) == [
        "0.weight", "0.bias", "2.body.0.weight", "2.body.0.bias", "3.body.0.weight", "3.body.0.bias",
        "4.weight", "4.bias", "5.0.weight", "5.0.bias", "5.1.weight", "5.1.bias",
      ])
    #expect(network.layers.count == 7)
    #expect(network[..<5](Tensor(ones: [4, 2])).shape == [4, 1])
    let copy = network.copy()
    #expect(copy.parameters.map(\.name) == network.parameters.map(\.name))
    #expect(zip(copy.parameters, network.parameters).allSatisfy { $0.parameter !== $1.parameter })
  }

  @Test func emptyListIsTheIdentity() {
    let x = Tensor([1.0, 2])
    #expect(Sequential {}(x).elements(as: Double.self) == [1, 2])
    #expect(Residual {}(x).elements(as: Double.self) == [2, 4])
  }

  @Test func residualsMayProject() {
    let block = Residual(shortcut: linear(2, 3)) { linear(2, 3, seed: 2) }
    #expect(block(Tensor(ones: [5, 2])).shape == [5, 3])
    #expect(
      block.parameters.map(\.name) == ["body.0.weight", "body.0.bias", "shortcut.weight", "shortcut.bias"])
  }

  @Test func dropoutDropsInTrainingOnly() {
    let x = Tensor(ones: [100, 100])
    let layer = Dropout(0.25)
    #expect(layer(x).elements(as: Float.self) == x.elements(as: Float.self))
    var random = RandomGenerator(seed: 4)
    let dropped = withTraining(using: &random) { layer(x) }.elements(as: Float.self)
    #expect(Set(dropped) == [0, 4 / 3.0])
    #expect(abs(Double(dropped.count { $0 == 0 }) / 10_000 - 0.25) < 0.02)
    #expect(random.position > 0)
    let (_, gradient) = valueWithGradient(at: x) { x in
      var random = RandomGenerator(seed: 4)
      return withTraining(using: &random) { layer(x) }.sum()
    }
    #expect(gradient.elements(as: Float.self) == dropped)
  }

  @Test func spatialDropoutDropsWholeChannels() {
    var random = RandomGenerator(seed: 4)
    let y = withTraining(using: &random) { SpatialDropout(0.5)(Tensor(ones: [4, 3, 5, 8])) }
    var kept = 0
    for image in 0..<4 {
      for channel in 0..<8 {
        let values = Set(y.select(image).select(channel, axis: -1).elements(as: Float.self))
        #expect(values == [0] || values == [2])
        kept += values == [2] ? 1 : 0
      }
    }
    #expect(kept > 4 && kept < 28)
  }

  @Test func recurrentLayersDropBetweenLevels() {
    var random = RandomGenerator(seed: 1)
    let layer = LSTM(2, 3, layers: 2, dropout: 0.5, using: &random)
    let x = Tensor(normal: [2, 4, 2], using: &random)
    let plain = layer(x).elements(as: Float.self)
    #expect(layer(x).elements(as: Float.self) == plain)
    let dropped = withTraining(using: &random) { layer(x) }.elements(as: Float.self)
    #expect(dropped != plain)
  }

  @Test func sequencesWithoutStepsKeepTheirStates() {
    var random = RandomGenerator(seed: 1)
    let empty = Tensor(zeros: [2, 0, 3])
    let lstm = LSTM(3, 4, layers: 2, isBidirectional: true, using: &random)
    let (outputs, states) = lstm(empty, from: nil)
    #expect(outputs.shape == [2, 0, 8] && states.count == 4 && states[3].cell.shape == [2, 4])
    let gru = GRU(3, 4, using: &random)
    let state = Tensor(ones: [2, 4])
    #expect(
      gru(empty, from: [state]).finalStates[0].elements(as: Float.self) == state.elements(as: Float.self))
    let rnn = RNN(3, 4, using: &random)
    #expect(rnn(empty, from: nil).finalStates[0].shape == [2, 4])
  }

  /// The readable cell and the whole-sequence layer are the same network.
  @Test func layersAreTheirCells() {
    var random = RandomGenerator(seed: 1)
    func check<Cell: RecurrentCell>(_ cell: Cell) {
      let x = Tensor(normal: [2, 5, 3], using: &random)
      let whole = Recurrent(cell)(x)
      var state: Cell.State?
      for t in 0..<5 {
        let next = cell(x.select(t, axis: 1), state)
        expectClose(cell.output(of: next), whole.select(t, axis: 1), 1e-6)
        state = next
      }
    }
    check(RNNCell(3, 4, using: &random))
    check(LSTMCell(3, 4, using: &random))
    check(GRUCell(3, 4, using: &random))
    check(GRUCell(3, 4, resetGate: .beforeProduct, using: &random))
  }

  @Test func forgetGatesBeginOpen() {
    var random = RandomGenerator(seed: 1)
    let cell = LSTMCell(3, 2, using: &random)
    #expect(cell.bias!.value.elements(as: Float.self) == [0, 0, 1, 1, 0, 0, 0, 0])
  }

  @Test func paddingGetsNoGradientHoweverItIsCounted() {
    var random = RandomGenerator(seed: 1)
    let layer = Embedding(4, 2, paddingIndex: 3, using: &random)
    let indices = Tensor([3, -1, 0, -4] as [Int32], shape: [2, 2])
    let (_, gradients) = valueWithGradient(at: layer) { $0(indices).sum() }
    #expect(gradients[layer.weight]!.elements(as: Float.self) == [2, 2, 0, 0, 0, 0, 0, 0])
  }

  @Test func positionsAreThePapers() {
    let positions = sinusoidalPositions(50, 6, dtype: .float64).elements(as: Double.self)
    for place in 0..<50 {
      for feature in 0..<6 {
        let angle = Double(place) / pow(10_000, Double(feature / 2 * 2) / 6)
        let expected = feature % 2 == 0 ? sin(angle) : cos(angle)
        #expect(abs(positions[place * 6 + feature] - expected) < 1e-12)
      }
    }
    #expect(sinusoidalPositions(3, 5).shape == [3, 5])
    #expect(SinusoidalPositions()(Tensor(zeros: [2, 3, 5])).shape == [2, 3, 5])
    var random = RandomGenerator(seed: 1)
    let learned = LearnedPositions(10, 5, using: &random)
    let y = learned(Tensor(zeros: [2, 3, 5])).elements(as: Float.self)
    #expect(Array(y[..<15]) == Array(learned.weight.value.elements(as: Float.self)[..<15]))
  }

  @Test func queriesThatMaySeeNothingGetNothing() {
    var random = RandomGenerator(seed: 1)
    let layer = MultiHeadAttention(4, heads: 2, using: &random)
    let x = Tensor(normal: [2, 3, 4], using: &random)
    let padding = Tensor([true, true, true, false, false, true], shape: [2, 3])
    let weights = layer.weights(x, x, keyPadding: padding)
    #expect(weights.select(0).elements(as: Float.self).allSatisfy { $0 == 0 })
    #expect(layer(x, keyPadding: padding, isCausal: false).isFinite)
  }

  @Test func causalMasksMayBeginLater() {
    #expect(
      causalMask(queries: 2, keys: 4, offset: 1).elements(as: Bool.self)
        == [true, true, false, false, true, true, true, false])
  }

  @Test func mistakesAreNamed() async {
    func expectMessage(_ message: String, _ result: ExitTest.Result?) {
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(text.contains(message), "\(text)")
    }
    expectMessage(
      "Recurrent<LSTMCell>: 1 initial states for 2 cells",
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var random = RandomGenerator(seed: 1)
        let layer = LSTM(3, 4, layers: 2, using: &random)
        _ = layer(
          Tensor(zeros: [1, 2, 3]), from: [layer.layers[0].forward.zeroState(batch: 1, dtype: .float32)])
      })
    expectMessage(
      "GRUCell: an input of shape [1, 2, 5], not [batch, time, 3]",
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var random = RandomGenerator(seed: 1)
        _ = GRU(3, 4, using: &random)(Tensor(zeros: [1, 2, 5]))
      })
    expectMessage(
      "MultiHeadAttention: 10 features in 4 heads",
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var random = RandomGenerator(seed: 1)
        _ = MultiHeadAttention(10, heads: 4, using: &random)
      })
  }
}

private func pow(_ base: Double, _ exponent: Double) -> Double { Kasane.pow(base, Tensor(exponent)).scalar }
private func sin(_ x: Double) -> Double { Kasane.sin(Tensor(x)).scalar }
private func cos(_ x: Double) -> Double { Kasane.cos(Tensor(x)).scalar }
