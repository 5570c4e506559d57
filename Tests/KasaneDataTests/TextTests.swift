// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// Lines of text, corpora of them, and what is made of them.
@Suite struct TextTests {
  private let files: TemporaryFiles

  init() throws { files = try TemporaryFiles() }

  private func lines(_ bytes: [UInt8], _ name: String = "text") throws -> [String] {
    let reader = try LineReader(path: try files.write(bytes, to: name))
    var lines: [String] = []
    while let line = try reader.next() {
      lines.append(line)
      #expect(reader.lineNumber == lines.count)
    }
    return lines
  }

  // MARK: Lines

  @Test(
    arguments: [
      ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\n\nb", ["a", "", "b"]), ("\n\n", ["", ""]),
      ("a\r\nb\r\n", ["a", "b"]), ("\u{FEFF}a\n\u{FEFF}b", ["a", "\u{FEFF}b"]), ("\u{FEFF}", [""]),
      ("a\rb\n", ["a\rb"]), ("重ね\n", ["重ね"]), ("\r\n", [""]),
    ] as [(String, [String])])
  func linesEndInEitherWay(_ text: String, _ expected: [String]) throws {
    #expect(try lines(Array(text.utf8)).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
    #expect(try lines(Gzip.compress(Array(text.utf8)), "text.gz").count == expected.count)
  }

  @Test func longLinesAreNoTrap() throws {
    // Across many fillings of the buffer, with line ends at its edges.
    let lengths = [1_000_000, 65_535, 65_536, 65_537, 0, 3]
    let text = lengths.map { String(repeating: "x", count: $0) }.joined(separator: "\r\n")
    #expect(try lines(Array(text.utf8)).map(\.utf8.count) == lengths)
    #expect(try lines(Gzip.compress(Array(text.utf8))).map(\.utf8.count) == lengths)
  }

  @Test func whatIsNotTextIsNamed() throws {
    for (bytes, part) in [
      (Array("a\nb\n".utf8) + [0x63, 0xFF, 0x0A], "line 3: not UTF-8 text at character 2"),
      ([0xFF, 0xFE, 0x61, 0], "line 1: not UTF-8 text at character 1"),
      (Array("é".utf8).dropLast() + [0x0A], "line 1: not UTF-8 text at character 1"),
      (Array("ok\nno".utf8) + [0], "line 2: a zero byte"),
    ] as [([UInt8], String)] {
      let path = files.path("text")
      expectError(path, part) { try lines(bytes) }
      expectError(path, part) { try lines(Gzip.compress(bytes)) }
    }
    let cut = Gzip.compress(Array("hello\nworld\n".utf8)).dropLast(3)
    expectError(files.path("text"), "cut off") { try lines(Array(cut)) }
    expectError(files.path("none"), "No such file") { try LineReader(path: files.path("none")) }
  }

  // MARK: Corpora

  private func all(_ corpus: Corpus) throws -> [String] {
    var lines: [String] = []
    try corpus.forEachLine { lines.append($0) }
    return lines
  }

  @Test func foldersAreReadInTheOrderOfTheirNames() throws {
    try files.write(Array("b\n".utf8), to: "b.txt")
    try files.write(Gzip.compress(Array("a".utf8)), to: "a.txt.gz")
    try files.write(Array("no".utf8), to: "c.md")
    try files.write(Array("no".utf8), to: ".d.txt")
    #expect(try all(Corpus(at: files.url.path)) == ["a", "b"])
    // A link that leads back is not followed for ever.
    try FileManager.default.createSymbolicLink(
      atPath: files.path("loop"), withDestinationPath: files.url.path)
    #expect(try all(Corpus(at: files.url.path)) == ["a", "b"])
    #expect(try all(Corpus(at: files.path("c.md"))) == ["no"])
    expectError(files.path("none"), "no such file or folder") { try Corpus(at: files.path("none")) }
    let empty = try TemporaryFiles()
    expectError(empty.url.path, ".txt") { try Corpus(at: empty.url.path) }
  }

  @Test func aFolderMayHaveWhatItIsJudgedBy() throws {
    try files.write(Array("t".utf8), to: "train.txt")
    #expect(try Corpus.parts(at: files.url.path, sample: .novel).validation == nil)
    try files.write(Array("v".utf8), to: "valid.txt")
    let parts = try Corpus.parts(at: files.url.path, sample: .novel)
    #expect(try all(parts.training) == ["t"])
    #expect(try all(#require(parts.validation)) == ["v"])
  }

