// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// Vectors of words and the text that they are learned from.
@Suite struct WordVectorTests {
  private func vectors(_ words: [String], features: Int, seed: UInt64 = 1) -> WordVectors {
    var random = RandomGenerator(seed: seed)
    return WordVectors(words, Tensor(normal: [words.count, features], using: &random))
  }

  // MARK: Files

  @Test func readsText() throws {
    let files = try TemporaryFiles()
    let path = try files.write(Array("the 0.5 -1e-1\nfilm 2 3\nthe 7 7\n".utf8), to: "v")
    let found = try WordVectors(contentsOf: path)
    #expect(found.words == ["the", "film"] && found.vectors.elements(as: Float.self) == [0.5, -0.1, 2, 3])
    #expect(found.vectors.shape == [2, 2] && found.number(of: "film") == 1 && found.number(of: "x") == nil)
    #expect(try WordVectors(contentsOf: path) { $0 == "film" }.words == ["film"])
    for (text, line, part) in [
      ("a 1 2\nb 1\n", ": line 2", "1 numbers after a word, 2 expected"), ("a\n", ": line 1", "0 numbers"),
      ("a 1 x\n", ": line 1", "x is no number"), ("", "", "no vectors"), ("a 1 inf\n", ": line 1", "inf"),
      ("3 2\na 1 2\nb 3 4\n", "", "2 vectors, 3 expected by its first line"),
      ("1 2\na 1 2\nb 3 4\n", "", "2 vectors, 1 expected by its first line"),
      ("2 3\na 1 2\nb 3 4\n", ": line 2", "2 numbers after a word, 3 expected"),
      ("0 3\n", ": line 1", "1 or more expected"), ("5 3\n", "", "no vectors"),
    ] {
      let path = try files.write(Array(text.utf8), to: "bad")
      expectError(path + line, part) { try WordVectors(contentsOf: path) }
    }
  }

  @Test(arguments: WordVectors.Format.allCases) func comesBackAsItWas(_ format: WordVectors.Format) throws {
    let files = try TemporaryFiles()
    for (words, features) in [(["a", "猫", "l'été", "3"], 7), (["x"], 1), ((0..<300).map { "w\($0)" }, 50)] {
      let written = vectors(words, features: features)
      let path = files.path("v-\(words.count)")
      try written.write(to: path, as: format)
      // Of GloVe's, a single number after a number would be a first line.
      let found = try WordVectors(contentsOf: path)
      #expect(found.words == words)
      #expect(found.vectors.elements(as: Float.self) == written.vectors.elements(as: Float.self))
      let packed = try files.write(Gzip.compress(try Files.read(path)), to: "v.gz")
      #expect(try WordVectors(contentsOf: packed).words == words)
    }
    let bad = vectors(["new york"], features: 2)
    expectError(files.path("bad"), "white space") { try bad.write(to: files.path("bad"), as: format) }
    #expect(!FileManager.default.fileExists(atPath: files.path("bad")))
  }

  @Test func readsVectorsThatEndWithALine() throws {
    let files = try TemporaryFiles()
    let values: [Float] = [1, -2.5, 3e-9, 4]
    var bytes = Array("2 2\n".utf8)
    for (word, row) in [("a", values[..<2]), ("b", values[2...])] {
      bytes += Array("\(word) ".utf8) + row.flatMap { number in withUnsafeBytes(of: number) { Array($0) } }
    }
    // Without line ends, as the program word2vec's tools may leave it.
    let path = try files.write(bytes, to: "v.bin")
    #expect(try WordVectors(contentsOf: path).vectors.elements(as: Float.self) == values)
  }

