// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// Training to predict the next word, and what can be done with the run.
@Suite struct NextWordTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeText()
  }

  private func arguments(_ run: String, _ options: [String] = []) -> [String] {
    [
      "train", "next-word", "--corpus", "corpus.txt", "--epochs", "3", "--batch", "16", "--hidden", "8",
      "--features",
      "8", "--seed", "1", "--threads", "1", "--output", run,
    ] + options
  }

  private func lines(_ arguments: String...) throws -> [String] {
    let outcome = try folder.run(arguments)
    try #require(outcome.status == 0 && outcome.stderr.isEmpty, "\(arguments): \(outcome.stderr)")
    return outcome.lines
  }

  @Test(arguments: ["rnn", "lstm", "gru"]) func learnsAndPredicts(_ cell: String) throws {
    let outcome = try folder.run(
      arguments("r", ["--cell", cell, "--learning-rate", "0.02", "--epochs", "5"]))
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(
      outcome.errorLines[1].hasPrefix(
        "Learning from 360 words of \(folder.file("corpus.txt").path), judged by 40 others; 16 words are known"
      ))
    #expect(
      outcome.lines.contains { $0.contains(/validation loss \d\.\d{4}  perplexity .*tokens\/s, \d+ s left/) })
    let losses = try folder.losses("r").compactMap { $0[2] }
    #expect(losses.count == 5 && losses[4] < losses[0] && losses[4] < 1, "\(losses)")

    let ten = try lines("predict", "r", "The cat sat on the")
    #expect(ten.count == 11 && ten.last == "Prediction: The cat sat on the mat")
    let all = try lines("predict", "r", "--all", "the", "cat", "sat", "on", "the")
    #expect(all.count == 17 && all.prefix(10) == ten.prefix(10))
    let probabilities = all.dropLast().compactMap {
      $0.wholeMatch(of: /[a-z<?>]+ : ([01]\.\d{6})/).flatMap { Double($0.1) }
    }
    #expect(probabilities.count == 16 && abs(probabilities.reduce(0, +) - 1) < 1e-4)
    #expect(probabilities == probabilities.sorted(by: >))
    #expect(try lines("predict", "r", "the zebra sat on the", "--top", "2").count == 3)
    // Fewer words than a window, and more.
    #expect(try lines("predict", "r", "bird").count == 11)
    #expect(try lines("predict", "r", "x x x the cat sat on the")[..<10] == ten[..<10])

    let whole = try lines("evaluate", "r")
    #expect(whole[0] == "Words: 40, of which 0.00 % are unknown" && whole.count == 4)
    let best = try #require(losses.min())
    #expect(whole[1] == "Mean loss: \(fixed(best, 4))")
    #expect(
      try lines("evaluate", "r", "--data", "corpus.txt")[0] == "Words: 400, of which 0.00 % are unknown")
  }

  @Test func answersLineByLine() throws {
    try folder.trainText(arguments("r"))
    let outcome = try folder.run(["predict", "r", "--top", "1"], input: "the cat\r\nqqq\nthe dog ran")
    #expect(outcome.status == 1 && outcome.lines.count == 4)
    #expect(
      outcome.lines[1].hasPrefix("Prediction: the cat ")
        && outcome.lines[3].hasPrefix("Prediction: the dog ran "))
    #expect(
      outcome.errorLines.count == 1 && outcome.stderr.hasPrefix("Error: predict: none of the words is known"))
  }

  @Test(arguments: ["float32", "bfloat16"]) func resumesToTheSameBits(precision: String) throws {
    let options = [
      "--print-every", "1", "--checkpoint-every", "7", "--epochs", "8", "--cell", "gru", "--precision",
      precision,
    ]
    try folder.trainText(arguments("whole", options))
    for (run, signal, reports) in [("killed", SIGKILL, 30), ("stopped", SIGTERM, 40)] {
      try folder.stopAndResume(run, arguments(run, options), by: signal, after: reports)
      #expect(try folder.data("\(run)/model.safetensors") == folder.data("whole/model.safetensors"))
      #expect(try folder.losses(run) == folder.losses("whole"))
    }
    let configuration = String(decoding: try folder.data("whole/config.json"), as: UTF8.self)
    #expect(configuration.contains("bfloat16") == (precision == "bfloat16"))
    // With another text there is no going on.
    let command = try folder.start(arguments("moved", options))
    #expect(command.wait { command.stdout.components(separatedBy: "  iteration ").count > 9 })
    command.send(SIGTERM)
    _ = command.finish()
    try folder.makeText(sentences: 61)
    try folder.expectError(["train", "--resume", "moved"], names: "the run learned from other data")
  }

  @Test func stopsEarlyAndKeepsTheBest() throws {
    // Steps so large that the loss soon grows.
    let outcome = try folder.run(
      arguments("r", ["--learning-rate", "1", "--epochs", "60", "--patience", "2"]))
    #expect(outcome.status == 0, "\(outcome.stderr)")
    let losses = try folder.losses("r").compactMap { $0[2] }
    let best = try #require(losses.min())
    #expect(losses.count < 60 && losses.firstIndex(of: best) == losses.count - 3)
    #expect(try folder.data("r/model.safetensors") == folder.data("r/checkpoints/best.safetensors"))
    #expect(try lines("evaluate", "r")[1] == "Mean loss: \(fixed(best, 4))")
  }

  @Test func bestOfAllIsNamedAfterGoingOn() throws {
    // Nothing can be learned of words by chance but how often each is there: the best epochs come early.
    var random = RandomGenerator(seed: 1)
    let words = ["red", "green", "blue", "white", "black", "grey"]
    try folder.write(
      (0..<400).map { _ in words[Int(random.next() % 6)] }.joined(separator: " "), to: "corpus.txt")
    let options = ["--hidden", "32", "--epochs", "40", "--patience", "0", "--print-every", "1"]
    let resumed = try folder.stopAndResume("r", arguments("r", options), by: SIGTERM, after: 160)
    let losses = try folder.losses("r").compactMap { $0[2] }
    let best = try #require(losses.min())
    #expect(losses.count == 40 && losses.firstIndex(of: best)! < 6, "\(losses)")
    #expect(resumed.errorLines.first?.hasPrefix("Going on after") == true)
    let line = "Best validation loss: \(fixed(best, 4)) (perplexity "
    #expect(resumed.errorLines.contains { $0.hasPrefix(line) }, "\(resumed.stderr)")
  }

  // MARK: Bad input

  @Test(arguments: [
    ("--cell", "tree"), ("--window", "0"), ("--rare", "-1"), ("--hidden", "0"), ("--epochs", "0"),
    ("--batch", "0"),
    ("--learning-rate", "0"), ("--patience", "-1"), ("--corpus", ""), ("--preset", "slow"),
    ("--features", "x"),
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
    try refuse(Data("\r\n\n \n".utf8), "no text that can be learned from")
    try refuse(Data("1 2 3 ... 4".utf8), "no text that can be learned from")
    try refuse(Data("word".utf8), "too short to learn from: 1 words, at least 12 expected")
    try refuse(Data([0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0]), "line 1: a zero byte: the file is not text")
    try refuse(Data("fine\n".utf8) + Data([0xC3, 0x28]), "line 2: not UTF-8 text at character 1")
    let different = (0..<100).map {
      "w" + String($0).map { String(UnicodeScalar($0.asciiValue! + 50)) }.joined()
    }
    try refuse(Data(different.joined(separator: " ").utf8), "all words are unknown")
    // A million characters in a line are one word.
    try refuse(Data(repeating: 0x78, count: 1_000_000), "too short to learn from: 1 words")
    try folder.expectError(arguments("r", ["--corpus", "none"]), names: "none: no such file or folder")
    let full = try folder.run(
      ["train", "next-word", "--preset", "full", "--output", "r"], environment: ["KASANE_DATA": "nowhere"])
    #expect(
      full.status == 1
        && full.errorLines == [
          "Error: nowhere/english_novels: no such file or folder of text; to get it: kasane data get english_novels"
        ]
    )
  }

  @Test func runsAndPredictions() throws {
    try folder.trainText(arguments("r"))
    try folder.expectError(["predict", "r", ""], names: "predict: no words", "some of them looks like")
    try folder.expectError(["predict", "r"], names: "predict: nothing on standard input")
    try folder.expectError(["predict", "r", "zebra yak"], names: "predict: none of the words is known")
    for word in ["--top=0", "--top=x", "--foo"] {
      let outcome = try folder.run(["predict", "r", word, "the"])
      #expect(outcome.status == 64 && outcome.stderr.contains(word.prefix(5)), "\(outcome.stderr)")
    }
    try folder.write("zebra yak zebra yak zebra yak zebra", to: "other.txt")
    try folder.expectError(
      ["evaluate", "r", "--data", "other.txt"], names: "other.txt: none of its words is known")
    try folder.write("the cat", to: "other.txt")
    try folder.expectError(["evaluate", "r", "--data", "other.txt"], names: "too short to judge by: 2 words")
    try folder.expectError(["evaluate", "r", "--data", "none"], names: "none: no such file")
    // The run does not need its corpus to predict, but its vocabulary.
    try folder.remove("corpus.txt")
    #expect(try folder.run(["predict", "r", "the cat"]).status == 0)
    try folder.expectError(["evaluate", "r"], names: "corpus.txt: no such file")
    let vocabulary = try folder.text("r/vocabulary.json")
    try folder.write(vocabulary.replacing("\"mat\"", with: "\"rug\""), to: "r/vocabulary.json")
    try folder.expectError(["predict", "r", "the cat"], names: "r/vocabulary.json: was changed")
    try folder.write("nonsense", to: "r/vocabulary.json")
    try folder.expectError(["predict", "r", "the cat"], names: "r/vocabulary.json: not a vocabulary")
    try folder.remove("r/vocabulary.json")
    try folder.expectError(["predict", "r", "the cat"], names: "r/vocabulary.json: missing")
    try folder.expectError(["evaluate", "r"], names: "r/vocabulary.json: missing")
    // The weights of another recipe's run.
    try folder.write(vocabulary, to: "r/vocabulary.json")
    try folder.train("sums")
    try folder.write(try folder.data("sums/model.safetensors"), to: "r/model.safetensors")
    try folder.expectError(
      ["predict", "r", "the cat"], names: "r/model.safetensors: not the weights of this model")
  }
}