  @Test func samplesAreThere() throws {
    let (novel, judged) = try Corpus.parts(at: Corpus.sample, sample: .novel)
    #expect(try all(novel)[0] == "THE SECRET GARDEN")
    #expect(try all(#require(judged)).count == 65)
    let names = try Corpus.parts(at: Corpus.sample, sample: .names)
    #expect(try all(names.training).count == 8009 && names.validation == nil)
  }

  // MARK: Tokenizers

  @Test func tokenizersTakeLinesApart() throws {
    let line = "  \"Don't!\" said she—well-known\t<unk> to 21 us's: é e\u{301}"
    #expect(
      WhitespaceTokenizer().tokens(in: line) == [
        "\"Don't!\"", "said", "she—well-known", "<unk>", "to", "21", "us's:", "é", "e\u{301}",
      ])
    #expect(CharacterTokenizer().tokens(in: "aé\u{65}\u{301}") == ["a", "é", "e", "\u{301}"])
    #expect(CharacterTokenizer().text(of: ["a", " ", "b"]) == "a b")
    #expect(try RegexTokenizer("[a-z]+|\\d").tokens(in: "ab12 c") == ["ab", "1", "2", "c"])
    #expect(try RegexTokenizer("x*").tokens(in: "axxb") == ["xx"])
    #expect(
      LetterTokenizer().tokens(in: "Some-of 'THEM', look (like) é 42 it's\tnot - ") == [
        "some-of", "'them'", "look", "like", "it'snot", "-",
      ])
    let words = WordTokenizer()
    #expect(
      words.tokens(in: line) == [
        "\"", "Don't", "!", "\"", "said", "she", "—", "well-known", "<unk>", "to", "21", "us's", ":", "é",
        "e\u{301}",
      ])
    #expect(words.tokens(in: "a < b <c") == ["a", "<", "b", "<", "c"])
    #expect(
      words.tokens(in: "3.14, 1,000.5. a.b 5.x x2.5 .5 7,") == [
        "3.14", ",", "1,000.5", ".", "a", ".", "b", "5", ".", "x", "x2.5", ".", "5", "7", ",",
      ])
    for text in ["\"Don't!\" said she, well-known; (so) it is 3.5.", "“Yes.” A", ""] {
      #expect(words.text(of: words.tokens(in: text)) == text)
    }
    let error = #expect(throws: KasaneError.self) { try RegexTokenizer("(") }
    #expect(error?.description.hasPrefix("(: not a regular expression") == true)
  }

  // MARK: Vocabulary

  private let counts = ["a": 3, "b": 5, "c": 3, "<eos>": 4, "d": 1]

  @Test func vocabulariesAreInTheOrderOfCounts() {
    let plain = Vocabulary(counts: counts)
    #expect(plain.tokens == ["b", "<eos>", "a", "c", "d"] && plain.unknown == nil)
    #expect(plain.encode(["a", "x", "b"]) == [2, 0])
    let special = Vocabulary(counts: counts, special: ["<eos>"], unknown: "<unk>", minimumCount: 3)
    #expect(special.tokens == ["<eos>", "<unk>", "b", "a", "c"])
    #expect(special.counts == [4, 1, 5, 3, 3] && special.specialCount == 2 && special.unknown == 1)
    #expect(special.encode(["a", "x", "b"]) == [3, 1, 2] && special.decode([3, 1]) == ["a", "<unk>"])
    #expect(special.number(of: "c") == 4 && special.number(of: "d") == nil)
    #expect(Vocabulary(counts: counts, unknown: "<unk>", limit: 3).tokens == ["<unk>", "b", "<eos>"])
    #expect(Vocabulary(counts: counts, unknown: "<unk>", limit: 0).tokens == ["<unk>"])
  }

  @Test func vocabulariesAreKeptAndChecked() throws {
    var odd = counts
    for token in ["\n", "\"", "\\", "é", "重", "\u{1}", "/"] { odd[token] = 2 }
    let path = files.path("vocabulary.json")
    for made in [Vocabulary(counts: odd), Vocabulary(counts: odd, unknown: "<unk>", minimumCount: 2)] {
      try made.write(to: path)
      #expect(try Vocabulary(contentsOf: path) == made)
    }
    let text = String(decoding: try files.bytes("vocabulary.json"), as: UTF8.self)
    for (old, new) in [
      ("\"b\"", "\"B\""), (":1", ":2"), ("5,4", "5,5"), ("\"unknown\":0", "\"unknown\":7"), ("5,4", "5"),
    ] {
      #expect(text.contains(old))
      try files.write(Array(text.replacing(old, with: new).utf8), to: "vocabulary.json")
      expectError(path, "") { try Vocabulary(contentsOf: path) }
    }
    for bad in ["", "{}", "[1]", "text"] {
      try files.write(Array(bad.utf8), to: "vocabulary.json")
      expectError(path, "not a vocabulary") { try Vocabulary(contentsOf: path) }
    }
    expectError(files.path("none"), "missing") { try Vocabulary(contentsOf: files.path("none")) }
  }

  // MARK: Text by numbers

  @Test func textsAreCountedAndEncoded() throws {
    let path = try files.write(Array("to be\r\n\r\nor not to be\n".utf8), to: "t.txt")
    let corpus = try Corpus(at: path)
    let text = try TokenizedText(corpus, by: WhitespaceTokenizer(), lineEnd: "<eos>")
    #expect(text.numbers == [0, 1, 2, 2, 3, 4, 0, 1, 2] && text.lineCount == 3)
    #expect(text.counts() == ["to": 2, "be": 2, "<eos>": 3, "or": 1, "not": 1])
    #expect(text.counts(in: 0..<3) == ["to": 1, "be": 1, "<eos>": 1])
    let known = Vocabulary(counts: text.counts(), unknown: "?", minimumCount: 2)
    #expect(
      known.decode(text.encoded(by: known)).joined(separator: " ") == "to be <eos> <eos> ? ? to be <eos>")
    let only = Vocabulary(counts: ["to": 1])
    #expect(text.encoded(by: only) == [0, 0])
    #expect(
      text.fingerprint == (try TokenizedText(corpus, by: WhitespaceTokenizer(), lineEnd: "<eos>")).fingerprint
    )
    #expect(text.fingerprint != (try TokenizedText(corpus, by: WhitespaceTokenizer())).fingerprint)
    for empty in ["", "\n\n", "  \r\n\t"] {
      let path = try files.write(Array(empty.utf8), to: "empty.txt")
      expectError(path, "no words") {
        try TokenizedText(Corpus(at: path), by: WhitespaceTokenizer(), lineEnd: "<eos>")
      }
    }
  }

  // MARK: Batches

  @Test func windowsAreAllThereOnceInAnEpoch() {
    let tokens = (0..<23).map { Int32($0) }
    var batches = WindowBatches(tokens, length: 5, size: 4, seed: 1, stream: 2)
    #expect(batches.batchesPerEpoch == 5)
    for epoch in 0..<2 {
      var next: [Int64] = []
      for batch in 0..<5 {
        let (windows, following) = batches.batch(at: epoch * 5 + batch)
        #expect(windows.shape == [batch < 4 ? 4 : 2, 5])
        let rows = windows.elements(as: Int32.self)
        for (row, last) in following.elements(as: Int32.self).enumerated() {
          #expect(rows[row * 5..<row * 5 + 5].elementsEqual(last - 5..<last))
          next.append(Int64(last))
        }
      }
      #expect(next.sorted() == Array(5..<23) && next != Array(5..<23))
    }
  }

  @Test func streamsGoOnWhereTheyEnded() {
    let tokens = (0..<23).map { Int32($0) }
    let batches = StreamBatches(tokens, rows: 2, steps: 4)
    #expect(batches.batchesPerEpoch == 3 && batches.tokensPerEpoch == 20)
    func rows(_ tensor: Tensor) -> [[Int32]] {
      let all = tensor.elements(as: Int32.self)
      return [Array(all[..<(all.count / 2)]), Array(all[(all.count / 2)...])]
    }
    let (inputs, targets) = batches.batch(0)
    #expect(rows(inputs) == [[0, 1, 2, 3], [11, 12, 13, 14]])
    #expect(rows(targets) == [[1, 2, 3, 4], [12, 13, 14, 15]])
    let (last, after) = batches.batch(2)
    #expect(rows(last) == [[8, 9], [19, 20]] && rows(after) == [[9, 10], [20, 21]])
    #expect(StreamBatches(tokens, rows: 2, steps: 5).batchesPerEpoch == 2)
    #expect(StreamBatches(tokens, rows: 11, steps: 5).batchesPerEpoch == 1)
  }
}
