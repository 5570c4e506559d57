// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// A module's numbers as PyTorch computes them (Tests/Fixtures/transformers.py).
private struct Fixture {
  let name: String
  let tensors: [String: Tensor]
  /// Where in this module each of PyTorch's modules is.
  private static let places = [
    "encoder": [
      "self_attn": "attention", "norm1": "attentionNorm", "norm2": "feedForwardNorm",
      "linear1": "feedForward.inner", "linear2": "feedForward.outer",
    ],
    "decoder": [
      "self_attn": "attention", "multihead_attn": "crossAttention", "norm1": "attentionNorm",
      "norm2": "crossAttentionNorm", "norm3": "feedForwardNorm", "linear1": "feedForward.inner",
      "linear2": "feedForward.outer",
    ],
  ]

  init(_ name: String) throws {
    let path = Bundle.module.path(
      forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Transformers")
    self.name = name
    tensors = try Safetensors(contentsOf: try #require(path, "no fixture \(name)")).tensors
  }

  /// PyTorch's tensors under this library's names and in its layouts: those that begin with a prefix, as of an encoder's
  /// or a decoder's layer where their own name does not say.
  func translated(_ prefix: String, layer: String = "encoder") -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (key, value) in tensors where key.hasPrefix(prefix) {
      var parts = key.dropFirst(prefix.count).split(separator: ".").map(String.init)
      let kind = parts.removeLast()
      let side = ["encoder", "decoder"].contains(parts.first) ? parts[0] : layer
      let place = parts.map { Self.places[side]![$0] ?? ($0 == "out_proj" ? "output" : $0) }
        .joined(separator: ".")
      let turned = value.rank == 2 ? value.transposed() : value
      guard kind.hasPrefix("in_proj") else {
        result["\(place).\(kind)"] = turned
        continue
      }
      for (part, name) in zip(turned.split(into: 3, axis: -1), ["query", "key", "value"]) {
        result["\(place).\(name).\(kind.dropFirst("in_proj_".count))"] = part
      }
    }
    return result
  }

  /// Gives the model PyTorch's weights, runs it, and compares the output and all gradients.
  func check<Model: Module>(
    _ model: Model, layer: String = "encoder", inputs: [String], run: (Model, [Tensor]) -> Tensor
  ) throws {
    try model.load(translated("weight.", layer: layer), from: name)
    let values = inputs.map { tensors["input.\($0)"]! }
    expect(run(model, values), tensors["output.0"]!, "output")
    let factor = tensors["factor.0"]!
    let (_, gradients, inputGradients) = valueWithGradients(at: model, values) {
      (run($0, $1) * factor).sum()
    }
    let expected = translated("gradient.weight.", layer: layer)
    for (own, parameter) in model.parameters {
      let gradient = try #require(gradients[parameter], "\(name): no gradient by \(own)")
      expect(gradient, try #require(expected[own]), "gradient by \(own)")
    }
    for (input, gradient) in zip(inputs, inputGradients) {
      expect(gradient, tensors["gradient.input.\(input)"]!, "gradient by \(input)")
    }
  }

  private func expect(_ found: Tensor, _ exact: Tensor, _ what: String) {
    guard found.shape == exact.shape else {
      Issue.record("\(name): \(what) of shape \(found.shape), not \(exact.shape)")
      return
    }
    let (a, b) = (found.elements(as: Float.self), exact.elements(as: Float.self))
    let scale = max(b.reduce(0) { max($0, abs($1)) }, 1e-3)
    let difference = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
    // Gradients by the keys' biases are zero but for rounding.
    #expect(difference <= 2e-5 * max(scale, what.hasSuffix("key.bias") ? 1 : 0), "\(name): \(what)")
  }
}

@Suite struct TransformerTests {
  private static func configuration(
    _ activation: Activation = .relu, isNormFirst: Bool = false
  ) -> TransformerConfiguration {
    TransformerConfiguration(
      features: 8, heads: 2, innerFeatures: 12, dropout: 0, activation: activation, isNormFirst: isNormFirst)
  }

  /// The last steps of the second and third sequence are padding.
  private static let padding = Tensor(
    [7, 4, 6].flatMap { length in (0..<7).map { $0 >= length } }, shape: [3, 7])

  @Test func encoderLayersAreThoseOfPyTorch() throws {
    var random = RandomGenerator(seed: 1)
    for (name, configuration) in [
      ("encoder-layer", Self.configuration()),
      ("encoder-layer-norm-first", Self.configuration(.gelu, isNormFirst: true)),
    ] {
      let layer = TransformerEncoderLayer(configuration, using: &random)
      try Fixture(name).check(layer, inputs: ["x"]) { $0($1[0], keyPadding: Self.padding) }
    }
  }

  @Test func decoderLayersAreThoseOfPyTorch() throws {
    var random = RandomGenerator(seed: 1)
    for (name, configuration) in [
      ("decoder-layer", Self.configuration(.gelu)),
      ("decoder-layer-norm-first", Self.configuration(isNormFirst: true)),
    ] {
      let layer = TransformerDecoderLayer(configuration, using: &random)
      try Fixture(name).check(layer, layer: "decoder", inputs: ["x", "memory"]) {
        $0($1[0], $1[1], memoryPadding: Self.padding)
      }
    }
  }

  @Test func theWholeIsThatOfPyTorch() throws {
    struct Whole: Module {
      let encoder: TransformerEncoder
      let decoder: TransformerDecoder
    }
    var random = RandomGenerator(seed: 1)
    let whole = Whole(
      encoder: TransformerEncoder(Self.configuration(), layers: 2, hasNorm: true, using: &random),
      decoder: TransformerDecoder(Self.configuration(), layers: 2, hasNorm: true, using: &random))
    try Fixture("transformer").check(whole, inputs: ["source", "target"]) {
      $0.decoder($1[1], $0.encoder($1[0]))
    }
  }

  @Test func translatorsSeeNoLaterWords() {
    var random = RandomGenerator(seed: 1)
    var configuration = TranslationTransformer.Configuration(sourceVocabulary: 11, targetVocabulary: 13)
    configuration.layer = Self.configuration()
    (configuration.encoderLayers, configuration.decoderLayers) = (1, 2)
    let model = TranslationTransformer(configuration, using: &random)
    let source = Tensor([1, 4, 7, 9, 2, 3], shape: [2, 3])
    let logits = model(source, Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]))
    let others = model(source, Tensor([1, 2, 12, 4, 5, 0], shape: [2, 3]))
    #expect(logits.shape == [2, 3, 13])
    let (seen, changed) = (logits[0..., 0..<2], others[0..., 0..<2])
    #expect(seen.elements(as: Float.self) == changed.elements(as: Float.self))
    #expect(logits.elements(as: Float.self) != others.elements(as: Float.self))
  }

