// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneModels

// Recurrent networks.
extension Workload {
  static let nextWord = Workload(
    name: "next-word",
    about: "the word after five, vocabulary 8,000, embedding and hidden 30, batch 128, Adam"
  ) { options in
    let (batch, steps, vocabulary) = (options.batch ?? 128, options.length ?? 5, 8000)
    var random = RandomGenerator(seed: 1)
    let model = NextWordNetwork(
      words: vocabulary, features: 30, hidden: 30, cell: .rnn, using: &random)
    let optimizer = Adam(learningRate: 0.005)
    let words = indices([batch, steps], below: vocabulary, &random)
    let next = indices([batch], below: vocabulary, &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { model in crossEntropy(model(words), next) }
      optimizer.update(model, along: gradients)
    }
  }

  static let lstmLanguageModel = languageModel("lstm-lm", "LSTM", .lstm)
  static let gruLanguageModel = languageModel("gru-lm", "GRU", .gru)

  private static func languageModel(_ name: String, _ title: String, _ cell: RecurrentKind) -> Workload {
    Workload(
      name: name,
      about:
        "language model, 2 layers of \(title) of 650, 35 steps, batch 20, vocabulary 10,000, SGD, clipped"
    ) { options in
      let shape: Shape = [options.batch ?? 20, options.length ?? 35]
      var random = RandomGenerator(seed: 1)
      let model = RecurrentLanguageModel(
        tokens: 10_000, features: 650, hidden: 650, layers: 2, cell: cell, dropout: 0, isTied: false,
        using: &random)
      let optimizer = SGD(learningRate: 0.1)
      let words = indices(shape, below: 10_000, &random)
      let next = indices(shape, below: 10_000, &random)
      return {
        var (_, gradients) = valueWithGradient(at: model) { model in crossEntropy(model(words).logits, next) }
        gradients.clip(toNorm: 5)
        optimizer.update(model, along: gradients)
      }
    }
  }

  static let bidirectionalLSTM = Workload(
    name: "bilstm", about: "a bidirectional LSTM, 128 each way, 50 steps, batch 32, Adam"
  ) { options in
    var random = RandomGenerator(seed: 1)
    let model = LSTM(128, 128, isBidirectional: true, using: &random)
    let optimizer = Adam(learningRate: 0.001)
    let x = Tensor(normal: [options.batch ?? 32, options.length ?? 50, 128], using: &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { model in square(model(x)).mean() }
      optimizer.update(model, along: gradients)
    }
  }

  static let attentionTranslator = Workload(
    name: "seq2seq-attention",
    about: "a translator with attention, vocabulary 6,000, 256, bidirectional, 20 steps, batch 64, Adam"
  ) { options in
    let shape: Shape = [options.batch ?? 64, options.length ?? 20]
    var random = RandomGenerator(seed: 1)
    let model = AttentionTranslator(
      sourceVocabulary: 6000, targetVocabulary: 6000, features: 256, using: &random)
    let optimizer = Adam(learningRate: 0.001)
    let source = indices(shape, below: 6000, &random)
    let target = indices(shape, below: 6000, &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { model in crossEntropy(model(source, target), target)
      }
      optimizer.update(model, along: gradients)
    }
  }

  static let hierarchicalDialogue = Workload(
    name: "hred",
    about: "HRED, 16 dialogues of 12 turns of up to 30 words, vocabulary 10,000, 128, 256, Adam, clipped"
  ) { options in
    let longest = options.length ?? 30
    var random = RandomGenerator(seed: 1)
    let dialogues = (0..<(options.batch ?? 16)).map { dialogue in
      (0..<12).map { turn -> [Int32] in
        let words = 1 + 7 * (12 * dialogue + turn) % longest
        return (0..<words).map { _ in Int32.random(in: 1..<10_000, using: &random) }
      }
    }
    let model = DialogueModel(
      DialogueModel.Sizes(words: 10_000, features: 128, hidden: 256, context: 256), using: &random)
    let optimizer = Adam(learningRate: 0.001)
    let batch = DialogueBatch(dialogues, end: 0)
    return {
      var (_, gradients) = valueWithGradient(at: model) { model in
        model(batch).words / Double(batch.targetCount)
      }
      gradients.clip(toNorm: 1)
      optimizer.update(model, along: gradients)
    }
  }

  static let beamSearch = Workload(
    name: "beam-search",
    about:
      "a translation by a beam of 5, vocabulary 6,000, LSTM 256, bidirectional, fed attention, 20 steps, batch 1"
  ) { options in
    let (batch, steps, end) = (options.batch ?? 1, options.length ?? 20, Int32(0))
    var random = RandomGenerator(seed: 1)
    let model = Translator(
      Translator.Sizes(source: 6000, target: 6000, features: 256, hidden: 256), cell: .lstm,
      readsBothWays: true, attention: .general, feedsInput: true, using: &random)
    let decoder = TranslationDecoder(model)
    let source = indices([batch, steps], below: 6000, &random)
    let lengths = Tensor([Int32](repeating: Int32(steps), count: batch))
    let first = Tensor([Int32](repeating: end, count: batch))
    // Without an end every search takes all steps.
    let search = BeamSearch(width: 5, maximumLength: steps, end: end, forbidden: [end])
    return {
      _ = search.search(decoder, from: decoder.start(source, lengths: lengths), first: first)
    }
  }

  private static func indices(_ shape: Shape, below count: Int, _ random: inout RandomGenerator) -> Tensor {
    Tensor(
      (0..<shape.elementCount).map { _ in Int64.random(in: 0..<Int64(count), using: &random) }, shape: shape)
  }
}
