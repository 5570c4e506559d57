// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A sequence that a search has found.
public struct Hypothesis: Sendable {
  /// Its tokens, without the end.
  public let tokens: [Int32]
  /// The logarithm of its probability, the end's included.
  public let logProbability: Double
  /// What hypotheses are ordered by.
  public let score: Double
  /// Whether it came to an end, and was not cut.
  public let isFinished: Bool
}

/// Searches the likeliest sequences from the left to the right, with some of the likeliest beginnings at hand (Graves 2012;
/// Sutskever, Vinyals and Le 2014, section 3.2). With one it is greedy.
///
/// The hypotheses of all sequences are the rows of one batch.
public struct BeamSearch: Sendable {
  /// How many beginnings are gone on with.
  public let width: Int
  /// The power a in score = log probability / ((5 + length) / 6) ^ a (Wu et al. 2016, equation 14); 0 favours short ones.
  /// The end counts as a token.
  public let lengthPenalty: Double
  /// How many tokens a sequence has at least, without its end.
  public let minimumLength: Int
  /// How many tokens a sequence has at most, without its end.
  public let maximumLength: Int
  /// The token that ends a sequence.
  public let end: Int32
  /// Tokens that do not occur.
  public let forbidden: [Int32]

  /// A search.
  public init(
    width: Int, lengthPenalty: Double = 0, minimumLength: Int = 0, maximumLength: Int, end: Int32,
    forbidden: [Int32] = []
  ) {
    precondition(
      width > 0 && 0...maximumLength ~= minimumLength,
      "BeamSearch: a width of \(width), \(minimumLength) to \(maximumLength) tokens")
    (self.width, self.lengthPenalty) = (width, lengthPenalty)
    (self.minimumLength, self.maximumLength) = (minimumLength, maximumLength)
    (self.end, self.forbidden) = (end, forbidden)
  }

  /// A beginning that is gone on with: a row of the batch.
  private struct Beginning {
    let sequence: Int
    var tokens: [Int32]
    var logProbability: Double
  }

  private struct Candidate {
    let row: Int
    let token: Int32
    let logProbability: Double

    /// Of equally likely ones the first counts as likelier.
    static func isLikelier(_ a: Candidate, _ b: Candidate) -> Bool {
      a.logProbability != b.logProbability
        ? a.logProbability > b.logProbability : (a.row, a.token) < (b.row, b.token)
    }
  }

  /// For each sequence of a batch the sequences found, at most `width`, best first. `first` is the token that each begins
  /// after, int32 `[batch]`.
  public func search<Decoder: SequenceDecoder>(
    _ decoder: Decoder, from state: Decoder.State, first: Tensor
  ) -> [[Hypothesis]] {
    let count = first.shape[0]
    var found = [[Hypothesis]](repeating: [], count: count)
    var rows = (0..<count).map { Beginning(sequence: $0, tokens: [], logProbability: 0) }
    var (state, tokens) = (state, first)
    for length in 0..<maximumLength {
      let (logits, after) = decoder.next(after: tokens, state)
      let candidates = candidates(
        logits, rows, without: length < minimumLength ? forbidden + [end] : forbidden)
      var kept: [(parent: Int32, beginning: Beginning)] = []
      var place = 0
      while place < rows.count {
        let sequence = rows[place].sequence
        var group: [Candidate] = []
        while place < rows.count, rows[place].sequence == sequence {
          group += candidates[place]
          place += 1
        }
        group.sort(by: Candidate.isLikelier)
        var going: [(parent: Int32, beginning: Beginning)] = []
        for candidate in group.prefix(width) {
          let tokens = rows[candidate.row].tokens
          if candidate.token == end {
            found[sequence].append(hypothesis(tokens, candidate.logProbability, isFinished: true))
          } else {
            going.append(
              (
                Int32(candidate.row),
                Beginning(
                  sequence: sequence, tokens: tokens + [candidate.token],
                  logProbability: candidate.logProbability)
              ))
          }
        }
        if !isDone(found[sequence], isGoing: !going.isEmpty) { kept += going }
      }
      rows = kept.map(\.beginning)
      guard !rows.isEmpty else { break }
      let parents = kept.map(\.parent)
      state = parents == Array(0..<Int32(logits.shape[0])) ? after : decoder.rows(Tensor(parents), of: after)
      tokens = Tensor(rows.map { $0.tokens.last! })
    }
    // What did not come to an end counts only where nothing did.
    for row in rows where !found[row.sequence].contains(where: \.isFinished) {
      found[row.sequence].append(hypothesis(row.tokens, row.logProbability, isFinished: false))
    }
    return found.map { Array($0.sorted { $0.score > $1.score }.prefix(width)) }
  }

