// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData
import KasaneModels

/// A dialogue model with its words: what is measured, and what answers.
struct DialogueSystem {
  let model: DialogueModel
  let vocabulary: Vocabulary
  /// Of what is drawn where replies are judged.
  let seed: UInt64

  static let specialTokens = [Dialogues.turnEnd, "<unk>"]
  static let end: Int32 = 0, unknown: Int32 = 1
  /// How many dialogues are measured at a time.
  private static let rows = 32

  /// What a reader calls the model.
  var title: String { model.latent != nil ? "VHRED" : model.remembers ? "HRED" : "seq2seq" }

  // MARK: How well replies are foretold

  /// What the replies of dialogues cost.
  struct Cost {
    /// In nats: the words and ends of replies, and the divergence of their latent variables.
    var words = 0.0, divergence = 0.0
    /// How many words and ends, and how many replies.
    var targets = 0, replies = 0

    /// Nats a word, of which an upper bound where there are latent variables.
    var loss: Double { (words + divergence) / Double(max(targets, 1)) }
    /// Nats a reply.
    var divergencePerReply: Double { divergence / Double(max(replies, 1)) }
  }

  /// What the replies of dialogues cost; latent variables are drawn once.
  func cost(of dialogues: [[[Int32]]]) -> Cost {
    var random = RandomGenerator(seed: seed, stream: DialogueStream.judgement)
    var result = Cost()
    forEachBatch(of: dialogues) { batch, _ in
      let cost = model(batch, using: &random)
      result.words += cost.words.scalar
      result.divergence += cost.divergence?.scalar ?? 0
      result.targets += batch.targetCount
      result.replies += batch.replyCount
    }
    return result
  }

  /// Calls `body` with dialogues of about equal turns and their places.
  private func forEachBatch(of dialogues: [[[Int32]]], _ body: (DialogueBatch, ArraySlice<Int>) -> Void) {
    let order = dialogues.indices.sorted { (dialogues[$0].count, $0) < (dialogues[$1].count, $1) }
    for first in stride(from: 0, to: order.count, by: Self.rows) {
      let part = order[first..<min(first + Self.rows, order.count)]
      body(DialogueBatch(part.map { dialogues[$0] }, end: Self.end), part)
    }
  }

  // MARK: Replies

  /// How replies are made.
  struct Manner {
    /// How a word is drawn.
    var sampling: SamplingOptions
    /// How many words a reply has at most.
    var longest: Int
    /// How many beginnings a search for the likeliest reply keeps, where there is one instead of draws.
    var beam: Int?
    /// See `BeamSearch`.
    var lengthPenalty = 1.0
  }

  /// Contexts with latent variables drawn from their priors, `[rows, context + latent]`.
  private func given(_ contexts: Tensor, using random: inout RandomGenerator) -> Tensor {
    guard let latent = model.latent else { return contexts }
    let noise = Tensor(normal: [contexts.shape[0], latent.count], using: &random)
    return Tensor.concatenate([contexts, latent.prior(contexts).draw(noise)], axis: 1)
  }

  /// A reply to each of the contexts `[rows, context]`; none is empty or has an unknown word.
  func replies(
    to contexts: Tensor, by manner: Manner, using random: inout RandomGenerator
  ) -> [[Int32]] {
    let start = ReplyDecoder(model).start(given: given(contexts, using: &random))
    guard let beam = manner.beam else { return drawn(from: start, by: manner, using: &random) }
    return found(from: start, by: manner, beam: beam).map { $0[0] }
  }

  /// The likeliest replies, best first, for each row of the decoder's first state.
  private func found(from start: ReplyDecoder.State, by manner: Manner, beam: Int) -> [[[Int32]]] {
    let search = BeamSearch(
      width: beam, lengthPenalty: manner.lengthPenalty, minimumLength: 1, maximumLength: manner.longest,
      end: Self.end, forbidden: [Self.unknown])
    let first = Tensor([Int32](repeating: Self.end, count: start.hidden.shape[0]))
    return search.search(ReplyDecoder(model), from: start, first: first).map { $0.map(\.tokens) }
  }

  /// Several replies to the context `[1, context]`, each of a latent variable of its own, where there is one. A search
  /// without latent variables finds them together: the likeliest, best first, at most as many as it keeps beginnings.
  func replies(
    _ count: Int, to context: Tensor, by manner: Manner, using random: inout RandomGenerator
  ) -> [[Int32]] {
    if let beam = manner.beam, model.latent == nil {
      let start = ReplyDecoder(model).start(given: context)
      return Array(found(from: start, by: manner, beam: beam)[0].prefix(count))
    }
    let contexts = context.broadcast(to: [count, context.shape[1]])
    return replies(to: contexts, by: manner, using: &random)
  }

