// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// A layer's numbers as PyTorch computes them (Tests/Fixtures/layers.py).
struct LayerFixture {
  let name: String
  let tensors: [String: Tensor]

  init(_ name: String) throws {
    let path = Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Layers")
    self.name = name
    tensors = try Safetensors(contentsOf: try #require(path, "no fixture \(name)")).tensors
  }

  subscript(name: String) -> Tensor { tensors[name]! }
  var outputs: [Tensor] { (0...).lazy.map { tensors["output.\($0)"] }.prefix { $0 != nil }.map { $0! } }

  func expect(_ found: Tensor, _ name: String) { expect(found, self[name], within: self[name], name) }

  /// Compares a tensor with the expected one, relative to the largest element of that of which this is a part.
  private func expect(_ found: Tensor, _ expected: Tensor, within whole: Tensor, _ what: String) {
    let scale = whole.elements(as: Float.self).reduce(0) { max($0, abs(Double($1))) }
    expectClose(found, expected, 1e-5, scale: scale == 0 ? 1 : scale, "\(name): \(what)")
  }

  /// Where a parameter's value is to be found among PyTorch's: the sum of some tensors, each turned as it must be.
  struct Source {
    let names: [String]
    let turned: (Tensor) -> Tensor

    init(_ names: String..., turned: @escaping (Tensor) -> Tensor = { $0 }) {
      (self.names, self.turned) = (names, turned)
    }

    static func transposed(_ name: String) -> Source { Source(name) { $0.transposed() } }
  }

  /// Gives the layer PyTorch's weights, runs it, and compares outputs and all gradients.
  func check<Model: Module>(
    _ model: Model, _ sources: [String: Source], inputs: [String],
    sourceLocation: SourceLocation = #_sourceLocation,
    run: @escaping (Model, [Tensor]) -> [Tensor]
  ) throws {
    var weights: [String: Tensor] = [:]
    for (own, source) in sources {
      let parts = source.names.map { source.turned(self["weight.\($0)"]) }
      weights[own] = parts.dropFirst().reduce(parts[0], +)
    }
    try model.load(weights, from: name)
    let values = inputs.map { self["input.\($0)"] }
    let factors = outputs.indices.map { self["factor.\($0)"] }
    func loss(_ outputs: [Tensor]) -> Tensor {
      zip(outputs, factors).map { ($0 * $1).sum() }.reduce(Tensor(Float(0)), +)
    }
    let found = run(model, values)
    #expect(found.count == outputs.count, sourceLocation: sourceLocation)
    for (index, value) in found.enumerated() { expect(value, "output.\(index)") }
    let (_, gradients) = valueWithGradient(at: model) { loss(run($0, values)) }
    for (own, parameter) in model.parameters {
      let source = sources[own]!
      let whole = self["gradient.weight.\(source.names[0])"]
      let gradient = try #require(gradients[parameter], "\(name): no gradient by \(own)")
      expect(gradient, source.turned(whole), within: whole, "gradient by \(own)")
    }
    // By the inputs too, those that are real numbers.
    let places = inputs.indices.filter { tensors["gradient.input.\(inputs[$0])"] != nil }
    let (_, inputGradients) = valueWithGradients(at: places.map { values[$0] }) { chosen in
      var all = values
      for (place, tensor) in zip(places, chosen) { all[place] = tensor }
      return loss(run(model, all))
    }
    for (place, gradient) in zip(places, inputGradients) {
      expect(gradient, "gradient.input.\(inputs[place])")
    }
  }
}

@Suite struct LayerParityTests {
  private typealias Source = LayerFixture.Source
  private var random = RandomGenerator(seed: 1)

  @Test func linear() throws {
    var random = random
    let sources: [String: Source] = ["weight": .transposed("weight"), "bias": Source("bias")]
    for name in ["linear", "linear-vector"] {
      let layer = Linear(5, 3, using: &random)
      try LayerFixture(name).check(layer, sources, inputs: ["x"]) { [$0($1[0])] }
    }
    let plain = Linear(5, 3, bias: false, using: &random)
    try LayerFixture("linear-plain").check(plain, ["weight": .transposed("weight")], inputs: ["x"]) {
      [$0($1[0])]
    }
  }

  @Test func bilinear() throws {
    var random = random
    let layer = Bilinear(4, 3, 5, using: &random)
    try LayerFixture("bilinear").check(
      layer, ["weight": Source("weight") { $0.permuted([1, 2, 0]) }, "bias": Source("bias")],
      inputs: ["a", "b"]
    ) { [$0($1[0], $1[1])] }
  }

