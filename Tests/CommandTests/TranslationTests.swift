// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// Encoder-decoders with and without attention, and what can be done with their runs.
@Suite struct TranslationCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    // The words of a line in capitals, from the last to the first.
    let words = ["red", "blue", "green", "old", "new"]
    var (source, target) = ("", "")
    for place in 0..<120 {
      let line = [words[place % 5], words[place / 5 % 5], words[place / 25 % 5]].prefix(2 + place % 2)
      source += line.joined(separator: " ") + "\n"
      target += line.reversed().map { $0.uppercased() }.joined(separator: " ") + "\n"
    }
    try folder.write(source, to: "a.txt")
    try folder.write(target, to: "b.txt")
  }

  private func arguments(_ recipe: String, _ run: String, _ options: [String] = []) -> [String] {
    [
      "train", recipe, "--source", "a.txt", "--target", "b.txt", "--validation-source", "a.txt",
      "--validation-target", "b.txt", "--epochs", "20", "--batch", "8", "--features", "16", "--hidden", "24",
      "--learning-rate", "0.01", "--dropout", "0.05", "--seed", "1", "--threads", "1", "--output", run,
    ] + options
  }

  private func lines(_ arguments: String..., input: String = "") throws -> [String] {
    let outcome = try folder.run(arguments, input: input)
    try #require(outcome.status == 0 && outcome.stderr.isEmpty, "\(arguments): \(outcome.stderr)")
    return outcome.lines
  }

  @Test(arguments: ["seq2seq", "attention"]) func problemsAreLearned(_ recipe: String) throws {
    let options = recipe == "seq2seq" ? ["--peeky", "--reverse", "--epochs", "3"] : ["--epochs", "1"]
    try folder.trainText(["train", recipe, "--preset", "quick", "--seed", "2", "--output", "r"] + options)
    let (first, last) = (try folder.losses("r").first?[0], try folder.losses("r").last?[2])
    #expect(try #require(last) < #require(first) * 0.6)
  }

  @Test func translationsAndPictures() throws {
    try folder.trainText(arguments("attention", "r"))
    try folder.trainText(arguments("seq2seq", "s", ["--both-ways", "--cell", "gru"]))
    for run in ["r", "s"] {
      #expect(try lines("predict", run, "old green blue") == ["BLUE GREEN OLD"])
      #expect(try lines("predict", run, input: "new red\nold blue\n") == ["RED NEW", "BLUE OLD"])
      #expect(try lines("predict", run, "old green blue", "--beam", "3", "--count", "2").count == 2)
    }
    // A word that was never seen comes out as it went in.
    #expect(try lines("predict", "r", "zebra red")[0].hasPrefix("RED"))
    _ = try lines("predict", "r", "old green blue", "--alignment", "picture.svg")
    let picture = try folder.text("picture.svg")
    #expect(["old", "green", "blue", "OLD", "GREEN", "BLUE"].allSatisfy(picture.contains))
    let table = try lines("evaluate", "r", "--by-length", "--beside", "s", "--beam", "2")
    #expect(table.count == 9 && table[3].hasPrefix("Right to the last token: 100"), "\(table)")
    // No sentence has the four words that the score is made of.
    #expect(table[4].hasPrefix("BLEU = 0.00 100.0/100.0/100.0/0.0"), "\(table)")
    #expect(try lines("evaluate", "s", "--source", "a.txt", "--target", "b.txt", "--pairs", "9").count == 5)
    #expect(try lines("embed", "r", input: "old green\n")[0].split(separator: " ").count == 48)
    try folder.trainText(["report", "r"])
    #expect(try folder.text("r/report.html").contains("Attention 1"))
  }

  /// Sources and targets of pieces: their models are kept in the run, and what is judged are the words that they make.
  @Test func pieces() throws {
    for (file, model, kind) in [("a.txt", "a.model", "bpe"), ("b.txt", "b.model", "unigram")] {
      let learned = try folder.run(["tokenize", "--learn", model, "--pieces", "18", "--kind", kind, file])
      try #require(learned.status == 0, "\(learned.stderr)")
    }
    let both = ["--source-pieces", "a.model", "--target-pieces", "b.model", "--minimum-count", "1"]
    try folder.trainText(
      arguments("attention", "r", both + ["--print-every", "1", "--checkpoint-every", "5"]))
    try folder.trainText(arguments("attention", "one", ["--target-pieces", "b.model", "--epochs", "1"]))
    try folder.expectError(
      ["evaluate", "r", "--beside", "one"], names: "one: a run on words and pieces, one on pieces expected")
    try folder.stopAndResume(
      "again", arguments("attention", "again", both + ["--print-every", "1", "--checkpoint-every", "5"]),
      by: SIGKILL, after: 13)
    #expect(try folder.data("again/model.safetensors") == folder.data("r/model.safetensors"))
    // The run has models of its own.
    for model in ["a.model", "b.model"] { try folder.remove(model) }
    #expect(try lines("predict", "r", "old green blue") == ["BLUE GREEN OLD"])
    #expect(try lines("predict", "r", input: "new red\nold blue\n") == ["RED NEW", "BLUE OLD"])
    let judged = try lines("evaluate", "r")
    #expect(judged[0].contains(" pieces of sources"), "\(judged)")
    #expect(judged[3].hasPrefix("Right to the last token: 100"), "\(judged)")
    // Of words, though the network says more pieces than there are words.
    #expect(judged[4].hasPrefix("BLEU = 0.00 100.0/100.0/100.0/0.0"), "\(judged)")
    try folder.trainText(["report", "r"])
    #expect(try folder.text("r/report.html").contains("BLUE"))
    let none = try folder.run(arguments("seq2seq", "s", ["--source-pieces", "a.txt"]))
    #expect(none.status == 1 && none.stderr.contains("a.txt: not a model of SentencePiece"))
    let problems = try folder.run(["train", "seq2seq", "--preset", "quick", "--target-pieces", "b.model"])
    #expect(problems.status == 64 && problems.stderr.contains("--target-pieces: for sentences"))
    try folder.write("x", to: "r/source-pieces.model")
    try folder.expectError(
      ["predict", "r", "old"], names: "r/source-pieces.model: not a model of SentencePiece")
  }

  @Test(arguments: [
    ["seq2seq", "--own-tokens", "0.5", "--reverse"], ["attention", "--score", "additive", "--no-both-ways"],
    ["attention", "--score", "general", "--window", "2", "--no-input-feeding"],
  ]) func runsResumeToTheSameBits(_ options: [String]) throws {
    let often = options.dropFirst() + ["--print-every", "1", "--checkpoint-every", "5", "--epochs", "2"]
    try folder.trainText(arguments(options[0], "whole", Array(often)))
    try folder.stopAndResume("again", arguments(options[0], "again", Array(often)), by: SIGKILL, after: 13)
    #expect(try folder.data("again/model.safetensors") == folder.data("whole/model.safetensors"))
    #expect(try folder.losses("again") == folder.losses("whole"))
  }

  @Test func badInput() throws {
    try folder.trainText(arguments("seq2seq", "r", ["--epochs", "1"]))
    for (command, part) in [
      (["predict", "r", " "], "predict: nothing to translate"),
      (["predict", "r", "zebra"], "predict: none of its words is known"),
      (
        ["predict", "r", "old red", "--alignment", "x.svg"], "--alignment: the run's network has no attention"
      ),
      (["predict", "r", Array(repeating: "old", count: 61).joined(separator: " ")], "61 words, at most 60"),
      (["evaluate", "r", "--beside", "none"], "none"),
      (["evaluate", "r", "--source", "none.txt", "--target", "b.txt"], "none.txt"),
      (["embed", "r", "none.txt"], "none.txt"),
    ] { try folder.expectError(command, names: part) }
    #expect(!folder.has("x.svg"))
    try folder.write("one\n\ntwo\n", to: "c.txt")
    var other = arguments("seq2seq", "s")
    other[3] = "c.txt"
    try folder.expectError(other, names: "number of lines: 3 in")
    try folder.write("x\n", to: "a.txt")
    try folder.write("\n", to: "b.txt")
    try folder.expectError(arguments("seq2seq", "s"), names: "no pair of sentences: 1 empty")
    try folder.write("x\ny\nz\n", to: "a.txt")
    try folder.write("x\ny\nz\n", to: "b.txt")
    try folder.expectError(arguments("seq2seq", "s"), names: "all words of the sources are unknown")
    try folder.write(Data([0x61, 0xFF, 0x0A]), to: "a.txt")
    try folder.expectError(arguments("seq2seq", "s"), names: "a.txt: line 1: not UTF-8")
    for (flag, value) in [
      ("--hidden", "0"), ("--own-tokens", "2"), ("--overlong", "keep"), ("--task", "x"), ("--longest", "0"),
    ] {
      let outcome = try folder.run(arguments("seq2seq", "s", ["\(flag)=\(value)"]))
      #expect(outcome.status == 64 && outcome.stderr.contains(flag) && !folder.has("s"))
    }
    let alone = try folder.run(["train", "seq2seq", "--source", "a.txt", "--output", "s"])
    #expect(alone.status == 64 && alone.stderr.contains("--target"))
  }
}
