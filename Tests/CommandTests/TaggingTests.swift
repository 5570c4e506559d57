// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// Training to restore capitals and marks, and what can be done with the run.
@Suite struct TaggingTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeText(sentences: 90)
  }

  private func arguments(_ run: String, _ options: [String] = []) -> [String] {
    [
      "train", "tagging", "--corpus", "corpus.txt", "--epochs", "20", "--batch", "4", "--hidden", "16",
      "--features", "16", "--steps", "16", "--minimum-count", "2", "--learning-rate", "0.03", "--dropout",
      "0", "--patience", "0", "--seed", "1",
      "--threads", "1", "--output", run,
    ] + options
  }

  private func lines(_ arguments: String...) throws -> [String] {
    let outcome = try folder.run(arguments)
    try #require(outcome.status == 0 && outcome.stderr.isEmpty, "\(arguments): \(outcome.stderr)")
    return outcome.lines
  }

  /// The F1 in a row of a table of scores.
  private func f1(_ row: String, in lines: [String]) throws -> Double {
    let line = try #require(lines.first { $0.hasPrefix(row + "  ") }, "\(lines)")
    return try #require(line.firstMatch(of: /(\d+\.\d+) %$/).flatMap { Double($0.1) }, "\(line)")
  }

  @Test(arguments: ["lstm", "gru", "rnn"]) func learnsAndRestores(_ cell: String) throws {
    let outcome = try folder.run(arguments("r", ["--cell", cell]))
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(outcome.errorLines[1].contains("Learning from 540 words of "), "\(outcome.errorLines[1])")
    #expect(
      outcome.lines.contains {
        $0.contains(/validation loss \d\.\d{4}  F1 of marks .* %  of capitals .* %.*tokens\/s, \d+ s left/)
      })
    // The table of the best epoch is shown at the end and by `evaluate`.
    let found = try lines("evaluate", "r")
    #expect(found[0].hasSuffix(", of which 0.00 % are unknown"))
    #expect(
      Array(outcome.errorLines.drop { !$0.contains("precision") }.prefix(found.count - 2))
        == Array(found.dropFirst(2)))
    let losses = try folder.losses("r").compactMap { $0[2] }
    let best = try #require(losses.min())
    #expect(found[1] == "Mean loss: \(fixed(best, 4))" && losses.count == 20 && best < losses[0])
    #expect(outcome.errorLines.contains("Best validation loss: \(fixed(best, 4))"))
    for row in [".", "!", ",", "Capitalised", "all marks", "all capitals"] {
      #expect(try f1(row, in: found) > 90, "\(row): \(found)")
    }
    let whole = "The dog ran to the cat! A bird sang in the tree, she said."
    #expect(try lines("predict", "r", "the dog ran to the cat a bird sang in the tree she said") == [whole])
    // What stands there already is not looked at.
    #expect(
      try lines("predict", "r", "THE dog, ran", "To the \"cat\" a Bird sang in the tree she said") == [whole])
    let spoken = try folder.run(
      ["predict", "r"], input: "the cat sat on the mat\r\n\nqqq\nthe dog ran to the cat")
    #expect(spoken.status == 1 && spoken.lines == ["The cat sat on the mat.", "The dog ran to the cat!"])
    #expect(
      spoken.errorLines.count == 2 && spoken.errorLines[0].hasPrefix("Error: predict: no words")
        && spoken.errorLines[1].hasPrefix("Error: predict: none of the words is known"))
    #expect(try lines("evaluate", "r", "--data", "corpus.txt")[0].hasPrefix("Words: 600, "))
    // A sentence's vector has the states of both directions.
    let vector = try folder.run(["embed", "r"], input: "the cat sat on the mat\n").lines
    #expect(vector.count == 1 && vector[0].split(separator: " ").count == 2 * 16)
    try folder.write("the dog ran to the cat\nA cat: sat.\n", to: "sentences.txt")
    #expect(
      try lines("embed", "r", "sentences.txt", "--nearest", "a cat sat", "--count", "1") == [
        "1.0000  A cat: sat."
      ])
  }

  /// A comma stands before "but" alone, which one way cannot be foreseen.
  @Test func readingBothWaysSeesWhatComes() throws {
    var random = RandomGenerator(seed: 3)
    var text = ""
    for word in 0..<3000 {
      let next = random.next() % 5
      text += next == 0 && word % 10 != 0 ? ", but " : " \(["red", "green", "blue", "white"][Int(next) % 4])"
      if word % 10 == 9 { text += "\n" }
    }
    try folder.write(text, to: "corpus.txt")
    var found: [Double] = []
    for direction in ["both", "forward"] {
      try folder.trainText(
        arguments(direction, ["--direction", direction, "--epochs", "8", "--learning-rate", "0.02"]))
      let scores = try lines("evaluate", direction)
      found.append(try f1(",", in: scores))
    }
    #expect(found[0] > 95 && found[1] < 50, "\(found)")
  }

  @Test func theQuickPresetLearns() throws {
    let outcome = try folder.run(["train", "tagging", "--preset", "quick", "--seed", "1", "--output", "r"])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(outcome.errorLines[1].contains("words of the sample, judged by 3920 others"), "\(outcome.stderr)")
    let losses = try folder.losses("r").compactMap { $0[2] }
    #expect(losses.min()! < losses[0])
    let found = try lines("evaluate", "r")
    #expect(try f1(".", in: found) > 30 && f1("all marks", in: found) > 15, "\(found)")
    #expect(try f1("all capitals", in: found) > 45, "\(found)")
  }

  @Test func resumesToTheSameBits() throws {
    let options = ["--print-every", "1", "--checkpoint-every", "7", "--layers", "2"]
    try folder.trainText(arguments("whole", options))
    let resumed = try folder.stopAndResume("killed", arguments("killed", options), by: SIGKILL, after: 30)
    #expect(try folder.data("killed/model.safetensors") == folder.data("whole/model.safetensors"))
    #expect(try folder.losses("killed") == folder.losses("whole"))
    #expect(try resumed.stderr.contains(lines("evaluate", "whole").last!))
  }

  @Test func formsOfTheirOwnAreKept() throws {
    let lines = ["Then McDonald came in.", "Then O'Brien saw McDonald.", "Then IT was over, I think."]
    try folder.write((0..<90).map { lines[$0 % 3] + "\n" }.joined(), to: "corpus.txt")
    try folder.trainText(arguments("r"))
    #expect(try self.lines("predict", "r", "then mcdonald came in") == ["Then McDonald came in."])
    #expect(
      try self.lines("predict", "r", "then o\u{2019}brien saw mcdonald") == ["Then O'Brien saw McDonald."])
    #expect(try self.lines("predict", "r", "then it was over i think") == ["Then IT was over, I think."])
    let forms = try folder.text("r/forms.json")
    try folder.write(forms.replacing("McDonald", with: "mcdonalD"), to: "r/forms.json")
    try folder.expectError(["predict", "r", "then"], names: "r/forms.json: was changed")
    try folder.remove("r/forms.json")
    try folder.expectError(["evaluate", "r"], names: "r/forms.json: missing")
  }

  /// A text of any length is read, with the same answers as in one piece where the parts join.
  @Test func longTextsAreRestored() throws {
    try folder.trainText(arguments("r"))
    let sentence = "the cat sat on the mat the dog ran to the cat a bird sang in the tree she said"
    let long = [String](repeating: sentence, count: 100).joined(separator: " ")
    let whole = "The cat sat on the mat. The dog ran to the cat! A bird sang in the tree, she said."
    let restored = try lines("predict", "r", long)
    #expect(restored == [[String](repeating: whole, count: 100).joined(separator: " ")])
  }

  // MARK: Bad input

  @Test(arguments: [
    ("--direction", "backward"), ("--cell", "tree"), ("--layers", "0"), ("--hidden", "0"),
    ("--features", "0"),
    ("--dropout", "1"), ("--minimum-count", "0"), ("--steps", "0"), ("--batch", "0"), ("--epochs", "0"),
    ("--learning-rate", "0"), ("--clip", "0"), ("--patience", "-1"), ("--corpus", ""), ("--preset", "slow"),
  ]) func option(_ flag: String, _ value: String) throws {
    let outcome = try folder.run(arguments("r", ["\(flag)=\(value)"]))
    #expect(outcome.status == 64 && outcome.errorLines.first?.contains(flag) == true, "\(outcome.stderr)")
    #expect(folder.names() == ["corpus.txt"])
  }

  @Test func corpora() throws {
    func refuse(_ bytes: Data, _ part: String, location: SourceLocation = #_sourceLocation) throws {
      try folder.write(bytes, to: "corpus.txt")
      try folder.expectError(arguments("r"), names: "corpus.txt: ", part, location: location)
      #expect(!folder.has("r"), sourceLocation: location)
    }
    try refuse(Data(), "no text that can be learned from")
    try refuse(Data("word".utf8), "too short to learn from: 2 words, at least 34 expected")
    try refuse(Data(repeating: 0x2E, count: 1000), "no words to learn from")
    try refuse(Data([UInt8](repeating: 0x61, count: 9) + [0]), "line 1: a zero byte: the file is not text")
    try refuse(Data("fine\n".utf8) + Data([0xC3, 0x28]), "line 2: not UTF-8 text at character 1")
    let different = (0..<100).map { "w\($0)" }.joined(separator: " ")
    try refuse(Data(different.utf8), "all words are unknown: none is seen 2 times")
    try refuse(Data(repeating: 0x78, count: 1_000_000), "too short to learn from: 2 words")
    try folder.expectError(arguments("r", ["--corpus", "none"]), names: "none: no such file or folder")
  }

  @Test func runsAndPredictions() throws {
    try folder.trainText(arguments("r", ["--epochs", "1"]))
    try folder.expectError(["predict", "r", ""], names: "predict: no words", "where is my book she asked")
    try folder.expectError(["predict", "r", "...,"], names: "predict: no words")
    try folder.expectError(["predict", "r"], names: "predict: nothing on standard input")
    try folder.expectError(["predict", "r", "zebra yak"], names: "predict: none of the words is known")
    try folder.write("zebra yak", to: "other.txt")
    try folder.expectError(
      ["evaluate", "r", "--data", "other.txt"], names: "other.txt: none of its words is known")
    try folder.write("?!", to: "other.txt")
    try folder.expectError(
      ["evaluate", "r", "--data", "other.txt"], names: "other.txt: no words to judge by")
    // A text of one word is judged.
    try folder.write("The", to: "other.txt")
    #expect(try lines("evaluate", "r", "--data", "other.txt")[0] == "Words: 1, of which 0.00 % are unknown")
    try folder.remove("r/vocabulary.json")
    try folder.expectError(["predict", "r", "the"], names: "r/vocabulary.json: missing")
  }
}
