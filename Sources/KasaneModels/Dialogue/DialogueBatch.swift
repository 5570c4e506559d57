// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Some dialogues as the tensors that a dialogue model reads: every turn of every dialogue is a row, so that all turns are
/// read at once, and only the contexts go from turn to turn.
public struct DialogueBatch: Sendable {
  /// The turns of all dialogues in order, int32 `[turns, words]`, padded with zeros.
  public let turns: Tensor
  /// How many words each has, int32 `[turns]`.
  public let turnLengths: Tensor
  /// The row of the turn at each place, int32 `[dialogues, places]`; as many as there are turns where there is none.
  public let rows: Tensor
  /// How many turns each dialogue has, int32 `[dialogues]`.
  public let turnCounts: Tensor
  /// The rows of the turns that answer another, which are all but the first of each dialogue, int32 `[replies]`.
  public let replies: Tensor
  /// The rows of the turns that they answer, int32 `[replies]`.
  public let turnsBefore: Tensor
  /// For each of these the place of that turn among `dialogues * places`, int32 `[replies]`.
  public let contexts: Tensor
  /// What the decoder sees of the replies: the mark that ends a turn, then the words, int32 `[replies, words + 1]`.
  public let inputs: Tensor
  /// The places of the words and ends of replies among `replies * (words + 1)`, int32 `[targets]`.
  public let places: Tensor
  /// These words and ends, int32 `[targets]`.
  public let targets: Tensor
  /// The reply that each belongs to, int32 `[targets]`.
  public let owners: Tensor

  /// How many replies there are.
  public var replyCount: Int { replies.shape[0] }
  /// How many words and ends of turns are to be predicted.
  public var targetCount: Int { targets.shape[0] }

  /// The dialogues, each of two turns or more with a word or more.
  ///
  /// - Parameters:
  ///   - dialogues: the words' numbers by dialogue and turn
  ///   - end: the number of the mark that ends a turn
  ///   - isDropped: whether the next of the words that the decoder sees is replaced by `unknown`
  ///   - unknown: the number of the word that stands for such
  public init(
    _ dialogues: [[[Int32]]], end: Int32, unknown: Int32 = 0, dropping isDropped: () -> Bool = { false }
  ) {
    precondition(
      !dialogues.isEmpty && dialogues.allSatisfy { $0.count > 1 && $0.allSatisfy { !$0.isEmpty } },
      "DialogueBatch: dialogues of two turns or more with a word or more expected")
    let all = dialogues.flatMap { $0 }
    let answers = dialogues.flatMap { $0.dropFirst() }
    let width = dialogues.map(\.count).max()!
    var rows = [Int32](repeating: Int32(all.count), count: dialogues.count * width)
    var replies: [Int32] = []
    var contexts: [Int32] = []
    var row: Int32 = 0
    for (dialogue, turns) in dialogues.enumerated() {
      for turn in turns.indices {
        let place = dialogue * width + turn
        rows[place] = row
        if turn > 0 {
          replies.append(row)
          contexts.append(Int32(place - 1))
        }
        row += 1
      }
    }
    self.turns = Self.padded(all)
    turnLengths = Tensor(all.map { Int32($0.count) })
    self.rows = Tensor(rows, shape: [dialogues.count, width])
    turnCounts = Tensor(dialogues.map { Int32($0.count) })
    self.replies = Tensor(replies)
    turnsBefore = Tensor(replies.map { $0 - 1 })
    self.contexts = Tensor(contexts)
    inputs = Self.padded(answers.map { [end] + $0.map { isDropped() ? unknown : $0 } })
    let steps = inputs.shape[1]
    places = Tensor(
      answers.enumerated().flatMap { reply, words in (0...words.count).map { Int32(reply * steps + $0) } })
    targets = Tensor(answers.flatMap { $0 + [end] })
    owners = Tensor(
      answers.enumerated().flatMap { reply, words in [Int32](repeating: Int32(reply), count: words.count + 1)
      })
  }

  /// Sequences side by side, int32 `[sequences, words]`, padded with zeros.
  static func padded(_ sequences: [[Int32]]) -> Tensor {
    let width = sequences.map(\.count).max()!
    return Tensor(
      sequences.flatMap { $0 + [Int32](repeating: 0, count: width - $0.count) },
      shape: [sequences.count, width])
  }
}