  @Test func refusesDamagedBytes() throws {
    let files = try TemporaryFiles()
    let whole = files.path("whole")
    try vectors((0..<40).map { "w\($0)" }, features: 10).write(to: whole, as: .binary)
    let bytes = try Files.read(whole)
    // However it is cut, it says so.
    for length in stride(from: 60, to: bytes.count - 1, by: 37) {
      let path = try files.write(Array(bytes.prefix(length)), to: "cut")
      #expect(throws: KasaneError.self) { try WordVectors(contentsOf: path) }
    }
    func changed(_ header: String, _ rest: ArraySlice<UInt8>) throws -> String {
      try files.write(Array(header.utf8) + rest, to: "changed")
    }
    let rest = bytes[(bytes.firstIndex(of: 0x0A)! + 1)...]
    for (header, part) in [
      ("39 10\n", "bytes after the 39 words"), ("41 10\n", "word 41 of 41"),
      ("4000000000 10\n", "too short"), ("40 9223372036854775807\n", "too short"),
    ] {
      let path = try changed(header, rest)
      expectError(path, part) { try WordVectors(contentsOf: path) }
    }
    var broken = Array(rest)
    broken[0] = 0xFF
    let path = try changed("40 10\n", broken[...])
    expectError(path, "not UTF-8") { try WordVectors(contentsOf: path) }
  }

  // MARK: Neighbors

  @Test func findsWhatIsNear() throws {
    let words = ["king", "man", "woman", "queen", "far"]
    let found = WordNeighbors(
      WordVectors(
        words, Tensor([[2, 2, 0], [1, 0, 0], [0, 0, 1], [1, 1, 1], [-1, -1, -1]] as [[Float]])))
    #expect(abs(found.similarity(0, 1) - 0.5.squareRoot()) < 1e-6)
    #expect(found.nearest(to: [(0, 1)], count: 2).map(\.word) == ["queen", "man"])
    #expect(found.nearest(to: [(0, 1), (1, -1), (2, 1)], count: 1).first?.word == "queen")
    #expect(found.answers(to: [[1, 0, 2, 3]]) == [3])
    #expect(found.nearest(to: [(1, 1)], count: 99).count == 4)
  }

  @Test func correlatesRanks() {
    #expect(abs(spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) - 0.8207826816681233) < 1e-12)
    #expect(spearman([1, 2, 3], [30, 20, 10]) == -1)
    #expect(spearman([1, 1, 1], [1, 2, 3]) == 0)
  }

  @Test func readsJudgements() throws {
    let files = try TemporaryFiles()
    let pairs = try files.write(
      Array("# A remark\nWord 1\tWord 2\tHuman\nKing\tqueen\t8.5\nman\tfar\t1\n".utf8), to: "p")
    let found = try SimilarityJudgements(contentsOf: pairs)
    #expect(found.pairs.map(\.a) == ["king", "man"] && found.pairs.map(\.score) == [8.5, 1])
    let questions = try files.write(
      Array(": one two\nMan king woman queen\n: other\na b c d\n".utf8), to: "q")
    let asked = try AnalogyQuestions(contentsOf: questions)
    #expect(asked.sections.map(\.name) == ["one two", "other"])
    #expect(asked.sections[0].questions == [["man", "king", "woman", "queen"]])
    for (text, line, part) in [("a\tb\t1\nx y 3\n", ": line 2", "parted by tabs"), ("", "", "no pairs")] {
      let path = try files.write(Array(text.utf8), to: "bad")
      expectError(path + line, part) { try SimilarityJudgements(contentsOf: path) }
    }
    for (text, line, part) in [
      (": s\na b c\n", ": line 2", "3 words, 4 expected"), (": s\n", "", "no questions"),
    ] {
      let path = try files.write(Array(text.utf8), to: "bad")
      expectError(path + line, part) { try AnalogyQuestions(contentsOf: path) }
    }
  }

  // MARK: Text

  private func corpus(_ files: TemporaryFiles, _ text: String, _ name: String = "t.txt") throws -> Corpus {
    try Corpus(at: try files.write(Array(text.utf8), to: name))
  }

  @Test func cutsWords() throws {
    func words(_ line: String, _ rule: WordRule) -> [String] {
      var found: [String] = []
      rule.forEachWord(in: line) { found.append(String(decoding: $0, as: UTF8.self)) }
      return found
    }
    #expect(words("It's ÉTÉ, two-fold 3rd!", .letters) == ["it's", "t", "two", "fold", "rd"])
    #expect(words("  It's ÉTÉ,\t猫 ", .spaces) == ["It's", "ÉTÉ,", "猫"])
    #expect(words("", .letters).isEmpty && words(" .. ", .letters).isEmpty)
  }

