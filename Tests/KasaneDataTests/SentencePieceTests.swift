// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// Pieces of words, by the library SentencePiece.
@Suite struct SentencePieceTests {
  private struct Expected: Decodable {
    let text, decoded: String
    let pieces: [String]
    let numbers: [Int]
  }

  private func fixture(_ name: String) throws -> URL {
    try #require(Bundle.module.url(forResource: "Fixtures/SentencePiece/\(name)", withExtension: nil))
  }

  /// Models that the library's Python package has learned, and what it makes of text.
  @Test(arguments: SentencePieceTokenizer.Kind.allCases)
  func readsModelsOfOthers(_ kind: SentencePieceTokenizer.Kind) throws {
    let model = try SentencePieceTokenizer(contentsOf: fixture("\(kind.rawValue).model").path)
    #expect(model.pieces.count == 300 && model.pieces.prefix(3) == ["<unk>", "<s>", "</s>"])
    let all = try JSONDecoder().decode(
      [Expected].self, from: Data(contentsOf: fixture("\(kind.rawValue).json")))
    #expect(!all.isEmpty)
    for expected in all {
      let pieces = model.tokens(in: expected.text)
      #expect(pieces == expected.pieces)
      #expect(pieces.map(model.number) == expected.numbers)
      // By number the unknown is not known any more.
      if !expected.numbers.contains(0) { #expect(model.text(of: pieces) == expected.decoded) }
    }
  }

  @Test(arguments: SentencePieceTokenizer.Kind.allCases)
  func learnsAndKeepsModels(_ kind: SentencePieceTokenizer.Kind) throws {
    let files = try TemporaryFiles()
    let made = try SentencePieceTokenizer.train(
      on: Corpus(sample: "text/novel-valid.txt.gz"), kind: kind, count: 200)
    #expect(made.pieces.count == 200)
    let path = files.path("m.model")
    try made.write(to: path)
    let found = try SentencePieceTokenizer(contentsOf: path)
    #expect(found.pieces == made.pieces)
    let text = "It was the best of times."
    #expect(found.tokens(in: text) == made.tokens(in: text) && found.tokens(in: text).count > 5)
    #expect(found.text(of: found.tokens(in: text)) == text)
  }

  @Test func saysWhatIsWrong() throws {
    let files = try TemporaryFiles()
    let whole = try Files.read(fixture("bpe.model").path)
    let lengths = Array(990...1010) + [whole.count - 1]
    for bytes in [[], Array("no model".utf8)] + lengths.map({ Array(whole.prefix($0)) }) {
      let path = try files.write(bytes, to: "bad.model")
      expectError(path, "model of SentencePiece") { try SentencePieceTokenizer(contentsOf: path) }
    }
    let short = try Corpus(at: try files.write(Array("a b c\n".utf8), to: "short.txt"))
    expectError(short.name, "5000 pieces cannot be learned") {
      try SentencePieceTokenizer.train(on: short, kind: .bpe, count: 5000)
    }
    let broken = try Corpus(at: try files.write([0x61, 0x0A, 0xFF, 0x0A], to: "broken.txt"))
    expectError("\(broken.name): line 2", "not UTF-8") {
      try SentencePieceTokenizer.train(on: broken, kind: .bpe, count: 50)
    }
  }
}
