// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData
import KasaneModels

/// What the tokens of pairs are.
public enum PairTokens: String, CaseIterable, Codable, Sendable {
  /// What lies between white space.
  case words
  /// Every Unicode scalar.
  case characters
  /// Words and marks by Unicode's rules.
  case unicode
  /// Words of Japanese by MeCab.
  case mecab

  /// The tokenizer. Throws one line where the machine lacks what it needs.
  func tokenizer() throws -> any Tokenizer {
    let kind: TokenizerKind =
      switch self {
      case .words: .spaces
      case .characters: .characters
      case .unicode: .unicode
      case .mecab: .mecab
      }
    return try kind.tokenizer()
  }
}

/// What the two sides of pairs are made of: the same tokens, but for a side that has pieces of its own.
struct PairForm {
  let tokens: PairTokens
  var sourcePieces: SentencePieceTokenizer?
  var targetPieces: SentencePieceTokenizer?

  /// What takes sources apart. Throws one line where the machine lacks what it needs.
  func sourceTokenizer() throws -> any Tokenizer { try sourcePieces ?? tokens.tokenizer() }
  /// What takes targets apart. Throws one line where the machine lacks what it needs.
  func targetTokenizer() throws -> any Tokenizer { try targetPieces ?? tokens.tokenizer() }

  /// What messages call the tokens of sources.
  var sourceUnit: String { sourcePieces == nil ? tokens.rawValue : Self.pieces }
  /// What messages call the tokens of targets.
  var targetUnit: String { targetPieces == nil ? tokens.rawValue : Self.pieces }
  private static let pieces = "pieces"

  /// What messages call the tokens of pairs.
  var unit: String { sourceUnit == targetUnit ? sourceUnit : "\(sourceUnit) and \(targetUnit)" }

  /// Whether targets are sentences, of which words are right or wrong.
  var hasSentences: Bool { targetPieces != nil || tokens != .characters }

  /// What of a target is compared with another: its tokens, or the words that its pieces make.
  func words(of target: [String]) -> [String] {
    guard let targetPieces else { return target }
    return WhitespaceTokenizer().tokens(in: targetPieces.text(of: target))
  }

  /// Whether sources and targets are taken apart alike.
  func isSame(as other: PairForm) -> Bool {
    tokens == other.tokens && sourcePieces?.bytes == other.sourcePieces?.bytes
      && targetPieces?.bytes == other.targetPieces?.bytes
  }
}

/// A translator with the words of both sides: what is measured, and what translates.
struct TranslationSystem {
  let model: Translator
  let source: Vocabulary
  let target: Vocabulary
  let form: PairForm
  /// Whether sources are read from their ends to their beginnings.
  let isReversed: Bool

  static let specialTokens = ["</s>", "<unk>"]
  static let end: Int32 = 0, unknown: Int32 = 1
  /// How many pairs are measured, and how many rows are searched, at a time.
  private static let rows = 64

  /// A source and what it is to become, by the numbers of the vocabularies.
  typealias Pair = (source: [Int32], target: [Int32])

  /// The numbers of a source's tokens as the encoder reads them, and the end.
  func numbers(ofSource tokens: [String]) -> [Int32] {
    let numbers = source.encode(tokens)
    return (isReversed ? numbers.reversed() : numbers) + [Self.end]
  }

  /// The pairs by number.
  func pairs(of text: ParallelText) -> [Pair] {
    zip(text.source, text.target).map { (numbers(ofSource: $0), target.encode($1)) }
  }

  // MARK: How well targets are foretold

  /// The mean cost of the tokens and ends of targets, in nats.
  func loss(of pairs: [Pair]) -> Double {
    var (sum, count) = (0.0, 0)
    for part in parts(pairs.map { $0.target.count }) {
      let batch = PairBatch(part.map { pairs[$0].source }, part.map { pairs[$0].target }, end: Self.end)
      sum += model.cost(batch).scalar
      count += batch.targetCount
    }
    return sum / Double(max(count, 1))
  }

  /// The places of sequences, some of about equal length at a time.
  private func parts(_ lengths: [Int]) -> [ArraySlice<Int>] {
    let order = lengths.indices.sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    return stride(from: 0, to: order.count, by: Self.rows).map {
      order[$0..<min($0 + Self.rows, order.count)]
    }
  }

