// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// Training on trees, what can be done with the run, and bad input.
@Suite struct SentimentTreeTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ name: String, _ options: [String] = []) -> [String] {
    ["train", "sentiment-tree", "--preset", "quick", "--seed", "1", "--threads", "1", "--output", name]
      + options
  }

  private func train(_ name: String, _ options: [String] = []) throws -> Outcome {
    let outcome = try folder.run(arguments(name, options))
    try #require(outcome.status == 0, "\(outcome.stderr)")
    return outcome
  }

  /// A folder of two small files of trees.
  private func makeTrees(
    _ name: String = "trees", train: String = "(4 (2 a) (4 gem))\n(0 (2 a) (0 bore))\n(2 (2 the) (2 end))\n",
    dev: String = "(4 (2 the) (4 gem))\n(2 word)\n"
  ) throws {
    try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true)
    try folder.write(Data(train.utf8), to: "\(name)/train.txt")
    try folder.write(Data(dev.utf8), to: "\(name)/dev.txt")
  }

  @Test(arguments: ["rnn", "mv-rnn", "rntn", "tree-lstm", "child-sum"])
  func quickLearns(_ model: String) throws {
    let outcome = try train("r", ["--model", model, "--epochs", "5"])
    // The run keeps the weights of the best epoch.
    let epochs = outcome.lines.compactMap {
      $0.firstMatch(of: #/sentences (\d+\.\d\d) % of five, (\d+\.\d\d) % of two/#)
    }
    let best = try #require(epochs.max { Double($0.1)! < Double($1.1)! })
    #expect(epochs.count == 5 && Double(best.1)! >= 55 && Double(best.2)! >= 65, "\(outcome.stdout)")
    #expect(outcome.stdout.contains(#/loss \d\.\d{4}  \(\d+ tokens\/s, \d+ s left\)/#), "\(outcome.stdout)")
    let evaluated = try folder.run(["evaluate", "r"])
    #expect(evaluated.status == 0 && evaluated.stderr.isEmpty, "\(evaluated.stderr)")
    #expect(evaluated.lines[0].hasPrefix("Sentences right, of five classes: "))
    #expect(evaluated.lines[0].hasSuffix(" of 200 (\(best.1) %)"), "\(evaluated.stdout)\n\(outcome.stdout)")
    #expect(evaluated.lines[2].hasPrefix("Phrases right, of five classes: "))
    #expect(evaluated.lines.count == 11)
  }

  @Test func predictsTreesAndSentences() throws {
    _ = try train("r", ["--epochs", "2"])
    func lines(_ words: String...) throws -> [String] {
      let outcome = try folder.run(["predict", "r"] + words)
      #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
      return outcome.lines
    }
    let tree = try lines("(2 (3 good) (2 film))", "--svg", "tree.svg")
    #expect(tree.count == 5 && tree[0].hasSuffix("%  good film") && tree[1].hasSuffix("%    good"))
    #expect(tree[3].wholeMatch(of: #/\(\d \(\d good\) \(\d film\)\)/#) != nil)
    #expect(tree[4].hasPrefix("Answer: ") && tree[4].hasSuffix("(given: neutral)"))
    let drawn = try folder.text("tree.svg")
    #expect(
      drawn.hasPrefix("<svg ") && drawn.contains(">good</text>") && drawn.contains("<title>good film: "))
    let data = try XMLDocumentCheck.count(drawn)
    #expect(data > 20)
    // A tree of its own, words that branch to the right, brackets without classes: the same where they are the same.
    #expect(try lines("good", "film")[..<4] == tree[..<4])
    #expect(try lines("(good film)")[..<4] == tree[..<4])
    #expect(try lines("((the film) (is good))").last?.hasPrefix("Answer: ") == true)
    #expect(try lines("GOOD film")[3] != "" && lines("good <&> film").count == 7)
    // What a sentence means is the vector of its tree's root.
    try folder.write("bad film\n(2 (3 good) (2 film))\n", to: "films.txt")
    let near = try folder.run(["embed", "r", "films.txt", "--nearest", "good film", "--count", "1"])
    #expect(near.lines == ["1.0000  (2 (3 good) (2 film))"], "\(near.stderr)")
    try folder.expectError(
      ["embed", "r", "films.txt", "--nearest", "zzz"], names: "--nearest: sentence 1: none")
  }

  @Test func learnsFromFilesAndResumes() throws {
    try makeTrees()
    try folder.write(Data("gem 1 0 0.5\nbore -1 0 0.5\nnew 0 1 0\n".utf8), to: "vectors.txt")
    let options = [
      "--data", "trees", "--vectors", "vectors.txt", "--features", "3", "--epochs", "30", "--dropout", "0.1",
      "--batch", "2", "--checkpoint-every", "7", "--print-every", "1",
    ]
    _ = try train("whole", options)
    let command = try folder.start(arguments("stopped", options))
    #expect(command.wait { command.stdout.components(separatedBy: "  iteration ").count > 20 })
    command.send(15)
    _ = command.finish()
    #expect(try folder.run(["train", "--resume", "stopped"]).status == 0)
    #expect(try folder.data("whole/model.safetensors") == folder.data("stopped/model.safetensors"))
    // The last state too, after epochs that are none of the best.
    let last = try ["whole", "stopped"].map { run in
      try Safetensors(contentsOf: folder.file("\(run)/checkpoints/step-000000060.safetensors").path).tensors
    }
    #expect(last[0].count > 10 && last[0].keys == last[1].keys)
    for (name, tensor) in last[0] { #expect(tensor.isEqual(to: last[1][name]!), "\(name)") }
    // A word of the file of vectors alone is known; the run needs no data.
    try folder.remove("trees")
    try folder.remove("vectors.txt")
    #expect(try folder.run(["predict", "whole", "new"]).status == 0)
    try folder.expectError(["evaluate", "whole"], names: "trees: no such folder")
    #expect(try folder.run(["evaluate", "whole", "--data", "sample"]).status == 0)
  }

  /// A run ends where its accuracy no longer grows.
  @Test func stopsEarly() throws {
    try makeTrees()
    let outcome = try train(
      "r", ["--data", "trees", "--epochs", "40", "--patience", "2", "--optimizer", "adagrad"])
    let epochs = outcome.lines.compactMap { $0.firstMatch(of: #/^epoch (\d+)\/40  validation /#)?.1 }
    #expect((3..<40).contains(epochs.count), "\(outcome.stdout)")
  }

  @Test func badTrees() throws {
    for (text, part) in [
      ("", "no trees"), ("\n\n", "no trees"), ("(2 (2 a) (2 b)\n", "line 1: unbalanced brackets"),
      ("(2 a)\n(2 (2 a) (2 b)))\n", "line 2: more after the tree"),
      ("(7 a)\n", "line 1: label 7 is out of range, 0 to 4"),
      ("(2 (2 a) (2 b) (2 c))\n", "line 1: 3 phrases"),
      ("plain words\n", "line 1: plain outside of brackets"),
      ("(2 a)\u{0}\n", "line 1"),
    ] {
      try makeTrees(train: text)
      try folder.expectError(arguments("r", ["--data", "trees"]), names: "trees/train.txt: ", part)
      #expect(!folder.has("r"))
    }
    try makeTrees()
    try folder.remove("trees/dev.txt")
    try folder.expectError(arguments("r", ["--data", "trees"]), names: "dev.txt is missing")
    try folder.expectError(arguments("r", ["--data", "none"]), names: "none: no such folder")
    try makeTrees()
    try folder.write(Data("gem 1 0\n".utf8), to: "v")
    try folder.expectError(
      arguments("r", ["--data", "trees", "--vectors", "v"]), names: "v: vectors of 2 numbers, 20 expected")
    try folder.expectError(arguments("r", ["--vectors", "none"]), names: "none: cannot be read")
  }

  @Test func badPredictionsAndRuns() throws {
    try makeTrees()
    _ = try train("r", ["--data", "trees", "--epochs", "1"])
    for (words, part) in [
      ([], "nothing on standard input"), ([""], "no words"),
      (["xyzzy", "plugh"], "none of the words is known"),
      (["(2 (3 gem) (2 a)"], "unbalanced brackets"), (["(9 gem)"], "label 9 is out of range"),
      (["(2 (2 a) (2 gem) (2 a))"], "3 phrases"), (["a (gem"], "a bracket in (gem"),
      (["()"], "nothing in a bracket"),
    ] as [([String], String)] {
      try folder.expectError(["predict", "r"] + words, names: "predict: ", part)
    }
    try folder.write(Data("(2 xyzzy)\n".utf8), to: "unknown.txt")
    try folder.expectError(["evaluate", "r", "--data", "unknown.txt"], names: "none of its words is known")
    try folder.expectError(["evaluate", "r", "--split", "test"], names: "test.txt is missing")
    let vocabulary = try folder.data("r/vocabulary.json")
    let edited = String(decoding: vocabulary, as: UTF8.self).replacing("gem", with: "gum")
    try folder.write(Data(edited.utf8), to: "r/vocabulary.json")
    try folder.expectError(["predict", "r", "a"], names: "r/vocabulary.json: was changed")
    try folder.remove("r/vocabulary.json")
    try folder.expectError(["predict", "r", "a"], names: "r/vocabulary.json: missing")
    for (flag, value) in [
      ("--model", "lstm"), ("--rank", "-1"), ("--rank", "3"), ("--hidden", "0"), ("--dropout", "1"),
      ("--weight-decay", "-1"),
      ("--vectors", ""),
      ("--patience", "-1"), ("--learning-rate", "0"),
    ] {
      let outcome = try folder.run(arguments("x", ["\(flag)=\(value)"]))
      #expect(outcome.status == 64 && outcome.stderr.contains(flag), "\(outcome.stderr)")
    }
  }
}

/// Whether text is well-formed XML.
private enum XMLDocumentCheck {
  /// How many elements it has. Throws where it is not well formed, as far as opening and closing goes.
  static func count(_ text: String) throws -> Int {
    var open: [Substring] = []
    var count = 0
    for tag in text.matches(of: #/<(\/?)([a-z]+)[^<>]*?(\/?)>/#) {
      if tag.1.isEmpty {
        count += 1
        if tag.3.isEmpty { open.append(tag.2) }
      } else {
        try #require(open.popLast() == tag.2)
      }
    }
    #expect(open.isEmpty)
    return count
  }
}
