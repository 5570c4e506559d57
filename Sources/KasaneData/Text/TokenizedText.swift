// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A text as the numbers of its tokens, in the order of their first appearance: what a vocabulary is made from and what
/// it then encodes.
public struct TokenizedText: Sendable {
  /// The distinct tokens in the order of their first appearance.
  public private(set) var distinct: [String] = []
  /// The text.
  public private(set) var numbers: [Int32] = []
  /// How many lines it has.
  public private(set) var lineCount = 0

  /// Reads a corpus. `lineEnd` is a token that stands after each line, or nil for none. Throws one line where the corpus
  /// cannot be read or has no tokens.
  public init(_ corpus: Corpus, by tokenizer: some Tokenizer, lineEnd: String? = nil) throws {
    var known: [String: Int32] = [:]
    var isEmpty = true
    try corpus.forEachLine { line in
      lineCount += 1
      let before = numbers.count
      tokenizer.forEachToken(in: line) { add($0, &known) }
      if numbers.count > before { isEmpty = false }
      if let lineEnd { add(lineEnd, &known) }
    }
    guard !isEmpty else {
      throw KasaneError("\(corpus.name): no text that can be learned from: it has no words")
    }
  }

  /// Takes a line, which may be empty, apart.
  public init(line: String, by tokenizer: some Tokenizer) {
    var known: [String: Int32] = [:]
    lineCount = 1
    tokenizer.forEachToken(in: line) { add($0, &known) }
  }

  private mutating func add(_ token: String, _ known: inout [String: Int32]) {
    let number = known[token] ?? Int32(distinct.count)
    if Int(number) == distinct.count {
      known[token] = number
      distinct.append(token)
    }
    numbers.append(number)
  }

  /// How often each token occurs in a part of the text.
  public func counts(in range: Range<Int>? = nil) -> [String: Int] {
    var counts = [Int](repeating: 0, count: distinct.count)
    for number in numbers[range ?? numbers.indices] { counts[Int(number)] += 1 }
    var result: [String: Int] = [:]
    for (token, count) in zip(distinct, counts) where count > 0 { result[token] = count }
    return result
  }

  /// The text, or a part of it, by the numbers of a vocabulary; tokens that it does not know are left out where it has
  /// none for them.
  public func encoded(by vocabulary: Vocabulary, in range: Range<Int>? = nil) -> [Int32] {
    let places = distinct.map { vocabulary.number(of: $0) ?? vocabulary.unknown ?? -1 }
    return numbers[range ?? numbers.indices].compactMap {
      places[Int($0)] < 0 ? nil : Int32(places[Int($0)])
    }
  }

  /// What tells the text from others.
  public var fingerprint: String {
    let text = Checksum.of(numbers.withUnsafeBytes { Array($0) })
    let sum = Checksum.of(Array(distinct.joined(separator: "\0").utf8), after: text)
    return "\(numbers.count) tokens \(String(sum, radix: 16))"
  }
}