  /// In bfloat16 the loss and its gradients, which are float32, are those of float32 but for rounding.
  @Test func halfPrecisionIsClose() {
    var random = RandomGenerator(seed: 2)
    for isNormFirst in [false, true] {
      var configuration = BERT.Configuration(
        vocabulary: 17, features: 32, layers: 2, heads: 2, places: 6, dropout: 0)
      configuration.layer.isNormFirst = isNormFirst
      let model = MaskedLanguageModel(configuration, using: &random)
      let words = Tensor([1, 4, 7, 9, 2, 3, 11, 16, 0, 5], shape: [2, 5])
      let (places, labels) = (Tensor([7, 2, 9]), Tensor([3, 1, 16]))
      let (loss, gradients) = valueWithGradient(at: model) { crossEntropy($0(words, at: places), labels) }
      let (half, halfGradients) = valueWithGradient(at: model) { model in
        withPrecision(.bfloat16) { crossEntropy(model(words, at: places), labels) }
      }
      #expect(half.dtype == .float32 && abs(half.scalar - loss.scalar) < 0.02 * loss.scalar)
      for (name, parameter) in model.parameters {
        guard let exact = gradients[parameter], let found = halfGradients[parameter] else { continue }
        #expect(found.dtype == .float32, "\(name)")
        // Gradients by the keys' biases are zero but for rounding.
        let scale = max(abs(exact).max().scalar, 1e-2)
        let difference = abs(found - exact).max().scalar
        #expect(difference < 0.1 * scale, "\(name), norm first \(isNormFirst): \(difference) of \(scale)")
      }
    }
  }

  @Test func maskedWordsAreAskedForAlone() {
    var random = RandomGenerator(seed: 1)
    var configuration = BERT.Configuration(vocabulary: 17, features: 8, layers: 2, heads: 2, places: 6)
    (configuration.segments, configuration.normalizesEmbeddings) = (2, true)
    let model = MaskedLanguageModel(configuration, using: &random)
    let words = Tensor([1, 4, 7, 9, 2, 3, 11, 16, 0, 5], shape: [2, 5])
    let all = model(words, at: Tensor(Array(0..<10)))
    let some = model(words, at: Tensor([7, 2]))
    #expect(some.shape == [2, 17])
    let expected = all.gathered(Tensor([7, 2])).elements(as: Float.self)
    for (a, b) in zip(some.elements(as: Float.self), expected) { #expect(abs(a - b) < 1e-5) }
    // The paper's base model without its head has 109 million parameters.
    let large = BERT.Configuration(vocabulary: 30522)
    #expect(large.layer.features == 768 && large.layer.innerFeatures == 3072 && large.layers == 12)
  }
}
