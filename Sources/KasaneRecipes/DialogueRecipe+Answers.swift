// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData
import KasaneModels

extension DialogueRecipe {
  private func manner(_ options: ReplyOptions) -> DialogueSystem.Manner {
    DialogueSystem.Manner(
      sampling: options.sampling, longest: options.length, beam: options.search.beam,
      lengthPenalty: options.search.lengthPenalty)
  }

  /// A conversation in which nothing was said yet.
  public func conversation(with options: ReplyOptions) -> Conversation {
    Conversation(system, by: manner(options))
  }

  /// The reply to the turns of a conversation.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: try ReplyOptions.parse([]))
  }

  /// Replies to the turns of a conversation: each word is a turn, or has several with `__eou__` between them.
  public func predict(_ words: [String], with options: ReplyOptions) throws -> [String] {
    let turns = words.flatMap(Dialogues.turns)
    guard !turns.isEmpty else { throw KasaneError("predict: nothing said, \(Self.predictionUsage) expected") }
    let conversation = conversation(with: options)
    for turn in turns { try conversation.hear(turn, source: "predict") }
    return conversation.replies(options.samples)
  }

  /// The meanings of sentences.
  public func vectors(of sentences: [String]) throws -> Tensor {
    try sentenceVectors(sentences) { try system.meaning(of: $0, source: $1) }
  }

  // MARK: Evaluation

  /// The dialogues to judge by.
  private func dialogues(of evaluation: DialogueEvaluationOptions) throws -> [[[Int32]]] {
    guard let place = evaluation.data else {
      try prepare()
      return data!.validation
    }
    let found = try Dialogues.judged(at: place, longest: options.longest, overlong: options.overlong)
    let encoded = found.encoded(by: vocabulary!, longest: options.turns)
    guard encoded.contains(where: { $0.contains { $0.contains { $0 != DialogueSystem.unknown } } }) else {
      throw KasaneError("\(place): none of its words is known to the run")
    }
    return encoded
  }

  /// The models of the runs that are set beside this one, which must have the same vocabulary.
  private func others(_ runs: [String]) throws -> [DialogueSystem] {
    try runs.map { path in
      let found = try dialogueSystem(of: path)
      guard found.vocabulary == vocabulary else {
        throw KasaneError(
          "\(path): a run with another vocabulary: \(found.vocabulary.count) words, the \(vocabulary!.count) of the "
            + "run that it stands beside expected")
      }
      return found
    }
  }

  /// How well replies are foretold, and what the network's own are like, in lines.
  public func evaluate(_ evaluation: DialogueEvaluationOptions) throws -> [String] {
    let others = try others(evaluation.beside)
    let dialogues = try dialogues(of: evaluation)
    let systems = [system] + others
    let vectors = try ReplyVectors(
      vocabulary!, file: evaluation.vectors, else: model.embedding.weight.value)
    let replies = dialogues.map(\.count).reduce(0, +) - dialogues.count
    let words = dialogues.joined().joined()
    let unknown = fixed(100 * Double(words.count { $0 == DialogueSystem.unknown }) / Double(words.count), 2)
    var lines = [
      "Dialogues: \(dialogues.count) with \(replies) replies, \(words.count) words, of which \(unknown) % are unknown"
    ]
    let chosen = Array(dialogues.prefix(evaluation.dialogues))
    var rows: [[String]] = []
    for (index, system) in systems.enumerated() {
      let cost = system.cost(of: dialogues)
      let kl = system.model.latent.map { _ in fixed(cost.divergencePerReply, 2) } ?? "-"
      if index == 0 {
        lines += [
          "Mean loss: \(fixed(cost.loss, 4)) nats a word",
          "Perplexity: \(fixed(perplexity(of: cost.loss), 2))"
            + (system.model.latent == nil
              ? ""
              : " (an upper bound; of words given latent variables "
                + "\(fixed(perplexity(of: cost.words / Double(cost.targets)), 2)), KL \(kl) nats a reply)"),
        ]
      }
      guard !chosen.isEmpty else { continue }
      let (said, references) = system.answered(chosen, by: evaluation.manner)
      if index == 0 {
        rows.append(["given"] + ["-", "-"] + ReplyMetrics(references).cells + ["-", "-", "-"])
      }
      rows.append(
        [system.title, fixed(perplexity(of: cost.loss), 2), kl] + ReplyMetrics(said).cells
          + vectors.compare(said, references).map { fixed($0, 3) })
    }
    guard !rows.isEmpty else { return lines }
    let head = [
      "replies", "perplexity", "KL", "words", "distinct-1", "distinct-2", "average", "greedy", "extrema",
    ]
    return lines + aligned([head] + rows)
  }

  /// Replies to the first turns of dialogues that were not learned from.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    try prepare()
    var options = try ReplyOptions.parse([])
    options.sampling.temperature = 0
    options.sampling.seed = seed
    let rows = data!.validation.prefix(8).flatMap { dialogue -> [[String]] in
      let conversation = conversation(with: options)
      let heard = dialogue.prefix(3).dropLast().map { system.text(of: $0) }
      for turn in heard { try? conversation.hear(turn) }
      return [[heard.joined(separator: " / "), conversation.replies(1).first ?? ""]]
    }
    return [
      Exhibit(
        "replies", title: language("Replies", "応答"),
        caption: language(
          "What the network replies to the first turns of dialogues that it has not seen, by the likeliest words.",
          "学習に使っていない対話の最初の発話への応答です。最も確からしい単語を選んでいます。"),
        .table(
          columns: [
            Exhibit.Column(language("Said", "発話")), Exhibit.Column(language("Reply", "応答")),
          ], rows: rows))
    ]
  }
}

/// The model of a finished run of a recipe on dialogues. Throws one line where it is none.
private func dialogueSystem(of path: String) throws -> DialogueSystem {
  let run = try RunFolder.open(path)
  switch run.configuration.recipe {
  case HierarchicalDialogue.name: return try HierarchicalDialogue.trained(in: path).system
  case VariationalDialogue.name: return try VariationalDialogue.trained(in: path).system
  case let other:
    throw KasaneError(
      "\(path): a run of the recipe \(other), one of \(HierarchicalDialogue.name) or \(VariationalDialogue.name) "
        + "expected")
  }
}
