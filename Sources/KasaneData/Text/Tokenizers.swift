// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Takes text apart into tokens, line by line, and puts tokens together again.
public protocol Tokenizer: Sendable {
  /// Calls `body` with the tokens of a line in order.
  func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows
  /// Text with the tokens in it, as close as may be to that which they came from.
  func text(of tokens: [String]) -> String
}

extension Tokenizer {
  /// The tokens of a line.
  public func tokens(in line: String) -> [String] {
    var tokens: [String] = []
    forEachToken(in: line) { tokens.append($0) }
    return tokens
  }
  /// The tokens with a space between each two.
  public func text(of tokens: [String]) -> String { tokens.joined(separator: " ") }
}

/// What lies between white space.
public struct WhitespaceTokenizer: Tokenizer {
  /// A tokenizer.
  public init() {}

  /// The parts of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    for part in line.unicodeScalars.split(whereSeparator: \.properties.isWhitespace) {
      try body(String(part))
    }
  }
}

/// Every Unicode scalar.
public struct CharacterTokenizer: Tokenizer {
  /// A tokenizer.
  public init() {}

  /// The scalars of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    for scalar in line.unicodeScalars { try body(String(scalar)) }
  }
  /// The tokens without anything between them.
  public func text(of tokens: [String]) -> String { tokens.joined() }
}

/// What a regular expression finds.
public struct RegexTokenizer: Tokenizer, @unchecked Sendable {
  /// The expression.
  public let pattern: String
  private let regex: Regex<AnyRegexOutput>

  /// A tokenizer by an expression in Swift's syntax. Throws one line where it is none.
  public init(_ pattern: String) throws {
    self.pattern = pattern
    do {
      regex = try Regex(pattern).matchingSemantics(.unicodeScalar)
    } catch {
      throw KasaneError("\(pattern): not a regular expression: \(error)")
    }
  }

  /// What is found, from left to right; what is empty is left out.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    for match in line.matches(of: regex) where !match.range.isEmpty { try body(String(line[match.range])) }
  }
}

/// Words of the letters a to z, apostrophes and hyphens: text in lower case of which everything else but spaces is
/// dropped.
public struct LetterTokenizer: Tokenizer {
  /// A tokenizer.
  public init() {}

  /// The words of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    var word: [UInt8] = []
    func finish() throws {
      guard !word.isEmpty else { return }
      try body(String(decoding: word, as: UTF8.self))
      word.removeAll(keepingCapacity: true)
    }
    for byte in line.lowercased().utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "'"), UInt8(ascii: "-"): word.append(byte)
      case UInt8(ascii: " "): try finish()
      default: break
      }
    }
    try finish()
  }
}

/// Words, and every mark by itself. An apostrophe or a hyphen between two letters is part of a word, and so are a point or
/// a comma between two digits, as in 3.14, and the brackets around a word such as `<unk>`.
public struct WordTokenizer: Tokenizer {
  /// A tokenizer.
  public init() {}

