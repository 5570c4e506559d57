// SPDX-License-Identifier: Apache-2.0

import Kasane

/// What the words of a text are, by its bytes: texts larger than memory go past at millions of words a second.
public enum WordRule: String, CaseIterable, Codable, Sendable {
  /// The letters a to z, small or not, and apostrophes; everything else parts words.
  case letters
  /// What lies between white space of ASCII, as it is.
  case spaces

  /// Calls `body` with the bytes of each word of a line, which hold for the call.
  func forEachWord(in line: String, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    var line = line
    line.withUTF8 { text in
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(text.count, 1)) { scratch in
        var length = 0
        func finish() {
          if length > 0 { body(UnsafeBufferPointer(rebasing: scratch[..<length])) }
          length = 0
        }
        switch self {
        case .letters:
          for byte in text {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "'"): scratch[length] = byte
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): scratch[length] = byte | 0x20
            default:
              finish()
              continue
            }
            length += 1
          }
        case .spaces:
          for byte in text {
            guard byte > 0x20 else {
              finish()
              continue
            }
            scratch[length] = byte
            length += 1
          }
        }
        finish()
      }
    }
  }
}

/// The words of a text that are known, as often as it takes to learn from them: some sentences at a time, each a line.
public final class WordStream: @unchecked Sendable {
  /// Some sentences.
  public struct Part: Sendable {
    /// Their words by number.
    public var tokens: [Int32] = []
    /// Where each begins, and at the end how many words there are.
    public var starts: [Int64] = [0]
  }

  /// What was found in one pass over a text.
  public struct Census: Sendable {
    /// How often each word occurs.
    public fileprivate(set) var counts: [String: Int] = [:]
    /// How many words there are.
    public fileprivate(set) var words = 0
    /// How many parts they make.
    public fileprivate(set) var parts = 0
    /// What tells the text from others.
    public fileprivate(set) var fingerprint = ""
  }

  private let corpus: Corpus
  private let rule: WordRule
  private let size: Int
  private let index: WordIndex
  private let phrases: Phrases?
  private let numbers: [Int32]
  private let parts: Int
  private var lines: CorpusLines
  private var next = 0
  /// What is left of a line that was longer than a part.
  private var rest: ArraySlice<Int32> = []
  private var base: [Int32] = []

  /// The words of a text.
  ///
  /// - Parameters:
  ///   - words: the words that are known, in the order of their numbers
  ///   - phrases: which words are one where they follow each other
  ///   - size: how many words a part has about
  ///   - parts: how many parts a pass has; see `census`
  public init(
    _ corpus: Corpus, by rule: WordRule, knowing words: [String], phrases: Phrases? = nil, size: Int,
    parts: Int
  ) {
    (self.corpus, self.rule, self.size, self.phrases, self.parts) = (corpus, rule, size, phrases, parts)
    let known = WordIndex(words)
    // Phrases are made of words that need not be known alone.
    index = phrases?.index ?? known
    numbers =
      phrases.map { phrases in
        (0..<phrases.index.count + phrases.pairs.count).map { number in
          var word = phrases.word(number)
          return word.withUTF8 { known.number(of: $0) } ?? -1
        }
      } ?? []
    lines = CorpusLines(corpus)
  }

  /// The part at a place, counted from 0 over all passes. Parts are read one after another; one out of turn is read up to
  /// from the text's beginning.
  public func part(at place: Int) throws -> Part {
    let wanted = place % parts
    if wanted != next {
      (lines, next, rest) = (CorpusLines(corpus), 0, [])
      while next < wanted { _ = try read() }
    }
    let part = try read()
    if next == parts { (lines, next, rest) = (CorpusLines(corpus), 0, []) }
    return part
  }

  private func read() throws -> Part {
    var part = Part()
    var words = 0
    while words < size {
      if rest.isEmpty {
        guard let line = try lines.next() else { break }
        base.removeAll(keepingCapacity: true)
        rule.forEachWord(in: line) { base.append(index.number(of: $0) ?? -1) }
        rest = base[...]
      }
      let taken = rest.prefix(size - words)
      rest = rest.dropFirst(taken.count)
      words += taken.count
      append(taken, to: &part)
    }
    next += 1
    return part
  }

  private func append(_ words: ArraySlice<Int32>, to part: inout Part) {
    if let phrases {
      phrases.forEachWord(of: words) { if numbers[$0] >= 0 { part.tokens.append(numbers[$0]) } }
    } else {
      for word in words where word >= 0 { part.tokens.append(word) }
    }
    if Int64(part.tokens.count) > part.starts.last! { part.starts.append(Int64(part.tokens.count)) }
  }

  // MARK: What a text has