  @Test func embedding() throws {
    var random = random
    for (name, padding) in [("embedding", nil), ("embedding-padding", 3)] {
      let layer = Embedding(7, 4, paddingIndex: padding, using: &random)
      if let padding { #expect(layer.weight.value.select(padding).elements(as: Float.self) == [0, 0, 0, 0]) }
      try LayerFixture(name).check(layer, ["weight": Source("weight")], inputs: ["x"]) { [$0($1[0])] }
    }
  }

  @Test func prelu() throws {
    try LayerFixture("prelu").check(PReLU(3), ["weight": Source("weight")], inputs: ["x"]) { [$0($1[0])] }
  }

  @Test func sequential() throws {
    var random = random
    let network = Sequential {
      Linear(4, 8, using: &random)
      relu
      Linear(8, 8, using: &random)
      Activation.tanh
      Linear(8, 2, using: &random)
    }
    // PyTorch's names are the same.
    let sources = [0, 2, 4].flatMap { place -> [(String, Source)] in
      [("\(place).weight", .transposed("\(place).weight")), ("\(place).bias", Source("\(place).bias"))]
    }
    try LayerFixture("sequential").check(
      network, Dictionary(uniqueKeysWithValues: sources), inputs: ["x"]
    ) { [$0($1[0])] }
  }

  // MARK: Recurrent layers

  /// PyTorch's names for the parameters of a recurrent layer's cells.
  private func sources(
    levels: Int, isBidirectional: Bool, bias: Bool = true, hasTwoBiases: Bool = false
  ) -> [String: Source] {
    var result: [String: Source] = [:]
    for level in 0..<levels {
      for direction in isBidirectional ? ["forward", "backward"] : ["forward"] {
        let own = "layers.\(level).\(direction)."
        let other = "l\(level)" + (direction == "backward" ? "_reverse" : "")
        result[own + "inputWeight"] = .transposed("weight_ih_\(other)")
        result[own + "recurrentWeight"] = .transposed("weight_hh_\(other)")
        guard bias else { continue }
        result[own + "bias"] =
          hasTwoBiases ? Source("bias_ih_\(other)") : Source("bias_ih_\(other)", "bias_hh_\(other)")
        if hasTwoBiases { result[own + "recurrentBias"] = Source("bias_hh_\(other)") }
      }
    }
    return result
  }

  private static let variants: [(name: String, layers: Int, isBidirectional: Bool, bias: Bool)] = [
    ("plain", 1, false, true), ("deep", 2, true, true), ("no-bias", 1, true, false),
  ]

  @Test func rnn() throws {
    var random = random
    for (name, layers, isBidirectional, bias) in Self.variants {
      let layer = RNN(
        3, 4, layers: layers, isBidirectional: isBidirectional, bias: bias, using: &random)
      #expect(layer.outputs == (isBidirectional ? 8 : 4))
      try LayerFixture("rnn-\(name)").check(
        layer, sources(levels: layers, isBidirectional: isBidirectional, bias: bias), inputs: ["x", "h"]
      ) { layer, inputs in
        let (outputs, states) = layer(inputs[0], from: inputs[1].unstacked())
        return [outputs, Tensor.stack(states)]
      }
    }
    let rectified = RNN(3, 4, activation: .relu, using: &random)
    try LayerFixture("rnn-relu").check(
      rectified, sources(levels: 1, isBidirectional: false), inputs: ["x"]
    ) { [$0($1[0])] }
  }

  @Test func lengths() throws {
    var random = random
    func check<Cell>(_ name: String, _ layer: Recurrent<Cell>, _ parts: @escaping (Cell.State) -> [Tensor])
      throws
    {
      try LayerFixture(name).check(
        layer, sources(levels: 2, isBidirectional: true, hasTwoBiases: name == "gru-packed"), inputs: ["x"]
      ) { layer, inputs in
        let (outputs, states) = layer(inputs[0], from: nil, lengths: Tensor([3, 5, 1]))
        let all = states.map(parts)
        return [outputs] + all[0].indices.map { part in Tensor.stack(all.map { $0[part] }) }
      }
    }
    try check("rnn-packed", RNN(3, 4, layers: 2, isBidirectional: true, using: &random)) { [$0] }
    try check("lstm-packed", LSTM(3, 4, layers: 2, isBidirectional: true, using: &random)) {
      [$0.hidden, $0.cell]
    }
    try check("gru-packed", GRU(3, 4, layers: 2, isBidirectional: true, using: &random)) { [$0] }
  }

  @Test func lstm() throws {
    var random = random
    for (name, layers, isBidirectional, bias) in Self.variants {
      let layer = LSTM(
        3, 4, layers: layers, isBidirectional: isBidirectional, bias: bias, using: &random)
      try LayerFixture("lstm-\(name)").check(
        layer, sources(levels: layers, isBidirectional: isBidirectional, bias: bias), inputs: ["x", "h", "c"]
      ) { layer, inputs in
        let initial = zip(inputs[1].unstacked(), inputs[2].unstacked()).map {
          LSTMState(hidden: $0, cell: $1)
        }
        let (outputs, states) = layer(inputs[0], from: initial)
        return [outputs, Tensor.stack(states.map(\.hidden)), Tensor.stack(states.map(\.cell))]
      }
    }
  }

  @Test func gru() throws {
    var random = random
    for (name, layers, isBidirectional, bias) in Self.variants {
      let layer = GRU(
        3, 4, layers: layers, isBidirectional: isBidirectional, bias: bias, using: &random)
      let sources = sources(
        levels: layers, isBidirectional: isBidirectional, bias: bias, hasTwoBiases: true)
      try LayerFixture("gru-\(name)").check(layer, sources, inputs: ["x", "h"]) { layer, inputs in
        let (outputs, states) = layer(inputs[0], from: inputs[1].unstacked())
        return [outputs, Tensor.stack(states)]
      }
    }
    let paper = GRU(3, 4, resetGate: .beforeProduct, using: &random)
    try LayerFixture("gru-paper").check(
      paper,
      [
        "layers.0.forward.inputWeight": .transposed("weight_ih"),
        "layers.0.forward.recurrentWeight": .transposed("weight_hh"),
        "layers.0.forward.bias": Source("bias_ih"),
      ], inputs: ["x", "h"]
    ) { layer, inputs in
      let (outputs, states) = layer(inputs[0], from: [inputs[1]])
      return [outputs, states[0]]
    }
  }

  @Test func cells() throws {
    var random = random
    let weights: [String: Source] = [
      "inputWeight": .transposed("weight_ih"), "recurrentWeight": .transposed("weight_hh"),
    ]
    try LayerFixture("lstm-cell").check(
      LSTMCell(3, 4, using: &random),
      weights.merging(["bias": Source("bias_ih", "bias_hh")]) { $1 }, inputs: ["x", "h", "c"]
    ) { cell, inputs in
      let state = cell(inputs[0], LSTMState(hidden: inputs[1], cell: inputs[2]))
      return [state.hidden, state.cell]
    }
    try LayerFixture("gru-cell").check(
      GRUCell(3, 4, using: &random),
      weights.merging(["bias": Source("bias_ih"), "recurrentBias": Source("bias_hh")]) { $1 },
      inputs: ["x", "h"]
    ) { [$0($1[0], $1[1])] }
  }

  // MARK: Attention

  @Test func selfAttention() throws {
    var random = random
    func rows(_ part: Int) -> (Tensor) -> Tensor { { $0.sliced(part * 8..<(part + 1) * 8, axis: 0) } }
    var sources: [String: Source] = [
      "output.weight": .transposed("out_proj.weight"), "output.bias": Source("out_proj.bias"),
    ]
    for (part, name) in ["query", "key", "value"].enumerated() {
      sources[name + ".weight"] = Source("in_proj_weight") { rows(part)($0).transposed() }
      sources[name + ".bias"] = Source("in_proj_bias", turned: rows(part))
    }
    try LayerFixture("multi-head-self").check(
      MultiHeadAttention(8, heads: 2, using: &random), sources, inputs: ["x"]
    ) { [$0($1[0], isCausal: true), $0.weights($1[0], $1[0], isCausal: true)] }
  }

  @Test func crossAttention() throws {
    var random = random
    func rows(_ part: Int) -> (Tensor) -> Tensor { { $0.sliced(part * 8..<(part + 1) * 8, axis: 0) } }
    var sources: [String: Source] = [
      "output.weight": .transposed("out_proj.weight"), "output.bias": Source("out_proj.bias"),
    ]
    for (part, name) in ["query", "key", "value"].enumerated() {
      sources[name + ".weight"] = .transposed("\(name.first!)_proj_weight")
      sources[name + ".bias"] = Source("in_proj_bias", turned: rows(part))
    }
    let fixture = try LayerFixture("multi-head-cross")
    let padding = fixture["input.padding"]
    try fixture.check(
      MultiHeadAttention(8, heads: 4, keyFeatures: 6, valueFeatures: 5, using: &random), sources,
      inputs: ["q", "k", "v", "mask"]
    ) {
      [
        $0($1[0], $1[1], $1[2], mask: $1[3], keyPadding: padding),
        $0.weights($1[0], $1[1], mask: $1[3], keyPadding: padding),
      ]
    }
  }
}
