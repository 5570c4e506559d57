// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// Recurrent models against PyTorch's numbers (Tests/Fixtures/recurrent_models.py): outputs and gradients.
@Suite struct RecurrentModelTests {
  /// This library's name and layout of each of PyTorch's parameters; biases that are added are summed.
  private func translated(_ tensors: [String: Tensor], _ prefix: String, isGradient: Bool) -> [String: Tensor]
  {
    var result: [String: Tensor] = [:]
    for (key, value) in tensors.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
      var place = key.dropFirst(prefix.count).split(separator: ".").map(String.init)
      var name = place.removeLast()
      let isReversed = name.hasSuffix("_reverse")
      if let level = name.split(separator: "_").first(where: { $0.hasPrefix("l") && $0.count == 2 }) {
        place += ["layers", String(level.dropFirst()), isReversed ? "backward" : "forward"]
        name = name.split(separator: "_").prefix(2).joined(separator: "_")
      }
      let isGRU =
        tensors.keys.contains(prefix + "network.weight_hh_l0")
        && tensors[prefix + "network.weight_hh_l0"]!.shape[0] == 15
      let own =
        switch name {
        case "weight_ih": "inputWeight"
        case "weight_hh": "recurrentWeight"
        case "bias_ih": "bias"
        case "bias_hh": isGRU ? "recurrentBias" : "bias"
        default: name
        }
      if place.first == "network" { place[0] = "recurrent" }
      let isLanguageModel = tensors.keys.contains(prefix + "network.weight_hh_l0")
      let isOutput = isLanguageModel && place == ["output"]
      let path =
        isOutput ? "output\(own.capitalized)" : (place + [own]).joined(separator: ".")
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
    _ name: String, _ model: Model, inputs: [String], run: (Model, [Tensor]) -> Tensor
  ) throws {
    let path = Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Recurrent")
    let tensors = try Safetensors(contentsOf: try #require(path)).tensors
    try model.load(translated(tensors, "weight.", isGradient: false), from: name)
    let values = inputs.map { tensors["input.\($0)"]! }
    func expect(_ found: Tensor, _ expected: Tensor, _ what: String) {
      let (a, b) = (found.elements(as: Float.self), expected.elements(as: Float.self))
      let scale = b.reduce(1e-6) { max($0, abs($1)) }
      #expect(found.shape == expected.shape, "\(name): \(what)")
      #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * scale }, "\(name): \(what)")
    }
    expect(run(model, values), tensors["output.0"]!, "output")
    let (_, gradients) = valueWithGradient(at: model) { (run($0, values) * tensors["factor.0"]!).sum() }
    let expected = translated(tensors, "gradient.weight.", isGradient: true)
    for (own, parameter) in model.parameters {
      expect(
        try #require(gradients[parameter], "\(name): no gradient by \(own)"),
        try #require(expected[own], "\(own)"),
        "gradient by \(own)")
    }
  }

  private func model(_ cell: RecurrentKind, layers: Int) -> RecurrentLanguageModel {
    var random = RandomGenerator(seed: 1)
    return RecurrentLanguageModel(
      tokens: 9, features: 4, hidden: 5, layers: layers, cell: cell, dropout: 0, isTied: false, using: &random
    )
  }

  @Test func languageModels() throws {
    try check(
      "lstm-language-model",
      model(.lstm, layers: 2),
      inputs: ["words"]
    ) { $0($1[0]).logits }
    try check(
      "gru-language-model",
      model(.gru, layers: 2),
      inputs: ["words"]
    ) { $0($1[0]).logits }
  }

  @Test func translator() throws {
    var random = RandomGenerator(seed: 1)
    let model = AttentionTranslator(sourceVocabulary: 7, targetVocabulary: 8, features: 3, using: &random)
    try check("translator", model, inputs: ["source", "target"]) {
      $0($1[0], $1[1], lengths: Tensor([5, 2, 4]))
    }
  }
}
