// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// Language models and makers of names, and what can be done with their runs.
@Suite struct LanguageModelTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeText(sentences: 90)
    let names = [
      "mara", "maria", "marta", "lena", "lara", "lina", "dora", "nora", "tina", "mina", "rona", "dina",
    ]
    try folder.write(names.joined(separator: "\r\n"), to: "names.txt")
  }

  private func arguments(_ run: String, _ options: [String] = []) -> [String] {
    [
      "train", "language-model", "--corpus", "corpus.txt", "--epochs", "3", "--batch", "4", "--hidden", "16",
      "--layers",
      "1", "--steps", "8", "--learning-rate", "0.02", "--dropout", "0.1", "--seed", "1", "--threads", "1",
      "--output", run,
    ] + options
  }

  private func namesArguments(_ run: String, _ options: [String] = []) -> [String] {
    [
      "train", "names", "--corpus", "names.txt", "--epochs", "20", "--batch", "4", "--hidden", "16",
      "--features", "8",
      "--learning-rate", "0.02", "--patience", "0", "--seed", "1", "--threads", "1", "--output", run,
    ] + options
  }

  private func lines(_ arguments: String...) throws -> [String] {
    let outcome = try folder.run(arguments)
    try #require(outcome.status == 0 && outcome.stderr.isEmpty, "\(arguments): \(outcome.stderr)")
    return outcome.lines
  }

  @Test(arguments: ["lstm", "gru", "rnn"]) func wordsAreLearned(_ cell: String) throws {
    try folder.trainText(arguments("r", ["--level", "word", "--cell", cell, "--epochs", "8"]))
    let losses = try folder.losses("r").compactMap { $0[2] }
    #expect(losses.count == 8 && losses[7] < 1 && losses[7] < losses[0], "\(losses)")
    let found = try lines("evaluate", "r")
    #expect(found[0].hasSuffix(" words, of which 0.00 % are unknown") && found.count == 3)
    #expect(found[1] == "Mean loss: \(fixed(losses.min()!, 4))")
    #expect(found[2].hasPrefix("Perplexity: "))
    let likeliest = ["--temperature", "0", "--length", "5"]
    let text = try folder.run(["predict", "r", "The cat sat"] + likeliest).lines
    #expect(text.first == "The cat sat on the mat.", "\(text)")
    #expect(try folder.run(["predict", "r", "--top-k", "1", "--length", "5", "The cat sat"]).lines == text)
    #expect(
      try folder.run(["predict", "r", "--top-p", "0.001", "--length", "5", "The cat sat"]).lines == text)
    let wild = ["--temperature", "5", "--length", "30"]
    let first = try folder.run(["predict", "r", "The cat"] + wild).stdout
    #expect(try folder.run(["predict", "r", "The cat"] + wild).stdout == first)
    #expect(try folder.run(["predict", "r", "The cat", "--seed", "2"] + wild).stdout != first)
  }

  @Test func charactersAreLearned() throws {
    try folder.trainText(arguments("r", ["--untied", "--features", "12", "--layers", "2"]))
    let losses = try folder.losses("r").compactMap { $0[2] }
    #expect(losses.count == 3 && losses[2] < 1.5, "\(losses)")
    let found = try lines("evaluate", "r", "--data", "corpus.txt")
    #expect(
      found[0].contains(" characters, of which 0.00 % are unknown")
        && found[2].hasPrefix("Bits per character: "))
    #expect(try lines("predict", "r", "The", "--length", "20").joined(separator: "\n").count == 23)
    let spoken = try folder.run(["predict", "r", "--length", "3"], input: "The c\n重\n")
    #expect(
      spoken.status == 1 && spoken.stdout.hasPrefix("The c")
        && spoken.stderr.contains("none of its characters"))
  }

  @Test func namesAreMadeUp() throws {
    try folder.trainText(namesArguments("r"))
    let losses = try folder.losses("r").compactMap { $0[2] }
    #expect(losses.count == 20 && losses.min()! < losses[0])
    let made = try lines("predict", "r", "ma", "--count", "6")
    #expect(made.count == 6 && made.allSatisfy { $0.hasPrefix("ma") && $0.count <= 40 }, "\(made)")
    #expect(try lines("predict", "r", "--count", "6", "MA") == made)
    let found = try lines("evaluate", "r", "--samples", "20")
    #expect(found[0] == "Names: 1" && found.count == 4 && found[3].hasPrefix("Made up: 20, of which "))
    #expect(try lines("evaluate", "r", "--data", "names.txt", "--samples", "5")[0] == "Names: 12")
    try folder.expectError(["predict", "r", ""], names: "predict: no letters")
    try folder.expectError(["predict", "r", "xyz"], names: "predict: the run does not know the character x")
    try folder.expectError(
      ["predict", "r", String(repeating: "a", count: 40)], names: "fewer than 40 expected")
    try folder.write("", to: "names.txt")
    try folder.expectError(namesArguments("s"), names: "names.txt: no names")
    try folder.write("a\nb\n", to: "names.txt")
    try folder.expectError(namesArguments("s"), names: "names.txt: too few names to learn from: 2")
    try folder.write(String(repeating: "x", count: 1_000_000), to: "names.txt")
    try folder.expectError(namesArguments("s"), names: "names.txt: a name of 1000000 characters")
  }

  @Test func runsResumeToTheSameBits() throws {
    let often = ["--print-every", "1", "--checkpoint-every", "5"]
    // Carried states, dropout, schedule and optimizer are all where they were.
    for (whole, arguments) in [
      ("model", arguments("model", often + ["--steps", "16"])), ("names", namesArguments("names", often)),
    ] {
      try folder.trainText(arguments)
      var stopped = arguments
      stopped[stopped.lastIndex(of: "--output")! + 1] = "\(whole)-again"
      try folder.stopAndResume("\(whole)-again", stopped, by: SIGKILL, after: 13)
      #expect(
        try folder.data("\(whole)-again/model.safetensors") == folder.data("\(whole)/model.safetensors"))
      #expect(try folder.losses("\(whole)-again") == folder.losses(whole))
    }
  }

  // MARK: Bad input

  @Test(arguments: [
    ("--level", "letter"), ("--cell", "tree"), ("--layers", "0"), ("--hidden", "0"), ("--features", "3"),
    ("--dropout", "1"), ("--steps", "0"), ("--batch", "0"), ("--clip", "0"), ("--clip", "nan"),
    ("--minimum-count", "0"),
    ("--corpus", ""),
  ]) func option(_ flag: String, _ value: String) throws {
    let outcome = try folder.run(arguments("r", ["\(flag)=\(value)"]))
    #expect(outcome.status == 64 && outcome.errorLines.first?.contains(flag) == true, "\(outcome.stderr)")
    #expect(!folder.has("r"))
  }

  @Test func corporaAndPredictions() throws {
    try folder.trainText(arguments("r", ["--level", "word", "--epochs", "1"]))
    for (flag, value) in [
      ("--temperature", "-1"), ("--top-k", "-1"), ("--top-p", "0"), ("--top-p", "1.1"), ("--length", "0"),
    ] {
      let outcome = try folder.run(["predict", "r", "\(flag)=\(value)", "The"])
      #expect(outcome.status == 64 && outcome.stderr.contains(flag), "\(outcome.stderr)")
    }
    try folder.expectError(["predict", "r", " "], names: "predict: no text")
    try folder.expectError(["predict", "r", "zebra yak"], names: "predict: none of its words is known")
    try folder.write("zebra yak", to: "other.txt")
    try folder.expectError(
      ["evaluate", "r", "--data", "other.txt"], names: "other.txt: none of its words is known")
    try folder.remove("r/vocabulary.json")
    try folder.expectError(["predict", "r", "The"], names: "r/vocabulary.json: missing")
    try folder.trainText(namesArguments("n", ["--epochs", "1"]))
    try folder.write(try folder.data("n/vocabulary.json"), to: "r/vocabulary.json")
    try folder.expectError(
      ["predict", "r", "The"], names: "r/vocabulary.json: not a vocabulary of language-model")
    for (text, part) in [
      ("", "no text that can be learned from"), ("word", "too short to learn from: 2 words"),
      ((0..<200).map { "w\($0)" }.joined(separator: " "), "all words are unknown"),
    ] {
      try folder.write(text, to: "corpus.txt")
      try folder.expectError(arguments("s", ["--level", "word"]), names: "corpus.txt: \(part)")
    }
    try folder.write("word", to: "corpus.txt")
    try folder.expectError(arguments("s"), names: "corpus.txt: too short to learn from: 5 characters")
  }

  @Test func japaneseByMeCab() throws {
    try folder.write(String(repeating: "私は猫が好きです。彼は犬を見た。\n", count: 40), to: "ja.txt")
    try folder.trainText([
      "train", "language-model", "--corpus", "ja.txt", "--level", "mecab", "--minimum-count", "1", "--epochs",
      "8",
      "--hidden", "32", "--features", "32", "--layers", "1", "--batch", "4", "--steps", "8",
      "--learning-rate", "0.02",
      "--dropout", "0", "--seed", "1", "--output", "ja",
    ])
    let said = try folder.run(["predict", "ja", "私は", "--length", "10", "--temperature", "0.1"])
    #expect(said.status == 0 && said.stdout.hasPrefix("私は猫が好き"), "\(said.stdout)\(said.stderr)")
    let tokens = try folder.run(["tokenize", "--by", "mecab", "ja.txt"])
    #expect(tokens.lines.first == "私 は 猫 が 好き です 。 彼 は 犬 を 見 た 。", "\(tokens.stderr)")
    try folder.write("I can't , \n", to: "en.txt")
    #expect(try folder.run(["tokenize", "--by", "words", "--join", "en.txt"]).lines == ["I can't,"])
  }

  @Test func piecesOfWords() throws {
    try folder.makeText("t.txt", sentences: 300)
    let learned = try folder.run([
      "tokenize", "--learn", "m.model", "--pieces", "60", "--kind", "bpe", "t.txt",
    ])
    #expect(
      learned.status == 0 && learned.lines == ["60 pieces of t.txt are written to m.model"],
      "\(learned.stderr)")
    let apart = try folder.run(["tokenize", "--model", "m.model"], input: "The cat sat.\n")
    #expect(apart.lines.first?.hasPrefix("▁The") == true)
    #expect(
      try folder.run(["tokenize", "--model", "m.model", "--join"], input: apart.stdout).lines == [
        "The cat sat."
      ])
    #expect(
      try folder.run(["tokenize", "--model", "m.model", "--numbers"], input: "The cat\n").lines[0]
        .split(separator: " ").allSatisfy { (0..<60).contains(Int($0)!) })
    try folder.trainText([
      "train", "language-model", "--corpus", "t.txt", "--pieces", "m.model", "--epochs", "6", "--hidden",
      "32", "--layers",
      "1", "--batch", "4", "--steps", "8", "--learning-rate", "0.02", "--dropout", "0", "--minimum-count",
      "1", "--seed",
      "1", "--output", "p",
    ])
    // The run has a model of its own.
    try folder.remove("m.model")
    let said = try folder.run(["predict", "p", "The cat", "--length", "12", "--temperature", "0.1"])
    #expect(
      said.status == 0 && said.stdout.hasPrefix("The cat sat on the mat"), "\(said.stdout)\(said.stderr)")
    let none = try folder.run(["train", "language-model", "--corpus", "t.txt", "--pieces", "t.txt"])
    #expect(none.status == 1 && none.stderr.contains("t.txt: not a model of SentencePiece"))
  }
}