  /// The parts of a pass have all known words in their order, and sentences that are lines or pieces of long ones.
  @Test(arguments: [7, 100, 100_000]) func streamsEveryWord(_ size: Int) throws {
    let files = try TemporaryFiles()
    var random = RandomGenerator(seed: 3)
    let lines = (0..<60).map { _ in
      (0..<Int(random.next() % 30)).map { _ in "w\("abcdefghijkl".randomElement(using: &random)!)" }
    }
    let text = lines.map { $0.joined(separator: " ") }.joined(separator: "\n")
    let corpus = try corpus(files, text)
    let census = try WordStream.census(of: corpus, by: .spaces, size: size)
    let all = lines.flatMap { $0 }
    #expect(
      census.words == all.count && census.counts == Dictionary(all.map { ($0, 1) }, uniquingKeysWith: +))
    let known = ["wa", "wc", "we", "wf"]
    let stream = WordStream(corpus, by: .spaces, knowing: known, size: size, parts: census.parts)
    for _ in 0..<2 {
      var found: [String] = []
      for place in 0..<census.parts {
        let part = try stream.part(at: place)
        #expect(part.starts.first == 0 && part.starts.last == Int64(part.tokens.count))
        #expect(zip(part.starts, part.starts.dropFirst()).allSatisfy { $0 < $1 })
        found += part.tokens.map { known[Int($0)] }
      }
      #expect(found == all.filter(known.contains))
    }
    // Out of turn, as when a run goes on.
    let place = census.parts / 2
    let again = WordStream(corpus, by: .spaces, knowing: known, size: size, parts: census.parts)
    let first = try again.part(at: census.parts + place)
    #expect(try first.tokens == stream.part(at: place).tokens)
  }

  @Test func joinsPhrases() throws {
    let files = try TemporaryFiles()
    let text = String(
      repeating: "in new york the cat sat\nthe new cat in york\nthe in a new york cat\n", count: 20)
    let corpus = try corpus(files, text)
    let counts = try WordStream.census(of: corpus, by: .letters, size: 100).counts
    let phrases = try Phrases(of: corpus, by: .letters, counts: counts, minimumCount: 5, threshold: 0.05)
    let census = try WordStream.census(of: corpus, by: .letters, phrases: phrases, size: 10_000)
    #expect(census.counts["new_york"] == 40 && census.counts["new"] == 20 && census.counts["york"] == 20)
    // (pairs - least) * words / (first * second), at either side of the threshold.
    let score = Double(40 - 5) * Double(counts.count) / Double(counts["new"]! * counts["york"]!)
    for (threshold, isThere) in [(score * 0.999, true), (score * 1.001, false)] {
      let found = try Phrases(of: corpus, by: .letters, counts: counts, minimumCount: 5, threshold: threshold)
      let census = try WordStream.census(of: corpus, by: .letters, phrases: found, size: 10_000)
      #expect((census.counts["new_york"] != nil) == isThere)
    }
  }

  @Test func namesTextWithoutWords() throws {
    let files = try TemporaryFiles()
    let corpus = try corpus(files, "... 1 2\n\n")
    expectError(corpus.name, "no words") { try WordStream.census(of: corpus, by: .letters, size: 10) }
  }

  @Test func takesWordsApart() {
    let parts = Subwords(shortest: 3, longest: 4, buckets: 1 << 20)
    // <ca cat at> and <cat cat>; the whole of <cat> is no part of itself.
    #expect(parts.parts(of: "cat").count == 5)
    #expect(Set(parts.parts(of: "cat")).intersection(parts.parts(of: "cats")).count == 3)
    #expect(Subwords(shortest: 3, longest: 6, buckets: 10).parts(of: "猫").isEmpty)
    #expect(
      Subwords(shortest: 3, longest: 6, buckets: 10).parts(of: "word").allSatisfy { (0..<10).contains($0) })
  }
}
