// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// Recurrent models against PyTorch's numbers (Tests/Fixtures/recurrent_models.py): outputs and gradients.
@Suite struct RecurrentModelTests {
  /// This library's name and layout of each of PyTorch's parameters; biases that are added are summed, unless the cell has
  /// two.
  private func translated(
    _ tensors: [String: Tensor], _ prefix: String, isGradient: Bool, hasTwoBiases: Bool,
    _ renaming: [String: String]
  ) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (key, value) in tensors.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
      var place = key.dropFirst(prefix.count).split(separator: ".").map(String.init)
      var name = place.removeLast()
      let isReversed = name.hasSuffix("_reverse")
      if let level = name.split(separator: "_").first(where: { $0.hasPrefix("l") && $0.count == 2 }) {
        place += ["layers", String(level.dropFirst()), isReversed ? "backward" : "forward"]
        name = name.split(separator: "_").prefix(2).joined(separator: "_")
      }
      let own =
        switch name {
        case "weight_ih": "inputWeight"
        case "weight_hh": "recurrentWeight"
        case "bias_ih": "bias"
        case "bias_hh": hasTwoBiases ? "recurrentBias" : "bias"
        default: name
        }
      let full = (place + [own]).joined(separator: ".")
      let path = renaming[full] ?? full
      let isTable = place.last!.hasSuffix("mbedding")
      let turned = value.rank == 2 && !isTable ? value.transposed() : value
      // Both biases have the same gradient.
      if let present = result[path] {
        result[path] = isGradient ? present : present + turned
      } else {
        result[path] = turned
      }
    }
    return result
  }

  private func check<Model: Module>(
    _ name: String, _ model: Model, inputs: [String], hasTwoBiases: Bool = false,
    renaming: [String: String] = [:], run: @escaping (Model, [Tensor]) -> [Tensor]
  ) throws {
    let path = Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Recurrent")
    let tensors = try Safetensors(contentsOf: try #require(path)).tensors
    func own(_ prefix: String, isGradient: Bool) -> [String: Tensor] {
      translated(tensors, prefix, isGradient: isGradient, hasTwoBiases: hasTwoBiases, renaming)
    }
    try model.load(own("weight.", isGradient: false), from: name)
    let values = inputs.map { tensors["input.\($0)"]! }
    func expect(_ found: Tensor, _ expected: Tensor, _ what: String) {
      let (a, b) = (found.elements(as: Float.self), expected.elements(as: Float.self))
      let scale = b.reduce(1e-6) { max($0, abs($1)) }
      #expect(found.shape == expected.shape, "\(name): \(what)")
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * scale }, "\(name): \(what)")
    }
    func loss(_ outputs: [Tensor]) -> Tensor {
      outputs.enumerated().map { ($1 * tensors["factor.\($0)"]!).sum() }.reduce(Tensor(Float(0)), +)
    }
    let outputs = run(model, values)
    #expect(tensors["output.\(outputs.count)"] == nil)
    for (index, output) in outputs.enumerated() {
      expect(output, tensors["output.\(index)"]!, "output \(index)")
    }
    let (_, gradients) = valueWithGradient(at: model) { loss(run($0, values)) }
    let expected = own("gradient.weight.", isGradient: true)
    for (own, parameter) in model.parameters {
      expect(
        try #require(gradients[parameter], "\(name): no gradient by \(own)"),
        try #require(expected[own], "\(own)"),
        "gradient by \(own)")
    }
    let places = inputs.indices.filter { tensors["gradient.input.\(inputs[$0])"] != nil }
    let (_, byInputs) = valueWithGradients(at: places.map { values[$0] }) { chosen in
      var all = values
      for (place, tensor) in zip(places, chosen) { all[place] = tensor }
      return loss(run(model, all))
    }
    for (place, gradient) in zip(places, byInputs) {
      expect(gradient, tensors["gradient.input.\(inputs[place])"]!, "gradient by \(inputs[place])")
    }
  }

  private static let outputNames = ["output.weight": "outputWeight", "output.bias": "outputBias"]

  @Test(arguments: RecurrentKind.allCases.filter { $0 != .rnn })
  func languageModels(_ cell: RecurrentKind) throws {
    var random = RandomGenerator(seed: 1)
    let model = RecurrentLanguageModel(
      tokens: 9, features: 4, hidden: 5, layers: 2, cell: cell, dropout: 0, isTied: false, using: &random)
    try check(
      "\(cell)-language-model", model, inputs: ["words"], hasTwoBiases: cell == .gru,
      renaming: Self.outputNames
    ) { [$0($1[0]).logits] }
  }

  /// Outputs that share the embedding's vectors, in the middle of a text.
  @Test(arguments: RecurrentKind.allCases)
  func tiedLanguageModels(_ cell: RecurrentKind) throws {
    var random = RandomGenerator(seed: 1)
    let model = RecurrentLanguageModel(
      tokens: 9, features: 5, hidden: 5, layers: 2, cell: cell, dropout: 0.5, isTied: true, using: &random)
    try check(
      "\(cell)-language-model-tied", model, inputs: cell == .lstm ? ["words", "h", "c"] : ["words", "h"],
      hasTwoBiases: cell == .gru, renaming: Self.outputNames
    ) { model, inputs in
      // PyTorch has the levels of each kind of state together, this library the states of each level.
      let kinds = inputs[1...].map { $0.unstacked() }
      let (logits, states) = model(inputs[0], from: (0..<2).flatMap { level in kinds.map { $0[level] } })
      return [logits]
        + kinds.indices.map { kind in Tensor.stack([states[kind], states[kinds.count + kind]]) }
    }
  }

  @Test(arguments: RecurrentKind.allCases)
  func nextWordNetworks(_ cell: RecurrentKind) throws {
    var random = RandomGenerator(seed: 1)
    let model = NextWordNetwork(words: 9, features: 4, hidden: 5, cell: cell, using: &random)
    try check("\(cell)-next-word", model, inputs: ["words"], hasTwoBiases: cell == .gru) { [$0($1[0])] }
  }

  @Test(arguments: [("tagger", true), ("forward-tagger", false)])
  func tagger(_ name: String, _ isBidirectional: Bool) throws {
    var random = RandomGenerator(seed: 1)
    let model = SequenceTagger(
      tokens: 9, features: 4, hidden: 5, isBidirectional: isBidirectional, classes: [3, 2], using: &random)
    try check(name, model, inputs: ["words"]) { $0($1[0]) }
  }

  @Test func translator() throws {
    var random = RandomGenerator(seed: 1)
    let model = AttentionTranslator(sourceVocabulary: 7, targetVocabulary: 8, features: 3, using: &random)
    try check("translator", model, inputs: ["source", "target"]) {
      [$0($1[0], $1[1], lengths: Tensor([5, 2, 4]))]
    }
  }
}
