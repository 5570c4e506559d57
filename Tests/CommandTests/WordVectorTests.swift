// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneData
import Testing

/// Vectors of words: learned, looked at, judged, and taken to other programs and back.
@Suite struct WordVectorCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    // Animals eat and colours shine: words of a kind are used alike.
    var random = RandomGenerator(seed: 4)
    func one(_ words: [String]) -> String { words[Int(random.next() % UInt64(words.count))] }
    let (animals, colours) = (["cat", "dog", "cow", "hen"], ["red", "blue", "pink", "grey"])
    let lines = (0..<1500).map { place in
      place % 2 == 0
        ? "the \(one(animals)) \(one(["eats", "drinks"])) \(one(["grass", "milk", "corn"])) now"
        : "a \(one(colours)) \(one(["lamp", "star"])) \(one(["shines", "glows", "burns"])) above"
    }
    try folder.write(lines.joined(separator: "\n"), to: "t.txt")
  }

  private func arguments(_ run: String, _ options: [String] = []) -> [String] {
    [
      "train", "word2vec", "--corpus", "t.txt", "--features", "16", "--epochs", "12", "--batch", "500",
      "--sample", "0", "--learning-rate", "0.05", "--seed", "1", "--threads", "1", "--output", run,
    ] + options
  }

  private func lines(_ arguments: String..., input: String = "") throws -> [String] {
    let outcome = try folder.run(arguments, input: input)
    try #require(outcome.status == 0 && outcome.stderr.isEmpty, "\(arguments): \(outcome.stderr)")
    return outcome.lines
  }

  @Test(arguments: [
    [], ["--model", "cbow"], ["--tree", "--negative", "0"], ["--subwords", "--buckets", "500"],
    ["--tree", "--model", "cbow", "--negative", "2"], ["--phrases", "--threshold", "3"],
  ]) func findsWhatIsAlike(_ options: [String]) throws {
    try folder.trainText(arguments("r", options))
    let losses = try folder.losses("r").map { $0[1]! }
    #expect(losses.last! < losses.first!)
    for (word, others) in [("cat", ["dog", "cow", "hen"]), ("pink", ["red", "blue", "grey"])] {
      let found = try lines("words", "r", "nearest", word, "--count", "3").map { $0.split(separator: " ")[1] }
      #expect(Set(found.map(String.init)) == Set(others), "\(options)")
    }
  }

  @Test func quickPresetLearns() throws {
    try folder.trainText(["train", "word2vec", "--preset", "quick", "--seed", "2", "--output", "q"])
    let losses = try folder.losses("q").map { $0[1]! }
    #expect(losses.last! < losses.first! * 0.8)
  }

  @Test func answersAndPictures() throws {
    try folder.trainText(arguments("r"))
    #expect(try lines("predict", "r", "cat", "--top", "3").count == 3)
    #expect(try lines("predict", "r", input: "cat\ncat red blue\n").count == 20)
    #expect(try lines("words", "r", "analogy", "cat", "eats", "red", "--count", "2").count == 2)
    let similarity = try #require(Double(try lines("words", "r", "similarity", "cat", "dog")[0]))
    #expect(try similarity > #require(Double(try lines("words", "r", "similarity", "cat", "star")[0])))
    for method in ["pca", "tsne"] {
      _ = try lines("words", "r", "map", "cat", "dog", "red", "--method", method, "--output", "m.svg")
      let picture = try folder.text("m.svg")
      #expect(["cat", "dog", "red"].allSatisfy { picture.contains(">\($0)</text>") })
    }
    try folder.write("cat\tdog\t9\ncat\tstar\t1\nred\tblue\t8\nred\tmilk\t2\nno\tone\t3\n", to: "pairs.tsv")
    try folder.write(": kinds\ncat dog red blue\nCat none x y\n", to: "q.txt")
    let judged = try lines(
      "evaluate", "r", "--similarities", "pairs.tsv", "--analogies", "q.txt", "--sections")
    #expect(judged.count == 4 && judged[1].contains("(4 of 5 pairs are known)"), "\(judged)")
    #expect(judged[3].contains("of 1; 2 questions in all"), "\(judged)")
    #expect(try folder.run(["report", "r", "--output", "r.html"]).status == 0)
    #expect(try folder.text("r.html").contains("one-hot of"))
  }

  @Test func goesToOtherProgramsAndBack() throws {
    try folder.trainText(arguments("r"))
    let near = try lines("words", "r", "nearest", "cat")
    for (file, format) in [("v.bin", "binary"), ("v.txt", "word2vec"), ("g.txt", "glove")] {
      _ = try lines("words", "r", "export", file, "--format", format)
      #expect(try lines("words", file, "nearest", "cat") == near)
    }
    #expect(try folder.text("v.txt").hasPrefix("22 16\n"))
  }

  @Test func goesOnToTheSameBits() throws {
    try folder.trainText(
      arguments("whole", ["--epochs", "60", "--checkpoint-every", "7", "--print-every", "1"]))
    let stopped = arguments("part", ["--epochs", "60", "--checkpoint-every", "7", "--print-every", "1"])
    try folder.stopAndResume("part", stopped, by: SIGINT, after: 3)
    #expect(try folder.data("whole/model.safetensors") == folder.data("part/model.safetensors"))
  }

  @Test func saysWhatIsWrong() throws {
    func expect(_ part: String, status: Int32 = 1, _ arguments: String...) throws {
      let outcome = try folder.run(arguments)
      #expect(outcome.status == status && outcome.stderr.contains(part), "\(arguments): \(outcome.stderr)")
    }
    try folder.write("1 2 3\n4 5\n", to: "numbers.txt")
    try expect("numbers.txt: no words", "train", "word2vec", "--corpus", "numbers.txt")
    try folder.write("only rare words here\n", to: "rare.txt")
    try expect("--minimum-count may help", "train", "word2vec", "--corpus", "rare.txt")
    try expect("at least 1 expected without --tree", status: 64, "train", "word2vec", "--negative", "0")
    try folder.trainText(arguments("r"))
    try expect("zebra: has no vector", "words", "r", "nearest", "zebra")
    try expect("predict: zebra: has no vector", "predict", "r", "zebra")
    try expect("1 or 3 expected", "predict", "r", "cat dog")
    try expect("2 words found, 3 expected", status: 64, "words", "r", "analogy", "cat", "dog")
    try folder.write("3 2\na 1 2\n", to: "bad.txt")
    try expect("bad.txt: 1 vectors, 3 expected", "words", "bad.txt", "nearest", "a")
    try folder.makeText()
    try folder.trainText(
      ["train", "names", "--preset", "quick", "--epochs", "1", "--seed", "1", "--output", "n"])
    try expect("which has no vectors of words", "words", "n", "nearest", "a")
  }
}
