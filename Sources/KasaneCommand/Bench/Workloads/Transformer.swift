// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneModels

extension Workload {
  static let translationTransformer = Workload(
    name: "transformer-mt", about: "Transformer of 3 + 3 layers of 256, 64 sentences of 20 words, Adam"
  ) { options in
    let (vocabulary, batch, time) = (6000, options.batch ?? 64, options.length ?? 20)
    var random = RandomGenerator(seed: 1)
    var configuration = TranslationTransformer.Configuration(
      sourceVocabulary: vocabulary, targetVocabulary: vocabulary)
    configuration.layer = TransformerConfiguration(features: 256, heads: 4, innerFeatures: 1024, dropout: 0)
    (configuration.encoderLayers, configuration.decoderLayers) = (3, 3)
    configuration.hasPositions = false
    let model = TranslationTransformer(configuration, using: &random)
    let optimizer = Adam(learningRate: 1e-4)
    let source = words(batch, time, below: vocabulary, using: &random)
    let target = words(batch, time, below: vocabulary, using: &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { crossEntropy($0(source, target), target) }
      optimizer.update(model, along: gradients)
    }
  }

  static let maskedLanguageModel = Workload(
    name: "bert-mini-mlm", about: "BERT of 4 layers of 256, 32 texts of 128 words, 15 % masked, AdamW"
  ) { options in
    let (vocabulary, batch, time) = (8000, options.batch ?? 32, options.length ?? 128)
    var random = RandomGenerator(seed: 1)
    let model = MaskedLanguageModel(
      BERT.Configuration(
        vocabulary: vocabulary, features: 256, layers: 4, heads: 4, places: time, dropout: 0),
      using: &random)
    let optimizer = AdamW(learningRate: 1e-4)
    let text = words(batch, time, below: vocabulary, using: &random)
    let places = Tensor((0..<batch * time).filter { _ in random.uniform() < 0.15 })
    let labels = text.reshaped(to: [-1]).gathered(places)
    return {
      let (_, gradients) = valueWithGradient(at: model) { crossEntropy($0(text, at: places), labels) }
      optimizer.update(model, along: gradients)
    }
  }

  static let bertBaseInference = encoderInference(
    name: "bert-base-infer", about: "BERT of 12 layers of 768, a text of 128 words", features: 768,
    layers: 12, batch: 1)

  static let miniLMInference = encoderInference(
    name: "minilm-infer-b8", about: "MiniLM of 6 layers of 384, 8 texts of 128 words", features: 384,
    layers: 6, batch: 8)

  private static func encoderInference(
    name: String, about: String, features: Int, layers: Int, batch: Int
  ) -> Workload {
    Workload(name: name, about: about) { options in
      let (vocabulary, batch, time) = (30522, options.batch ?? batch, options.length ?? 128)
      var random = RandomGenerator(seed: 1)
      let model = BERT(
        BERT.Configuration(
          vocabulary: vocabulary, features: features, layers: layers, heads: 12, places: time),
        using: &random)
      let text = words(batch, time, below: vocabulary, using: &random)
      return { _ = model(text) }
    }
  }
}

/// Numbers of words, each as likely as any other.
private func words(
  _ batch: Int, _ time: Int, below count: Int, using random: inout RandomGenerator
) -> Tensor {
  Tensor((0..<batch * time).map { _ in Int(random.uniform() * Double(count)) }, shape: [batch, time])
}
