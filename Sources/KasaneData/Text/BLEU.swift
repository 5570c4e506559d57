// SPDX-License-Identifier: Apache-2.0

import Kasane

/// How alike translations are to those of people: the geometric mean of the shares of their n-grams, n from 1 to 4, that
/// references have too, less a penalty for what is too short (Papineni et al. 2002, "BLEU: a Method for Automatic
/// Evaluation of Machine Translation"). The figures are those of sacrebleu (Post 2018) for the same tokens.
public struct BLEU: Sendable, Equatable, CustomStringConvertible {
  /// The longest n-grams that count.
  public static let order = 4

  /// What stands for a share where no n-gram of a length is found (Chen and Cherry 2014).
  public enum Smoothing: Sendable, Equatable {
    /// Zero, and with it the score.
    case none
    /// So many n-grams (their method 1; sacrebleu: 0.1).
    case floor(Double)
    /// So many more are found, and there, of two words and more (their method 2; sacrebleu: 1).
    case add(Double)
    /// Half an n-gram, then a fourth, and so on (their method 3).
    case exponential
  }

  /// The score, 0 to 100.
  public let score: Double
  /// How many n-grams of each length references have too, with what smoothing adds.
  public let counts: [Double]
  /// How many there are.
  public let totals: [Double]
  /// The shares in percent, smoothed.
  public let precisions: [Double]
  /// What the mean is multiplied by.
  public let brevityPenalty: Double
  /// How many tokens there are.
  public let length: Int
  /// How many the references have that are closest in length.
  public let referenceLength: Int

  /// The score of translations, each with a reference or more.
  public static func corpus<Token: Hashable>(
    _ hypotheses: [[Token]], references: [[[Token]]], smoothing: Smoothing = .exponential
  ) -> BLEU {
    precondition(
      hypotheses.count == references.count,
      "BLEU: \(hypotheses.count) translations, references of \(references.count)")
    var found = Matches()
    for (hypothesis, references) in zip(hypotheses, references) { found.add(hypothesis, references) }
    return BLEU(found, smoothing, isSentence: false)
  }

  /// The score of translations with one reference each.
  public static func corpus<Token: Hashable>(
    _ hypotheses: [[Token]], references: [[Token]], smoothing: Smoothing = .exponential
  ) -> BLEU {
    corpus(hypotheses, references: references.map { [$0] }, smoothing: smoothing)
  }

  /// The score of one translation. It counts no n-grams that are longer than the translation, as sacrebleu's sentence
  /// score does.
  public static func sentence<Token: Hashable>(
    _ hypothesis: [Token], references: [[Token]], smoothing: Smoothing = .exponential
  ) -> BLEU {
    var found = Matches()
    found.add(hypothesis, references)
    return BLEU(found, smoothing, isSentence: true)
  }

  private struct Matches {
    var counts = [Int](repeating: 0, count: BLEU.order)
    var totals = [Int](repeating: 0, count: BLEU.order)
    var length = 0, referenceLength = 0

    mutating func add<Token: Hashable>(_ hypothesis: [Token], _ references: [[Token]]) {
      precondition(!references.isEmpty, "BLEU: a translation without a reference")
      length += hypothesis.count
      referenceLength +=
        references.map(\.count).min {
          (abs($0 - hypothesis.count), $0) < (abs($1 - hypothesis.count), $1)
        }!
      for size in 1...BLEU.order {
        let own = Self.grams(hypothesis, size)
        totals[size - 1] += max(0, hypothesis.count - size + 1)
        var most: [ArraySlice<Token>: Int] = [:]
        for reference in references { most.merge(Self.grams(reference, size), uniquingKeysWith: max) }
        for (gram, count) in own { counts[size - 1] += min(count, most[gram] ?? 0) }
      }
    }

    private static func grams<Token: Hashable>(_ tokens: [Token], _ size: Int) -> [ArraySlice<Token>: Int] {
      var result: [ArraySlice<Token>: Int] = [:]
      guard tokens.count >= size else { return result }
      for first in 0...tokens.count - size { result[tokens[first..<first + size], default: 0] += 1 }
      return result
    }
  }

  private init(_ found: Matches, _ smoothing: Smoothing, isSentence: Bool) {
    var counts = found.counts.map(Double.init), totals = found.totals.map(Double.init)
    var precisions = [Double](repeating: 0, count: Self.order)
    let ratio = Double(found.referenceLength) / Double(found.length)
    brevityPenalty =
      found.length >= found.referenceLength ? 1 : found.length == 0 ? 0 : exponential(1 - ratio)
    var score = 0.0
    if counts.contains(where: { $0 > 0 }) {
      var (orders, half) = (Self.order, 1.0)
      for n in 0..<Self.order {
        if case .add(let more) = smoothing, n > 0 {
          counts[n] += more
          totals[n] += more
        }
        guard totals[n] > 0 else { break }
        if isSentence { orders = n + 1 }
        if counts[n] > 0 {
          precisions[n] = 100 * counts[n] / totals[n]
        } else if case .exponential = smoothing {
          half *= 2
          precisions[n] = 100 / (half * totals[n])
        } else if case .floor(let little) = smoothing {
          precisions[n] = 100 * little / totals[n]
        }
      }
      let counted = precisions.prefix(orders)
      if counted.allSatisfy({ $0 > 0 }) {
        let mean = counted.reduce(0) { $0 + logarithm($1) } / Double(orders)
        score = brevityPenalty * exponential(mean)
      }
    }
    self.score = score
    (self.counts, self.totals, self.precisions) = (counts, totals, precisions)
    (length, referenceLength) = (found.length, found.referenceLength)
  }

  /// In one line, as sacrebleu writes it.
  public var description: String {
    let ratio = referenceLength == 0 ? 0 : Double(length) / Double(referenceLength)
    return "BLEU = \(fixed(score, 2)) \(precisions.map { fixed($0, 1) }.joined(separator: "/")) "
      + "(BP = \(fixed(brevityPenalty, 3)) ratio = \(fixed(ratio, 3)) hyp_len = \(length) ref_len = \(referenceLength))"
  }
}
