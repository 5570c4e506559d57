// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

@Suite struct SyntaxTreeTests {
  private func parse(_ text: String) throws -> SyntaxTree {
    try SyntaxTree(parsing: text, classCount: 5, source: "t: line 1")
  }

  @Test func readsBrackets() throws {
    let text = "(3 (2 It) (4 (2 's) (4 (3 lovely) (2 .))))"
    let tree = try parse(text)
    #expect(tree.words == ["It", "'s", "lovely", "."])
    #expect(tree.label == 3 && tree.nodes.count == 7)
    #expect(tree.description == text)
    for (place, node) in tree.nodes.enumerated() where !node.isLeaf {
      #expect(node.left < node.right && node.right < place)
    }
    #expect(try parse("  (2(3 good)\t(2 film) ) \r").description == "(2 (3 good) (2 film))")
    #expect(try parse("(0 word)").words == ["word"])
    #expect(try parse("(2 (2 日本) (4 映画))").words == ["日本", "映画"])
  }

  @Test(arguments: [
    ("(2 (3 good) (2 film)", "unbalanced brackets: 1 not closed, the first at column 1"),
    ("((((", "a phrase without its class, at column 2"), ("(2 (3 good) (2 film)))", "more after the tree"),
    (")", "a closing bracket without an opening one, at column 1"),
    ("(5 good)", "label 5 is out of range, 0 to 4 expected, at column 2"),
    ("(2 (-1 good) (2 film))", "label -1 is out of range"), ("(x good)", "label x is out of range"),
    ("(2 (1 a) (2 b) (3 c))", "3 phrases in a bracket, a word or two phrases expected, at column 1"),
    ("(2 (1 a))", "one phrase in a bracket"), ("(2)", "nothing in a bracket"),
    ("()", "without label and word"),
    ("(2 two words)", "two words, two and words, in one bracket"),
    ("(2 (1 a) b)", "the word b beside phrases"),
    ("(2 a (1 b))", "a bracket after the word a"), ("good", "good outside of brackets"), ("", "no tree"),
    ("(2 a) (2 b)", "more after the tree's last bracket, at column 7"),
  ])
  func refuses(_ text: String, _ part: String) {
    expectError("t: line 1", part) { try parse(text) }
  }

  @Test func sentencesOfAPerson() throws {
    func tree(_ text: String) throws -> String {
      try SyntaxTree(sentence: text, classCount: 5, source: "predict").description
    }
    #expect(try tree("a good film") == "((a) ((good) (film)))")
    #expect(try tree("((a good) film)") == "(((a) (good)) (film))")
    #expect(try tree("((good) (film))") == "((good) (film))")
    #expect(try tree("(2 (3 good) (2 film))") == "(2 (3 good) (2 film))")
    #expect(try tree("word") == "(word)")
    for (text, part) in [
      ("", "no words"), (" \t", "no words"), ("a (good film", "a bracket in (good"), ("(a b", "unbalanced"),
      ("(a b c)", "3 phrases"), ("(2 (3 good) (2 film)", "unbalanced"), ("a)", "a bracket in a)"),
    ] {
      expectError("predict", part) { try tree(text) }
    }
  }

  @Test func asDeepAsASentenceIsLong() throws {
    let words = (0..<50_000).map { "w\($0)" }
    let tree = SyntaxTree(rightBranching: words)
    #expect(tree.nodes.count == 99_999 && tree.words == words)
    let labelled = tree.relabelled([Int?](repeating: 2, count: tree.nodes.count))
    #expect(try parse(labelled.description) == labelled)
  }

  @Test func files() throws {
    let files = try TemporaryFiles()
    let text = "\u{FEFF}(2 (3 good) (2 film))\r\n\n  \n(0 bad)"
    for (name, bytes) in [
      ("plain.txt", Array(text.utf8)), ("packed.txt.gz", Gzip.compress(Array(text.utf8))),
    ] {
      let path = try files.write(bytes, to: name)
      #expect(
        try SyntaxTree.read(path, classCount: 5).map(\.description) == ["(2 (3 good) (2 film))", "(0 bad)"])
    }
    let wrong = try files.write(Array("(2 a)\n\n(2 (1 a) (2 b) (3 c))\n".utf8), to: "wrong")
    expectError("\(wrong): line 3", "3 phrases") { try SyntaxTree.read(wrong, classCount: 5) }
    let binary = try files.write(Array("(2 a)\n".utf8) + [0xFF, 0xFE, 0x0A], to: "binary")
    expectError("\(binary): line 2", "UTF-8") { try SyntaxTree.read(binary, classCount: 5) }
    for (name, bytes) in [("empty", []), ("blank", Array("\n \n".utf8))] as [(String, [UInt8])] {
      let path = try files.write(bytes, to: name)
      expectError(path, "no trees") { try SyntaxTree.read(path, classCount: 5) }
      expectError(path, "no trees") { try SentimentTrees.load(.dev, from: path) }
    }
    expectError(files.path("none"), "no such") { try SentimentTrees.load(.dev, from: files.path("none")) }
    expectError(files.url.path, "dev.txt is missing") { try SentimentTrees.load(.dev, from: files.url.path) }
    try files.write(Array("(4 fine)".utf8), to: "dev.txt")
    #expect(try SentimentTrees.load(.dev, from: files.url.path).map(\.words) == [["fine"]])
    #expect(!SentimentTrees.hasTraining(in: files.url.path))
  }

  @Test func madeUpTreesAreWhole() throws {
    let trees = try SentimentTrees.load(.train, from: SentimentTrees.sample)
    #expect(trees.count == 600)
    #expect(try trees == SentimentTrees.load(.train, from: SentimentTrees.sample))
    for tree in trees { #expect(try parse(tree.description) == tree) }
    #expect(Set(trees.map(\.label)).count == 5)
  }
}
