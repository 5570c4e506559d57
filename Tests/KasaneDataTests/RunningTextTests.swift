// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@testable import KasaneData

/// Running text taken apart into words and how they were written, and put together again.
@Suite struct RunningTextTests {
  private func text(_ lines: [String], keptLineEnds: Int = 0) throws -> RunningText {
    let files = try TemporaryFiles()
    let path = try files.write(Array(lines.joined(separator: "\n").utf8), to: "text")
    let corpus = try Corpus(at: path)
    let tokens = try TokenizedText(corpus, by: WordTokenizer(), lineEnd: RunningText.lineEndToken)
    return RunningText(tokens, keptLineEnds: keptLineEnds)
  }

  private func words(_ text: RunningText) -> [String] {
    text.words.map { $0 == RunningText.lineEnd ? "\n" : text.distinct[Int($0)] }
  }

  /// The text as it was written, by its own classes.
  private func written(_ text: RunningText) -> String {
    let forms = Dictionary(
      text.forms.keys.map { ($0.lowercased(), $0) }, uniquingKeysWith: { first, _ in first })
    return words(text).enumerated().map { place, word in
      RunningText.written(word, text.classes.map { Int($0[place]) }, form: forms[word])
    }.joined(separator: " ")
  }

  @Test(
    arguments: [
      ("\"Where is my book?\" she asked.", "\"Where is my book?\" she asked."),
      ("He said, \"I'll go\"; then: NO!", "He said, \"I'll go;\" then: NO!"),
      (
        "I saw McDonald and O\u{2019}Brien's dog\u{2026} the 3rd, 12 o'clock",
        "I saw McDonald and O'Brien's dog. the 3rd, 12 o'clock"
      ),
      ("\u{201C}Yes.\u{201D} \u{201C}No?!\u{201D}", "\"Yes.\" \"No?\""),
      ("a -- b (c), 'd' none", "a b c, d none"), ("... , \" \" a", "a"), ("one. \"\" two", "one. two"),
      ("Élan ÉLAN ß", "Élan ÉLAN ß"),
    ])
  func isWrittenAgain(_ line: String, _ expected: String) throws {
    let text = try text([line])
    #expect(written(text) == expected)
    #expect(words(text).allSatisfy { $0 == $0.lowercased() })
    // What was put together is taken apart in the same way.
    let again = try self.text([expected])
    #expect(words(again) == words(text) && again.classes == text.classes && written(again) == expected)
  }

  @Test(arguments: [
    ("word", 0), ("12", 0), ("3rd", 0), ("I", 1), ("Word", 1), ("I'll", 1), ("WORD", 2), ("II", 2),
    ("I'M", 2),
    ("McDonald", 3), ("iPhone", 3), ("Anglo-Saxon", 3), ("重ね", 0),
  ])
  func lettersHaveClasses(_ word: String, _ expected: Int) {
    #expect(RunningText.Letters(of: word).rawValue == expected)
  }

  @Test func wordsWithoutAFormAreCapitalised() {
    #expect(RunningText.written("macbeth", [3, 2, 1, 1], form: nil) == "\"Macbeth.\"")
    #expect(RunningText.written("macbeth", [3, 0, 0, 0], form: "MacBeth") == "MacBeth")
    #expect(RunningText.written("'tis", [1, 1, 0, 0], form: nil) == "'Tis,")
  }

  @Test func linesEndQuotations() throws {
    // The first line does not close what it opens.
    let text = try text(["\"One two.", "\"three four.\"", "", "five"], keptLineEnds: 2)
    #expect(words(text) == ["one", "two", "three", "four", "\n", "five", "\n"])
    #expect(text.classes[RunningText.Question.opening.rawValue] == [1, 0, 1, 0, 0, 0, 0])
    #expect(text.classes[RunningText.Question.closing.rawValue] == [0, 0, 0, 1, 0, 0, 0])
    #expect(text.counts() == ["one": 1, "two": 1, "three": 1, "four": 1, "five": 1])
    #expect(try self.text(["a.", "b"]).count == 2)
  }

  @Test func formsAreCounted() throws {
    let text = try text(["McDonald met McDonald and MacDonald; macdonald O\u{2019}Brien"])
    #expect(text.forms == ["McDonald": 2, "MacDonald": 1, "O'Brien": 1])
    #expect(text.distinct == ["mcdonald", "met", "and", "macdonald", "o'brien"])
  }

  @Test func partsAreTakenApart() throws {
    let tokens = TokenizedText(line: "One two. Three four.", by: WordTokenizer())
    let part = RunningText(tokens, in: 3..<5)
    #expect(words(part) == ["three", "four"] && part.counts() == ["three": 1, "four": 1])
    #expect(part.classes[RunningText.Question.mark.rawValue] == [0, 0])
    #expect(RunningText(TokenizedText(line: "", by: WordTokenizer())).count == 0)
  }
}
