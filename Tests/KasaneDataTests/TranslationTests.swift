// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// Aligned files, and how alike translations are.
@Suite struct TranslationTests {
  private let files: TemporaryFiles

  init() throws { files = try TemporaryFiles() }

  // MARK: BLEU

  private struct Case: Decodable {
    struct Corpus: Decodable {
      let score: Double, counts: [Double], totals: [Double], precisions: [Double], brevity: Double
      let length: Int, reference: Int
    }
    let hypotheses: [String], references: [[String]], tokenizer: String, smoothing: String, value: Double?
    let corpus: Corpus
    let sentences: [Double]

    var rule: BLEU.Smoothing {
      switch smoothing {
      case "floor": .floor(value!)
      case "add-k": .add(value!)
      case "exp": .exponential
      default: .none
      }
    }

    func tokens(_ text: String) -> [String] {
      switch tokenizer {
      case "13a": ContestTokenizer().tokens(in: text)
      case "char": CharacterTokenizer().tokens(in: text).filter { $0 != " " }
      default: WhitespaceTokenizer().tokens(in: text)
      }
    }
  }

  @Test func scoresAreThoseOfSacrebleu() throws {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/bleu", withExtension: "json"))
    let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: url))
    #expect(cases.count == 144)
    func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(1, abs(b)) }
    for (number, known) in cases.enumerated() {
      let hypotheses = known.hypotheses.map(known.tokens)
      let references = hypotheses.indices.map { place in known.references.map { known.tokens($0[place]) } }
      let found = BLEU.corpus(hypotheses, references: references, smoothing: known.rule)
      let name = "case \(number): \(known.tokenizer), \(known.smoothing): \(found), \(known.corpus)"
      #expect(near(found.score, known.corpus.score), "\(name)")
      #expect(found.counts == known.corpus.counts && found.totals == known.corpus.totals, "\(name)")
      #expect(zip(found.precisions, known.corpus.precisions).allSatisfy(near), "\(name)")
      #expect(near(found.brevityPenalty, known.corpus.brevity), "\(name)")
      #expect(
        found.length == known.corpus.length && found.referenceLength == known.corpus.reference, "\(name)")
      for (place, score) in known.sentences.enumerated() {
        let own = BLEU.sentence(hypotheses[place], references: references[place], smoothing: known.rule)
        #expect(near(own.score, score), "\(name): sentence \(place): \(own), \(score)")
      }
    }
  }

  @Test func oneReferenceIsEnough() {
    let text = [["a", "b", "c", "d", "e"]]
    #expect(BLEU.corpus(text, references: text).score.rounded() == 100)
    #expect(
      BLEU.corpus([["a", "b", "c", "d"]], references: [text[0]]).description
        == "BLEU = 77.88 100.0/100.0/100.0/100.0 (BP = 0.779 ratio = 0.800 hyp_len = 4 ref_len = 5)")
  }

  // MARK: Aligned files

  private func pairs(
    _ source: String, _ target: String, longest: Int = 4, overlong: ParallelText.Overlong = .truncate
  ) throws -> ParallelText {
    try ParallelText(
      source: try files.write(Array(source.utf8), to: "s.txt"),
      target: try files.write(Gzip.compress(Array(target.utf8)), to: "t.txt"),
      by: CharacterTokenizer(), and: WhitespaceTokenizer(), longest: longest, overlong: overlong)
  }

  @Test func linesArePairs() throws {
    let text = try pairs("\u{FEFF}重ね\r\n\r\nab\nabcdef\nx\n", "a pile\nlost\n\n1 2 3\n1 2 3 4 5\n")
    #expect(text.source == [["重", "ね"], ["a", "b", "c", "d"], ["x"]])
    #expect(text.target == [["a", "pile"], ["1", "2", "3"], ["1", "2", "3", "4"]])
    #expect(text.emptyPairs == 2 && text.overlongPairs == 2 && text.count == 3)
    let kept = try pairs("ab\nabcdef\nx\n", "a\n1 2 3\n1 2 3 4 5\n", overlong: .skip)
    #expect(kept.source == [["a", "b"]] && kept.target == [["a"]] && kept.overlongPairs == 2)
  }

  private func expectError(_ parts: String..., from body: () throws -> ParallelText) {
    let error = #expect(throws: KasaneError.self) { _ = try body() }
    for part in parts { #expect("\(error!)".contains(part), "\(error!)") }
    #expect(!"\(error!)".contains("\n"))
  }

  @Test func whatIsWrongIsNamed() throws {
    expectError("number of lines: 3 in ", "s.txt, 1 in ", "t.txt: as many") { try pairs("a\nb\nc\n", "1\n") }
    expectError("number of lines: 1 in ", "s.txt, 2 in ") { try pairs("a", "1\n2") }
    expectError("t.txt: line 2: 5 tokens, at most 4 expected") {
      try pairs("a\nb\n", "1\n1 2 3 4 5\n", overlong: .refuse)
    }
    expectError("no pair of sentences: 1 empty and 0 too long") { try pairs("\n", "1\n") }
    expectError("no pair of sentences: 0 empty and 0 too long") { try pairs("", "") }
    let bad = try files.write([0x61, 0x0A, 0xFF, 0x0A], to: "bad.txt")
    let good = try files.write(Array("a\nb\n".utf8), to: "good.txt")
    for (source, target) in [(bad, good), (good, bad)] {
      expectError("bad.txt: line 2: not UTF-8 text at character 1") {
        try ParallelText(source: source, target: target, by: CharacterTokenizer(), and: CharacterTokenizer())
      }
    }
    expectError("none.txt") {
      try ParallelText(source: good, target: "none.txt", by: CharacterTokenizer(), and: CharacterTokenizer())
    }
  }
}