  /// Counts the words of a text, and the parts of about `size` words that they make. Throws one line where the text cannot be
  /// read or has no word.
  public static func census(
    of corpus: Corpus, by rule: WordRule, phrases: Phrases? = nil, size: Int
  ) throws -> Census {
    var index = WordIndex()
    var counts: [Int] = []
    var (result, sum) = (Census(), UInt64(0))
    var inPart = 0
    var base: [Int32] = []
    func count(_ number: Int) {
      if number >= counts.count { counts += [Int](repeating: 0, count: number + 1 - counts.count) }
      counts[number] += 1
    }
    try corpus.forEachLine { line in
      base.removeAll(keepingCapacity: true)
      rule.forEachWord(in: line) { word in
        base.append(phrases.map { $0.index.number(of: word) ?? -1 } ?? index.add(word))
      }
      result.words += base.count
      for word in base { sum = (sum ^ UInt64(truncatingIfNeeded: word)) &* 0x100_0000_01b3 }
      // As `read` cuts it.
      var left = base[...]
      while !left.isEmpty {
        let taken = left.prefix(size - inPart)
        left = left.dropFirst(taken.count)
        if let phrases {
          phrases.forEachWord(of: taken) { count($0) }
        } else {
          for word in taken { count(Int(word)) }
        }
        inPart += taken.count
        if inPart == size { (result.parts, inPart) = (result.parts + 1, 0) }
      }
    }
    if inPart > 0 { result.parts += 1 }
    guard result.words > 0 else { throw KasaneError("\(corpus.name): no words, a text expected") }
    for (number, count) in counts.enumerated() where count > 0 {
      result.counts[phrases?.word(number) ?? index.word(number)] = count
    }
    result.fingerprint = "\(result.words) words \(String(sum, radix: 16))"
    return result
  }
}

/// Which words of a text are one where they follow each other, such as `new_york`: those that do so far more often than by
/// chance (Mikolov et al. 2013, "Distributed Representations of Words and Phrases", section 4).
public struct Phrases: Sendable {
  /// The words that may be part of a phrase.
  let index: WordIndex
  /// The numbers of phrases, behind those of words, by the numbers of their words.
  let pairs: [UInt64: Int32]
  private let words: [(Int32, Int32)]

  /// Counts the pairs of a text's words.
  ///
  /// - Parameters:
  ///   - counts: how often each word occurs
  ///   - minimumCount: how often a word and a pair must occur
  ///   - threshold: what (pairs - minimumCount) * words / (first * second) must be above, with `words` for how many
  ///     different ones there are
  public init(
    of corpus: Corpus, by rule: WordRule, counts: [String: Int], minimumCount: Int, threshold: Double
  ) throws {
    let kept = counts.filter { $0.value >= minimumCount }.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key
    }
    let index = WordIndex(kept.map(\.key))
    let single = kept.map { Double($0.value) }
    var seen: [UInt64: Int] = [:]
    try corpus.forEachLine { line in
      var before: Int32 = -1
      rule.forEachWord(in: line) { word in
        let number = index.number(of: word) ?? -1
        if before >= 0, number >= 0 { seen[Self.key(before, number), default: 0] += 1 }
        before = number
      }
    }
    let found = seen.filter { key, count in
      let (a, b) = (single[Int(key >> 32)], single[Int(key & 0xFFFF_FFFF)])
      return count >= minimumCount
        && Double(count - minimumCount) * Double(single.count) / (a * b) > threshold
    }.keys.sorted()
    self.index = index
    words = found.map { (Int32($0 >> 32), Int32($0 & 0xFFFF_FFFF)) }
    pairs = Dictionary(
      uniqueKeysWithValues: found.enumerated().map { ($1, Int32(kept.count + $0)) })
  }

  /// How many phrases there are.
  public var count: Int { words.count }

  private static func key(_ a: Int32, _ b: Int32) -> UInt64 { UInt64(a) << 32 | UInt64(b) }

  /// A word or a phrase as text.
  func word(_ number: Int) -> String {
    guard number >= index.count else { return index.word(number) }
    let (a, b) = words[number - index.count]
    return "\(index.word(Int(a)))_\(index.word(Int(b)))"
  }

  /// Calls `body` with the words and phrases that some words make, from left to right; words that are not known are left out.
  func forEachWord(of words: ArraySlice<Int32>, _ body: (Int) -> Void) {
    var place = words.startIndex
    while place < words.endIndex {
      let word = words[place]
      place += 1
      guard word >= 0 else { continue }
      if place < words.endIndex, words[place] >= 0, let phrase = pairs[Self.key(word, words[place])] {
        body(Int(phrase))
        place += 1
      } else {
        body(Int(word))
      }
    }
  }
}
