// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct SummaryTests {
  /// A layer of a user's own, which does nothing to be seen.
  struct Scale: Layer {
    let factor: Parameter
    let frozen = Parameter(Tensor(zeros: [5]), isTrainable: false)

    func callAsFunction(_ x: Tensor) -> Tensor { tanh(x * factor.value.reshaped(to: [1, -1])) }
  }

  struct Block: Layer {
    let linear: Linear
    let scale: Scale

    func callAsFunction(_ x: Tensor) -> Tensor { relu(scale(linear(x))) + x }
  }

  struct Model: Layer {
    let first: Convolution2D
    let pool = MaxPool2D(2)
    let blocks: [Block]
    let head: Linear
    let unused: Linear

    func callAsFunction(_ x: Tensor) -> Tensor {
      var y = Flatten()(pool(relu(first(x))))
      for block in blocks { y = block(y) }
      return head(y)
    }
  }

  private func makeModel() -> Model {
    var random = RandomGenerator(seed: 1)
    func block() -> Block {
      Block(linear: Linear(8, 8, using: &random), scale: Scale(factor: Parameter(Tensor(ones: [8]))))
    }
    return Model(
      first: Convolution2D(1, 2, kernelSize: 3, padding: .same, using: &random), blocks: [block(), block()],
      head: Linear(8, 3, using: &random), unused: Linear(2, 2, using: &random))
  }

  @Test func layersAppearInTheOrderInWhichTheyRun() {
    let summary = makeModel().summary(input: [5, 4, 4, 1])
    #expect(
      summary.rows.map { "\($0.depth) \($0.name) \($0.type) \($0.output.map { "\($0)" } ?? "-")" } == [
        "0  Model [5, 3]", "1 first Convolution2D [5, 4, 4, 2]", "1 pool MaxPool2D [5, 2, 2, 2]",
        "1  Flatten [5, 8]",
        "1 blocks.0 Block [5, 8]", "2 blocks.0.linear Linear [5, 8]", "2 blocks.0.scale Scale [5, 8]",
        "1 blocks.1 Block [5, 8]", "2 blocks.1.linear Linear [5, 8]", "2 blocks.1.scale Scale [5, 8]",
        "1 head Linear [5, 3]", "1 unused Linear -",
      ])
    #expect(summary.rows.map(\.parameters) == [0, 20, 0, 0, 0, 72, 13, 0, 72, 13, 27, 6])
    #expect(summary.rows.map(\.trainableParameters) == [0, 20, 0, 0, 0, 72, 8, 0, 72, 8, 27, 6])
    #expect(
      summary.rows.map(\.multiplyAdds) == [0, 5 * 16 * 2 * 9, 0, 0, 0, 320, 0, 0, 320, 0, 120, 0])
    #expect(summary.multiplyAdds == 1440 + 640 + 120)
    #expect(summary.parameterCount == 223 && summary.trainableParameterCount == 213)
    #expect(summary.parameterBytes == 892)
    #expect(summary.activationBytes > 0)
    let text = summary.description
    #expect(text.contains("multiply-adds  2,200 for an input [5, 4, 4, 1]"))
    #expect(text.contains("13 part fixed") && text.contains("not run"))
  }

  @Test func listsShowTheirPlaces() {
    var random = RandomGenerator(seed: 1)
    let shared = Linear(4, 4, using: &random)
    let network = Sequential {
      shared
      Activation.relu
      Residual {
        shared
        gelu
      }
      LSTMOutput(lstm: LSTM(4, 3, layers: 2, isBidirectional: true, using: &random))
      Dropout(0.1)
      Flatten()
    }
    let summary = network.summary(input: Tensor(zeros: [2, 5, 4]))
    #expect(
      summary.rows.map { "\($0.depth) \($0.name) \($0.type) \($0.output.map { "\($0)" } ?? "-")" } == [
        "0  Sequential [2, 30]", "1 0 Linear [2, 5, 4]", "1 1 Activation.relu [2, 5, 4]",
        "1 2 Residual [2, 5, 4]", "2 2.body Sequential [2, 5, 4]", "3 2.body.0 Linear [2, 5, 4]",
        "3 2.body.1 Function [2, 5, 4]", "1 3 LSTMOutput [2, 5, 6]",
        "2 3.lstm Recurrent<LSTMCell> [2, 5, 6]", "1 4 Dropout [2, 5, 6]", "1 5 Flatten [2, 30]",
      ])
    // A shared parameter counts once.
    #expect(summary.rows[1].parameters == 20 && summary.rows[5].parameters == 0)
    #expect(summary.parameterCount == network.parameterCount)
    #expect(summary.rows.reduce(0) { $0 + $1.parameters } == summary.parameterCount)
    #expect(summary.rows.reduce(0) { $0 + $1.multiplyAdds } == summary.multiplyAdds)
  }

  struct LSTMOutput: Layer {
    let lstm: LSTM
    func callAsFunction(_ x: Tensor) -> Tensor { lstm(x) }
  }

  @Test func modelsOfSeveralInputsAreRunByAClosure() {
    var random = RandomGenerator(seed: 1)
    let layer = MultiHeadAttention(8, heads: 2, keyFeatures: 6, using: &random)
    let (x, y) = (Tensor(zeros: [2, 3, 8]), Tensor(zeros: [2, 4, 6]))
    let summary = layer.summary { $0(x, y, y) }
    #expect(summary.rows.map(\.name) == ["", "query", "key", "value", "output"])
    let projections = 2 * 3 * 64 + 2 * (2 * 4 * 48) + 2 * 3 * 64
    #expect(summary.multiplyAdds == projections + 2 * (2 * 3 * 4 * 8))
    // Products of the model's own count for the model itself.
    #expect(summary.rows[0].multiplyAdds == 2 * (2 * 3 * 4 * 8))
  }

  @Test func summariesLeaveNoTrace() {
    let model = makeModel()
    let before = model.tensors.mapValues { $0.elements(as: Float.self) }
    _ = model.summary(input: [1, 4, 4, 1])
    #expect(Tape.current == nil)
    #expect(model.tensors.mapValues { $0.elements(as: Float.self) } == before)
    // Within a gradient scope, too.
    let (_, gradient) = valueWithGradient(at: Tensor(Float(2))) { x in
      _ = model.summary(input: [1, 4, 4, 1])
      return x * x
    }
    #expect(gradient.scalar == 4)
  }
}
