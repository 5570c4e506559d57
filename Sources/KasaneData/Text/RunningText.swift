// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A running text taken apart: its words in lower case, and for each how it was written, which is what someone who is to
/// write it out again has to find.
///
/// Marks are a comma, full stop (an ellipsis too), question mark, exclamation mark, semicolon and colon; where some follow
/// a word, the first counts. Quotation marks are double ones, straight or curved; straight ones open and close in turn
/// within a line. All else between words is left out: dashes, brackets and single quotation marks, which cannot be told
/// from apostrophes.
public struct RunningText: Sendable {
  /// What is asked of each word.
  public enum Question: Int, CaseIterable, Sendable {
    /// Whether it is in lower case, Capitalised, in UPPER case or in a form of its own, such as McDonald. A single
    /// letter, such as I, is capitalised.
    case letters
    /// Which mark follows.
    case mark
    /// Whether a quotation mark opens before it.
    case opening
    /// Whether one closes after it.
    case closing

    /// The answers; the first is the usual one, which changes nothing.
    public var classes: [String] {
      switch self {
      case .letters: ["lower", "Capitalised", "UPPER", "own form"]
      case .mark: ["none", ",", ".", "?", "!", ";", ":"]
      case .opening: ["none", "opening \""]
      case .closing: ["none", "closing \""]
      }
    }
  }

  /// Classes of `.letters`.
  public enum Letters: Int, Sendable {
    case lower, capitalised, upper, own

    /// How a word is written.
    public init(of word: String) {
      let cased = word.unicodeScalars.lazy.map(\.properties).filter { $0.isUppercase || $0.isLowercase }
      let capitals = cased.count { $0.isUppercase }
      if capitals == 0 {
        self = .lower
      } else if capitals == 1, cased.first!.isUppercase {
        self = .capitalised
      } else {
        self = capitals == cased.count ? .upper : .own
      }
    }
  }

  /// The distinct words in lower case; apostrophes are straight.
  public private(set) var distinct: [String] = []
  /// The text by the places of its words in `distinct`; `lineEnd` where a line's end is kept.
  public private(set) var words: [Int32] = []
  /// The class of each word, by question; 0 for a line's end.
  public private(set) var classes = [[UInt8]](repeating: [], count: Question.allCases.count)
  /// How often each word is seen in a form of its own.
  public private(set) var forms: [String: Int] = [:]

  /// What stands for a line's end in `words`.
  public static let lineEnd: Int32 = -1
  /// The token that has to stand after each line of the text that is taken apart.
  public static let lineEndToken = "\n"

  /// How many words and line ends there are.
  public var count: Int { words.count }

  /// Takes a text apart that a `WordTokenizer` read, or a part of it.
  ///
  /// - Parameter keptLineEnds: One in so many line ends is kept; 0 for none.
  public init(_ text: TokenizedText, in range: Range<Int>? = nil, keptLineEnds: Int = 0) {
    let tokens = Token.kinds(of: text.distinct, distinct: &distinct)
    let numbers = text.numbers[range ?? text.numbers.indices]
    words.reserveCapacity(numbers.count)
    var (lines, isQuoted, opens, isFirst) = (0, false, false, true)
    func set(_ question: Question, _ answer: Int) {
      classes[question.rawValue][words.count - 1] = UInt8(answer)
    }
    func add(_ word: Int32, _ letters: Letters) {
      words.append(word)
      for question in Question.allCases { classes[question.rawValue].append(0) }
      set(.letters, letters.rawValue)
      if opens { set(.opening, 1) }
      (opens, isFirst) = (false, false)
    }
    var seen = [Int](repeating: 0, count: text.distinct.count)
    for number in numbers {
      switch tokens[Int(number)] {
      case .word(let word, let letters):
        add(word, letters)
        if letters == .own { seen[Int(number)] += 1 }
      case .mark(let mark):
        if !isFirst, classes[Question.mark.rawValue].last == 0, !opens { set(.mark, mark) }
      case .quote(let isOpening):
        isQuoted = isOpening ?? !isQuoted
        if isQuoted { opens = true } else if !isFirst, !opens { set(.closing, 1) }
        if !isQuoted { opens = false }
      case .lineEnd:
        lines += 1
        (isQuoted, opens) = (false, false)
        if keptLineEnds > 0, lines % keptLineEnds == 0 { add(Self.lineEnd, .lower) }
        isFirst = true
      case .other: break
      }
    }
    for (number, count) in seen.enumerated() where count > 0 {
      forms[Self.straight(text.distinct[number]), default: 0] += count
    }
  }

  /// The text's first words, at most so many.
  public func prefix(_ count: Int) -> RunningText {
    var result = self
    result.words = Array(words.prefix(count))
    result.classes = classes.map { Array($0.prefix(count)) }
    return result
  }

  /// How often each word occurs.
  public func counts() -> [String: Int] {
    var counts = [Int](repeating: 0, count: distinct.count)
    for word in words where word != Self.lineEnd { counts[Int(word)] += 1 }
    var result: [String: Int] = [:]
    for (word, count) in zip(distinct, counts) where count > 0 { result[word] = count }
    return result
  }

  fileprivate static func straight(_ word: String) -> String { word.replacing("\u{2019}", with: "'") }

  // MARK: Writing

  /// A word in lower case as the answers to all questions say. `form` is how it is written in a form of its own; a word
  /// that has none is capitalised instead.
  public static func written(_ word: String, _ answers: [Int], form: String?) -> String {
    let letters = Letters(rawValue: answers[Question.letters.rawValue])!
    var result =
      switch letters {
      case .lower: word
      case .upper: word.uppercased()
      case .capitalised: capitalised(word)
      case .own: form ?? capitalised(word)
      }
    let mark = answers[Question.mark.rawValue]
    if mark > 0 { result += Question.mark.classes[mark] }
    if answers[Question.opening.rawValue] > 0 { result = "\"" + result }
    if answers[Question.closing.rawValue] > 0 { result += "\"" }
    return result
  }

  private static func capitalised(_ word: String) -> String {
    guard let place = word.firstIndex(where: \.isLetter) else { return word }
    return word[..<place] + word[place].uppercased() + word[word.index(after: place)...]
  }
}

/// What a token is to a running text.
private enum Token {
  case word(Int32, RunningText.Letters)
  case mark(Int)
  case quote(isOpening: Bool?)
  case lineEnd
  case other

  /// The kinds of tokens, words by their place in `distinct`.
  static func kinds(of tokens: [String], distinct: inout [String]) -> [Token] {
    var places: [String: Int32] = [:]
    let marks = RunningText.Question.mark.classes
    return tokens.map { token in
      if token == RunningText.lineEndToken { return .lineEnd }
      if let mark = marks.dropFirst().firstIndex(of: token == "\u{2026}" ? "." : token) { return .mark(mark) }
      switch token {
      case "\"": return .quote(isOpening: nil)
      case "\u{201C}": return .quote(isOpening: true)
      case "\u{201D}": return .quote(isOpening: false)
      default: break
      }
      guard WordTokenizer.isWord(token) else { return .other }
      let word = RunningText.straight(token).lowercased()
      let place = places[word] ?? Int32(distinct.count)
      if place == distinct.count {
        places[word] = place
        distinct.append(word)
      }
      return .word(place, RunningText.Letters(of: token))
    }
  }
}