  private func hypothesis(_ tokens: [Int32], _ logProbability: Double, isFinished: Bool) -> Hypothesis {
    let length = Double(tokens.count + (isFinished ? 1 : 0))
    let penalty = lengthPenalty == 0 ? 1 : raised((5 + length) / 6, to: lengthPenalty)
    return Hypothesis(
      tokens: tokens, logProbability: logProbability, score: logProbability / penalty, isFinished: isFinished)
  }

  /// Whether a sequence has as many hypotheses as are asked for, or nothing is left to go on with.
  private func isDone(_ found: [Hypothesis], isGoing: Bool) -> Bool {
    guard isGoing else { return true }
    return found.count >= width
  }

  /// The `width` likeliest tokens of each row, without those that are forbidden.
  private func candidates(
    _ logits: Tensor, _ rows: [Beginning], without forbidden: [Int32]
  ) -> [[Candidate]] {
    let vocabulary = logits.shape[1]
    precondition(logits.shape[0] == rows.count, "BeamSearch: \(logits.shape) logits for \(rows.count) rows")
    let logits = logits.cast(to: .float32)
    let count = min(width, vocabulary)
    let likeliest = logits.withElements(of: Float.self) { values in
      rows.indices.map { row in
        let values = UnsafeBufferPointer(rebasing: values[row * vocabulary..<(row + 1) * vocabulary])
        return Self.likeliest(count, of: values, without: forbidden)
      }
    }
    // The likeliest token's surprise, of which the others' differ as their logits do.
    let first = Tensor(likeliest.map { $0.first?.token ?? 0 })
    let surprises = crossEntropy(logits, first, reduction: .none).elements(as: Float.self)
    return rows.indices.map { row in
      likeliest[row].map { token, logit in
        Candidate(
          row: row, token: token,
          logProbability: rows[row].logProbability + Double(logit - likeliest[row][0].logit - surprises[row]))
      }
    }
  }

  /// The greatest of a row's logits and their tokens, the greatest first.
  private static func likeliest(
    _ count: Int, of logits: UnsafeBufferPointer<Float>, without forbidden: [Int32]
  ) -> [(token: Int32, logit: Float)] {
    var best: [(token: Int32, logit: Float)] = []
    best.reserveCapacity(count + 1)
    var least = -Float.infinity
    func look(at token: Int) {
      let logit = logits[token]
      guard logit > least, !forbidden.contains(Int32(token)) else { return }
      let place = best.firstIndex { $0.logit < logit } ?? best.count
      best.insert((Int32(token), logit), at: place)
      if best.count > count { best.removeLast() }
      if best.count == count { least = best[count - 1].logit }
    }
    // Most of them are less than those that were found first, so that some at a time are passed over.
    let lanes = SIMD16<Float>.scalarCount
    var token = 0
    while token + lanes <= logits.count {
      let some = UnsafeRawPointer(logits.baseAddress! + token).loadUnaligned(as: SIMD16<Float>.self)
      if any(some .> least) { for lane in 0..<lanes { look(at: token + lane) } }
      token += lanes
    }
    while token < logits.count {
      look(at: token)
      token += 1
    }
    return best
  }
}
