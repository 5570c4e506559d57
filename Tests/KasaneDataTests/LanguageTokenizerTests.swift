// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@testable import KasaneData

/// Words of languages other than those that are written as English is.
@Suite struct LanguageTokenizerTests {
  /// The example of Unicode's annex 29, section 4, and others.
  @Test(arguments: [
    (
      "The quick (“brown”) fox can’t jump 32.3 feet, right?",
      "The quick ( “ brown ” ) fox can’t jump 32.3 feet , right ?"
    ),
    ("naïve Übermut – 3,5 %", "naïve Übermut – 3,5 %"), ("", ""), ("   \t", ""),
    ("can't e.g. U.S.A.", "can't e.g . U.S.A ."),
    ("カタカナ語", "カタカナ 語"), ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
  ]) func unicodeWords(_ text: String, _ expected: String) {
    #expect(UnicodeTokenizer().tokens(in: text).joined(separator: " ") == expected)
  }

  @Test func unicodeWordsBecomeTextAgain() {
    let text = "\"It's late,\" she said; (they left)."
    #expect(UnicodeTokenizer().text(of: UnicodeTokenizer().tokens(in: text)) == text)
  }

  @Test func japaneseWords() throws {
    let tokenizer = try MeCabTokenizer.standard
    #expect(tokenizer.tokens(in: "すもももももももものうち") == ["すもも", "も", "もも", "も", "もも", "の", "うち"])
    let text = "東京でSwift Packageを3回使った。"
    let tokens = tokenizer.tokens(in: text)
    #expect(tokens.prefix(2) == ["東京", "で"] && tokens.contains("Swift") && tokens.last == "。")
    #expect(tokenizer.text(of: tokens) == text)
    #expect(tokenizer.tokens(in: "").isEmpty && tokenizer.tokens(in: " 　 ").isEmpty)
    // As long as a book's chapter, and bytes of zero inside.
    let long = String(repeating: "猫が好き。", count: 20_000)
    #expect(tokenizer.tokens(in: long).joined() == long)
  }

  @Test func japaneseWordsOnSeveralThreads() async throws {
    let tokenizer = try MeCabTokenizer.standard
    let lines = (0..<50).map { "私は\($0)回目に猫を見た。" }
    let expected = lines.map { tokenizer.tokens(in: $0) }
    await withTaskGroup(of: Bool.self) { group in
      for (line, tokens) in zip(lines, expected) {
        group.addTask { (0..<20).allSatisfy { _ in tokenizer.tokens(in: line) == tokens } }
      }
      for await isSame in group { #expect(isSame) }
    }
  }

  @Test func namesAMissingDictionary() {
    #expect { try MeCabTokenizer(dictionary: "/no/such/dictionary") } throws: { error in
      "\(error)".contains("no dictionary in /no/such/dictionary: apt-get install")
    }
  }
}
