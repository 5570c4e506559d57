// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Sentences in two languages, or any two forms: line by line, one file is the translation of the other.
public struct ParallelText: Sendable {
  /// What becomes of a pair of which a side is too long.
  public enum Overlong: String, CaseIterable, Codable, Sendable {
    /// It loses what is beyond, and is counted.
    case truncate
    /// The text is refused, by its line.
    case refuse
    /// It is left out, and counted.
    case skip
  }

  /// The tokens of the sentences, side by side with those of `target`.
  public private(set) var source: [[String]] = []
  /// The tokens of their translations.
  public private(set) var target: [[String]] = []
  /// How many pairs were left out since a side, or both, has no token.
  public private(set) var emptyPairs = 0
  /// How many pairs were cut, or left out, since a side is too long.
  public private(set) var overlongPairs = 0

  /// How many pairs there are.
  public var count: Int { source.count }

  /// Pairs that are there already.
  public init(source: [[String]], target: [[String]]) {
    precondition(source.count == target.count, "ParallelText: \(source.count) and \(target.count) sentences")
    (self.source, self.target) = (source, target)
  }

  /// The last tenth of the pairs, and the others; there must be two or more.
  public func split() -> (training: ParallelText, validation: ParallelText) {
    precondition(count > 1, "ParallelText: \(count) pairs to split")
    let kept = count - max(1, count / 10)
    func part(_ range: Range<Int>) -> ParallelText {
      ParallelText(source: Array(source[range]), target: Array(target[range]))
    }
    var training = part(0..<kept)
    (training.emptyPairs, training.overlongPairs) = (emptyPairs, overlongPairs)
    return (training, part(kept..<count))
  }

  /// What tells the text from others.
  public var fingerprint: String {
    var sum: UInt = Checksum.of([])
    for side in [source, target] {
      for tokens in side {
        sum = Checksum.of(Array((tokens.joined(separator: "\0") + "\n").utf8), after: sum)
      }
    }
    return "\(count) pairs \(String(sum, radix: 16))"
  }

  /// How often each token of sentences occurs.
  public static func counts(_ sentences: [[String]]) -> [String: Int] {
    sentences.reduce(into: [:]) { counts, tokens in
      for token in tokens { counts[token, default: 0] += 1 }
    }
  }

  /// Reads two files, plain or gzip, line by line.
  ///
  /// - Parameters:
  ///   - longest: how many tokens a side may have
  ///   - overlong: what becomes of a pair with more
  ///
  /// Throws one line where a file cannot be read or is not UTF-8, where one has more lines than the other, both of which
  /// are named then, or where no pair is left.
  public init(
    source sourcePath: String, target targetPath: String, by sourceTokenizer: any Tokenizer,
    and targetTokenizer: any Tokenizer, longest: Int = .max, overlong: Overlong = .truncate
  ) throws {
    let (first, second) = (try LineReader(path: sourcePath), try LineReader(path: targetPath))
    try read(first, second, sourceTokenizer, targetTokenizer, longest, overlong)
  }

  private mutating func read(
    _ first: LineReader, _ second: LineReader, _ sourceTokenizer: any Tokenizer,
    _ targetTokenizer: any Tokenizer, _ longest: Int, _ overlong: Overlong
  ) throws {
    while true {
      let (one, other) = (try first.next(), try second.next())
      guard let one, let other else {
        guard one == nil, other == nil else { throw try Self.unequal(first, second) }
        break
      }
      add(
        try Self.tokens(one, sourceTokenizer, longest, overlong, first),
        try Self.tokens(other, targetTokenizer, longest, overlong, second), overlong)
    }
    guard count > 0 else {
      throw KasaneError(
        "\(first.name), \(second.name): no pair of sentences: \(emptyPairs) empty and \(overlongPairs) too long"
      )
    }
  }

  /// At most `longest` tokens of a line, and whether there are more.
  private static func tokens(
    _ line: String, _ tokenizer: any Tokenizer, _ longest: Int, _ overlong: Overlong, _ reader: LineReader
  ) throws -> (tokens: [String], isCut: Bool) {
    var tokens: [String] = []
    var count = 0
    tokenizer.forEachToken(in: line) { token in
      count += 1
      if count <= longest { tokens.append(token) }
    }
    guard count <= longest || overlong != .refuse else {
      throw KasaneError(
        "\(reader.name): line \(reader.lineNumber): \(count) tokens, at most \(longest) expected")
    }
    return (tokens, count > longest)
  }

  private mutating func add(
    _ one: (tokens: [String], isCut: Bool), _ other: (tokens: [String], isCut: Bool), _ overlong: Overlong
  ) {
    guard !one.tokens.isEmpty, !other.tokens.isEmpty else {
      emptyPairs += 1
      return
    }
    if one.isCut || other.isCut {
      overlongPairs += 1
      if overlong == .skip { return }
    }
    source.append(one.tokens)
    target.append(other.tokens)
  }

  /// What is wrong of files one of which has ended.
  private static func unequal(_ first: LineReader, _ second: LineReader) throws -> KasaneError {
    func count(_ reader: LineReader) throws -> Int {
      while try reader.next() != nil {}
      return reader.lineNumber
    }
    let (one, other) = (try count(first), try count(second))
    return KasaneError(
      "number of lines: \(one) in \(first.name), \(other) in \(second.name): as many expected, one for each")
  }
}