  // MARK: Translating

  /// How targets are searched.
  struct Manner {
    /// How many beginnings are kept.
    var beam = 1
    /// See `BeamSearch`.
    var lengthPenalty = 1.0
    /// How many tokens a target has at most.
    var longest: Int
  }

  /// What is found for each of some sources, best first. An unknown token becomes the source's that is attended to most;
  /// without attention none is said.
  func translations(of sources: [[Int32]], written: [[String]], by manner: Manner) -> [[Translation]] {
    let search = BeamSearch(
      width: manner.beam, lengthPenalty: manner.lengthPenalty, maximumLength: manner.longest, end: Self.end,
      forbidden: model.alignment == nil ? [Self.unknown] : [])
    let decoder = TranslationDecoder(model)
    var result = [[Translation]](repeating: [], count: sources.count)
    for part in parts(sources.map(\.count)) {
      let batch = PaddedSequences(part.map { sources[$0] }, padding: Self.end)
      let first = Tensor([Int32](repeating: Self.end, count: part.count))
      let found = search.search(
        decoder, from: decoder.start(batch.tokens, lengths: batch.lengths), first: first)
      for (place, hypotheses) in zip(part, found) {
        result[place] = hypotheses.map { hypothesis in
          Translation(
            tokens: tokens(of: hypothesis.tokens, from: sources[place], written: written[place]),
            score: hypothesis.score)
        }
      }
    }
    return result
  }

  /// A target that was found.
  struct Translation {
    let tokens: [String]
    let score: Double
  }

  /// How good targets are, word for word.
  func score(_ said: [[String]], _ references: [[String]]) -> TranslationScore {
    TranslationScore(said.map(form.words), references.map(form.words), areSentences: form.hasSentences)
  }

  /// The likeliest translation of each sentence.
  func best(of sentences: [[String]], by manner: Manner) -> [[String]] {
    translations(of: sentences.map(numbers(ofSource:)), written: sentences, by: manner).map {
      $0.first?.tokens ?? []
    }
  }

  private func tokens(of numbers: [Int32], from source: [Int32], written: [String]) -> [String] {
    var tokens = target.decode(numbers)
    guard model.alignment != nil, numbers.contains(Self.unknown), !written.isEmpty else { return tokens }
    let shares = alignment(of: source, to: numbers)
    for place in numbers.indices where numbers[place] == Self.unknown {
      let own = shares[place].prefix(written.count)
      tokens[place] = written[own.indices.max { own[$0] < own[$1] }!]
    }
    return tokens
  }

  /// What is attended to where each token of a target and its end is said: shares of the source's tokens in the order in
  /// which they are written, and of its end. There must be attention.
  func alignment(of source: [Int32], to target: [Int32]) -> [[Double]] {
    let weights = model(
      Tensor(source, shape: [1, source.count]), lengths: Tensor([Int32(source.count)]),
      Tensor([Self.end] + target, shape: [1, target.count + 1])
    ).weights!
    let values = weights.cast(to: .float32).elements(as: Float.self)
    return (0...target.count).map { step in
      var row = values[step * source.count..<(step + 1) * source.count].map(Double.init)
      if isReversed { row.replaceSubrange(..<(source.count - 1), with: row.dropLast().reversed()) }
      return row
    }
  }

  /// A sentence taken apart. Throws one line where it has no token, or none that is known; `name` says whose it is.
  func sentence(_ text: some StringProtocol, name: String) throws -> [String] {
    let found = try form.sourceTokenizer().tokens(in: String(text))
    guard !found.isEmpty else { throw KasaneError("\(name): nothing to translate, a sentence expected") }
    guard found.contains(where: { source.number(of: $0) ?? 0 >= source.specialCount }) else {
      throw KasaneError("\(name): none of its \(form.sourceUnit) is known to the run")
    }
    return found
  }

  /// What the encoder ends with, `[1, units]`.
  func meaning(of text: String, name: String) throws -> Tensor {
    let numbers = numbers(ofSource: try sentence(text, name: name))
    let read = model.read(
      Tensor(numbers, shape: [1, numbers.count]), lengths: Tensor([Int32(numbers.count)]))
    return read.state[0]
  }
}