  /// Replies of which each word is drawn.
  private func drawn(
    from start: ReplyDecoder.State, by manner: Manner, using random: inout RandomGenerator
  ) -> [[Int32]] {
    let decoder = ReplyDecoder(model)
    var state = start
    var replies = [[Int32]](repeating: [], count: start.hidden.shape[0])
    var speaking = Array(replies.indices)
    var tokens = [Int32](repeating: Self.end, count: replies.count)
    for place in 0..<manner.longest {
      let (logits, after) = decoder.next(after: Tensor(tokens), state)
      let values = logits.elements(as: Float.self)
      let forbidden = place == 0 ? [Int(Self.unknown), Int(Self.end)] : [Int(Self.unknown)]
      var kept: [Int32] = []
      tokens.removeAll()
      for row in speaking.indices {
        let own = Array(values[row * vocabulary.count..<(row + 1) * vocabulary.count])
        let token = Int32(manner.sampling.draw(own, forbidding: forbidden, using: &random))
        guard token != Self.end else { continue }
        replies[speaking[row]].append(token)
        kept.append(Int32(row))
        tokens.append(token)
      }
      guard !kept.isEmpty else { break }
      state = kept.count == speaking.count ? after : decoder.rows(Tensor(kept), of: after)
      speaking = kept.map { speaking[Int($0)] }
    }
    return replies
  }

  /// A reply of the model to each turn but the last of dialogues, beside the one that was given.
  func answered(
    _ dialogues: [[[Int32]]], by manner: Manner
  ) -> (replies: [[Int32]], references: [[Int32]]) {
    var random = RandomGenerator(seed: manner.sampling.seed, stream: DialogueStream.replies)
    var result: (replies: [[Int32]], references: [[Int32]]) = ([], [])
    forEachBatch(of: dialogues) { batch, places in
      result.replies += replies(to: model.read(batch).contexts, by: manner, using: &random)
      result.references += places.flatMap { dialogues[$0].dropFirst() }
    }
    return result
  }

  // MARK: Sentences

  /// The numbers of a turn's words.
  func numbers(of turn: some StringProtocol) -> [Int32] { vocabulary.encode(Dialogues.tokens(in: turn)) }

  /// Text with the words in it.
  func text(of words: [Int32]) -> String { Dialogues.text(of: vocabulary.decode(words)) }

  /// The meaning `[1, meaning]` of a turn. Throws one line where it has no word, or none that is known; `source` names it.
  func meaning(of turn: some StringProtocol, source: String) throws -> Tensor {
    let words = numbers(of: turn)
    guard !words.isEmpty else { throw KasaneError("\(source): nothing said, a turn's words expected") }
    guard words.contains(where: { $0 != Self.unknown }) else {
      throw KasaneError("\(source): none of its words is known to the run")
    }
    return model.meanings(of: Tensor(words, shape: [1, words.count]))
  }
}

enum DialogueStream {
  static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2, judgement: UInt64 = 3,
    dropping: UInt64 = 4, replies: UInt64 = 5
}

/// Keeps a conversation with a dialogue model: what was said, by either side, is its context.
public final class Conversation {
  private let system: DialogueSystem
  private let manner: DialogueSystem.Manner
  private var random: RandomGenerator
  private var context: Tensor?

  init(_ system: DialogueSystem, by manner: DialogueSystem.Manner) {
    (self.system, self.manner) = (system, manner)
    random = RandomGenerator(seed: manner.sampling.seed, stream: DialogueStream.replies)
  }

  /// Forgets what was said.
  public func reset() { context = nil }

  /// Hears a turn. Throws one line, and forgets the turn, where it has no word or none that is known.
  public func hear(_ turn: some StringProtocol, source: String = "chat") throws {
    context = system.model.context(after: try system.meaning(of: turn, source: source), context)
  }

  /// Several replies to what was heard, none of which is kept.
  func replies(_ count: Int) -> [String] {
    guard let context else { return [] }
    return system.replies(count, to: context, by: manner, using: &random).map(system.text)
  }

  /// The reply to a turn, which is kept too. Throws as `hear` does.
  public func answer(_ turn: String) throws -> String {
    try hear(turn)
    let reply = system.replies(to: context!, by: manner, using: &random)[0]
    let meaning = system.model.meanings(of: Tensor(reply, shape: [1, reply.count]))
    context = system.model.context(after: meaning, context)
    return system.text(of: reply)
  }
}