  /// The words and marks of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    let scalars = Array(line.unicodeScalars)
    func isLetter(_ index: Int) -> Bool { index < scalars.count && Self.isLetter(scalars[index]) }
    func isDigit(_ index: Int) -> Bool { index < scalars.count && ("0"..."9").contains(scalars[index]) }
    /// Whether what stands at a place inside a word holds its two sides together.
    func joins(_ index: Int) -> Bool {
      guard index < scalars.count else { return false }
      return switch scalars[index] {
      case "'", "\u{2019}", "-": isLetter(index + 1)
      case ".", ",": isDigit(index - 1) && isDigit(index + 1)
      default: false
      }
    }
    var index = 0
    while index < scalars.count {
      let start = index
      index += 1
      if scalars[start] == " " || scalars[start].properties.isWhitespace { continue }
      if isLetter(start) {
        while isLetter(index) || joins(index) { index += 1 }
      } else if scalars[start] == "<" {
        var end = index
        while isLetter(end) { end += 1 }
        if end > index, end < scalars.count, scalars[end] == ">" { index = end + 1 }
      }
      var token = String.UnicodeScalarView()
      token.append(contentsOf: scalars[start..<index])
      try body(String(token))
    }
  }

  /// Whether one of the tokens is a word, not a mark.
  public static func isWord(_ token: String) -> Bool {
    guard let first = token.unicodeScalars.first else { return false }
    return isLetter(first) || first == "<" && token.unicodeScalars.count > 1
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    // Nearly all there are.
    case "a"..."z", "A"..."Z", "0"..."9": return true
    case "\0"..."\u{7F}": return false
    default:
      return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
        || scalar.properties.generalCategory == .nonspacingMark
    }
  }

  private static let closing: Set<String> = [
    ".", ",", ";", ":", "!", "?", ")", "]", "}", "\u{2019}", "\u{201D}",
  ]
  private static let opening: Set<String> = ["(", "[", "{", "\u{2018}", "\u{201C}"]

  /// The tokens with a space between each two, but none before a mark that closes and after one that opens.
  public func text(of tokens: [String]) -> String {
    var text = ""
    var isOpen = true
    var isQuoted = false
    for token in tokens {
      if token == "\n" {
        text += token
        (isOpen, isQuoted) = (true, false)
        continue
      }
      let isQuote = token == "\""
      let clings = isOpen || Self.closing.contains(token) || isQuote && isQuoted
      text += clings ? token : " " + token
      isOpen = Self.opening.contains(token) || isQuote && !isQuoted
      if isQuote { isQuoted.toggle() }
    }
    return text
  }
}

/// Words and marks as the scorers of translation contests take text apart (mteval-v13a; sacrebleu's `13a`), for scores that
/// can be compared with published ones.
public struct ContestTokenizer: Tokenizer {
  /// A tokenizer.
  public init() {}

  /// The words and marks of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    var text = line.replacing("<skipped>", with: "").replacing("-\n", with: "").replacing("\n", with: " ")
    for (name, mark) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
      text = text.replacing(name, with: mark)
    }
    var scalars: [Unicode.Scalar] = [" "]
    for scalar in text.unicodeScalars {
      scalars += Self.standsAlone(scalar) ? [" ", scalar, " "] : [scalar]
    }
    scalars.append(" ")
    // Each rule goes once from left to right, two scalars at a time where it holds.
    scalars = Self.parted(scalars) {
      !Self.isDigit($0) && Self.isPoint($1)
    } into: {
      [$0, " ", $1, " "]
    }
    scalars = Self.parted(scalars) {
      Self.isPoint($0) && !Self.isDigit($1)
    } into: {
      [" ", $0, " ", $1]
    }
    scalars = Self.parted(scalars) {
      Self.isDigit($0) && $1 == "-"
    } into: {
      [$0, " ", $1, " "]
    }
    let isSpace = { (scalar: Unicode.Scalar) in
      scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }
    for part in scalars.split(whereSeparator: isSpace) {
      var token = String.UnicodeScalarView()
      token.append(contentsOf: part)
      try body(String(token))
    }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }
  private static func isPoint(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "," }

  /// Marks of ASCII but apostrophes, hyphens, commas and points.
  private static func standsAlone(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "{"..."~", "["..."`", " "..."&", "("..."+", ":"..."@", "/": true
    default: false
    }
  }

  private static func parted(
    _ scalars: [Unicode.Scalar], where applies: (Unicode.Scalar, Unicode.Scalar) -> Bool,
    into parts: (Unicode.Scalar, Unicode.Scalar) -> [Unicode.Scalar]
  ) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var place = 0
    while place < scalars.count {
      if place + 1 < scalars.count, applies(scalars[place], scalars[place + 1]) {
        result += parts(scalars[place], scalars[place + 1])
        place += 2
      } else {
        result.append(scalars[place])
        place += 1
      }
    }
    return result
  }
}
