// SPDX-License-Identifier: Apache-2.0

internal import CMecab
import Kasane
internal import Synchronization

/// Words and marks of any language by Unicode's rules (UAX #29), as Swift's regular expressions find them; white space is left
/// out. Languages that write no spaces come apart into characters: see `MeCabTokenizer` for Japanese.
public struct UnicodeTokenizer: Tokenizer, @unchecked Sendable {
  private let boundary: Regex<Substring>

  /// A tokenizer.
  public init() { boundary = #/\b/#.wordBoundaryKind(.default) }

  /// The words and marks of the line.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    var start = line.startIndex
    func finish(at end: String.Index) throws {
      let part = line[start..<end]
      start = end
      if !part.isEmpty, !part.unicodeScalars.allSatisfy(\.properties.isWhitespace) { try body(String(part)) }
    }
    for match in line.matches(of: boundary) { try finish(at: match.range.lowerBound) }
    try finish(at: line.endIndex)
  }

  /// As `WordTokenizer` puts words and marks together.
  public func text(of tokens: [String]) -> String { WordTokenizer().text(of: tokens) }
}

/// Words of Japanese by MeCab (Kudo, Yamamoto and Matsumoto 2004), the system's library with its dictionary.
public final class MeCabTokenizer: Tokenizer {
  private let tagger: Mutex<Tagger>

  private struct Tagger: ~Copyable, @unchecked Sendable {
    let pointer: OpaquePointer
    deinit { ks_mecab_close(pointer) }
  }

  /// A tokenizer with the system's dictionary, or with one in a folder. Throws one line that says what to install where the
  /// library or a dictionary is missing.
  public init(dictionary: String? = nil) throws {
    let (pointer, reason) = withReason { ks_mecab_open(dictionary, $0, $1) }
    guard let pointer else { throw KasaneError(reason) }
    tagger = Mutex(Tagger(pointer: pointer))
  }

  /// The one with the system's dictionary. Throws one line that says what to install where there is none.
  public static var standard: MeCabTokenizer { get throws { try shared.get() } }
  private static let shared = Result { try MeCabTokenizer() }

  /// The words of the line; white space is left out.
  public func forEachToken(in line: String, _ body: (String) throws -> Void) rethrows {
    var line = line
    let words = tagger.withLock { tagger in
      line.withUTF8 { text -> String in
        guard !text.isEmpty else { return "" }
        return text.withMemoryRebound(to: CChar.self) { text in
          var count = 0
          guard let words = ks_mecab_words(tagger.pointer, text.baseAddress!, text.count, &count) else {
            return ""
          }
          return String(
            decoding: UnsafeRawBufferPointer(start: words, count: count), as: UTF8.self)
        }
      }
    }
    try WhitespaceTokenizer().forEachToken(in: words, body)
  }

  /// The words without anything between them, but for a space between two that end and begin with letters or digits of ASCII.
  public func text(of tokens: [String]) -> String {
    func isLatin(_ scalar: Unicode.Scalar?) -> Bool {
      scalar.map { $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0) } ?? false
    }
    return tokens.reduce(into: "") { text, token in
      if isLatin(text.unicodeScalars.last), isLatin(token.unicodeScalars.first) { text += " " }
      text += token
    }
  }
}

/// How text comes apart, by name.
public enum TokenizerKind: String, CaseIterable, Codable, Sendable {
  /// What lies between white space.
  case spaces
  /// Every Unicode scalar.
  case characters
  /// Words and marks of languages that are written as English is.
  case words
  /// Words of the letters a to z.
  case letters
  /// Words and marks of any language by Unicode's rules.
  case unicode
  /// Words of Japanese.
  case mecab

  /// The tokenizer. Throws one line where the machine lacks what it needs.
  public func tokenizer() throws -> any Tokenizer {
    switch self {
    case .spaces: WhitespaceTokenizer()
    case .characters: CharacterTokenizer()
    case .words: WordTokenizer()
    case .letters: LetterTokenizer()
    case .unicode: UnicodeTokenizer()
    case .mecab: try MeCabTokenizer.standard
    }
  }
}
