// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// Dialogue models, what can be done with their runs, and conversations.
@Suite struct DialogueCommandTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let lines = [
      "who is there ? __eou__ it is me . __eou__ come in !", "what is new ? __eou__ nothing at all .",
    ]
    try folder.write((0..<60).map { lines[$0 % 2] + "\n" }.joined(), to: "talk.txt")
  }

  private func arguments(_ recipe: String, _ run: String, _ options: [String] = []) -> [String] {
    [
      "train", recipe, "--corpus", "talk.txt", "--epochs", "6", "--batch", "4", "--features", "12",
      "--hidden", "16", "--context", "16", "--learning-rate", "0.02", "--dropout", "0.1", "--seed", "1",
      "--threads", "1", "--output", run,
    ] + options
  }

  private static let small = ["--latent", "4", "--word-dropout", "0.1"]

  private func lines(_ arguments: String..., input: String = "") throws -> [String] {
    let outcome = try folder.run(arguments, input: input)
    try #require(outcome.status == 0 && outcome.stderr.isEmpty, "\(arguments): \(outcome.stderr)")
    return outcome.lines
  }

  @Test(arguments: ["hred", "vhred"]) func sampleIsLearned(_ recipe: String) throws {
    try folder.trainText(["train", recipe, "--preset", "quick", "--seed", "1", "--output", "r"])
    let losses = try folder.losses("r").compactMap { $0[2] }
    #expect(losses.count == 4 && losses[3] < losses[0] - 0.1, "\(losses)")
  }

  @Test func repliesAndTables() throws {
    try folder.trainText(arguments("hred", "h", ["--epochs", "16"]))
    try folder.trainText(arguments("hred", "s", ["--last-turn-only", "--both-ways"]))
    try folder.trainText(arguments("vhred", "v", Self.small))
    let likeliest = ["--temperature", "0"]
    #expect(try folder.run(["predict", "h", "Who is there?"] + likeliest).lines == ["it is me."])
    #expect(
      try folder.run(["predict", "h", "Who is there? __eou__ It is me."] + likeliest).lines == ["come in!"])
    #expect(try folder.run(["predict", "v", "What is new?", "--samples", "3"]).lines.count == 3)
    // A search finds the likeliest reply, and others behind it; with latent variables it is one for each.
    let search = ["--beam", "4"]
    let found = try folder.run(["predict", "h", "Who is there?", "--samples", "9"] + search).lines
    #expect(found.first == "it is me." && (2...4).contains(found.count) && Set(found).count == found.count)
    #expect(!found.contains(""))
    #expect(try folder.run(["predict", "v", "What is new?", "--samples", "3"] + search).lines.count == 3)
    #expect(try lines("chat", "h", "--beam", "3", input: "What is new?\n") == ["nothing at all."])
    let judged = try lines("evaluate", "h", "--beam", "3", "--length-penalty", "0.5")
    #expect(judged[5].hasPrefix("HRED"), "\(judged)")
    let said = try lines(
      "chat", "h", "--temperature", "0", input: "Who is there?\n:reset\nWhat is new?\n:quit\nno\n")
    #expect(said == ["it is me.", "nothing at all."])
    let table = try lines("evaluate", "h", "--beside", "s", "--beside", "v")
    #expect(table.count == 8 && table[2].hasPrefix("Perplexity: 1."), "\(table)")
    #expect(table[5].hasPrefix("HRED") && table[6].hasPrefix("seq2seq") && table[7].hasPrefix("VHRED"))
    #expect(try lines("evaluate", "v", "--data", "talk.txt", "--dialogues", "0").count == 3)
    try folder.write("who is there?\nwhat is new?\n\nit is me\n", to: "sentences.txt")
    #expect(
      try lines("embed", "h", "sentences.txt", "--nearest", "What is new?", "--count", "1") == [
        "1.0000  what is new?"
      ])
    #expect(try lines("embed", "v", input: "it is me\n")[0].split(separator: " ").count == 16)
    _ = try lines("embed", "h", "sentences.txt", "--output", "v.npy")
    _ = try lines("embed", "h", "sentences.txt", "--output", "v.safetensors")
    #expect(try folder.data("v.npy").count == 128 + 3 * 16 * 4)
    #expect(
      try Safetensors(contentsOf: folder.file("v.safetensors").path).tensors["vectors"]!.shape == [3, 16])
  }

  @Test(arguments: ["hred", "vhred"]) func runsResumeToTheSameBits(_ recipe: String) throws {
    let often = ["--print-every", "1", "--checkpoint-every", "5"] + (recipe == "vhred" ? Self.small : [])
    try folder.trainText(arguments(recipe, "whole", often))
    try folder.stopAndResume("again", arguments(recipe, "again", often), by: SIGKILL, after: 13)
    #expect(try folder.data("again/model.safetensors") == folder.data("whole/model.safetensors"))
    #expect(try folder.losses("again") == folder.losses("whole"))
  }

  @Test func badInput() throws {
    try folder.trainText(arguments("hred", "r", ["--epochs", "1"]))
    for (command, part) in [
      (["predict", "r", " "], "predict: nothing said"), (["predict", "r", "zebra"], "none of its words"),
      (["embed", "r", "none.txt"], "none.txt"), (["evaluate", "r", "--beside", "none"], "none"),
      (["evaluate", "r", "--data", "none.txt"], "none.txt: no such file"),
    ] { try folder.expectError(command, names: part) }
    for (input, part) in [
      ("", "nothing said on standard input"), ("\n", "nothing said"), ("zebra\n", "none"),
    ] {
      let outcome = try folder.run(["chat", "r"], input: input)
      #expect(outcome.status == 1 && outcome.stdout.isEmpty && outcome.stderr.contains("chat: \(part)"))
    }
    #expect(try folder.run(["embed", "r"], input: "\n").stderr.contains("standard input: no sentences"))
    try folder.write("other words __eou__ than those\n", to: "talk.txt")
    try folder.expectError(arguments("hred", "s"), names: "talk.txt: 1 dialogue, at least 2 expected")
    try folder.write("x __eou__ y\nz __eou__ w\n", to: "talk.txt")
    try folder.expectError(arguments("hred", "s"), names: "talk.txt: all words are unknown")
    try folder.write(String(repeating: "x __eou__ x\n", count: 9), to: "talk.txt")
    try folder.trainText(arguments("hred", "other", ["--epochs", "1"]))
    try folder.expectError(["evaluate", "other", "--beside", "r"], names: "r: a run with another vocabulary")
    for (flag, value) in [("--hidden", "0"), ("--turns", "1"), ("--overlong", "keep"), ("--clip", "0")] {
      let outcome = try folder.run(arguments("hred", "s", ["\(flag)=\(value)"]))
      #expect(outcome.status == 64 && outcome.stderr.contains(flag) && !folder.has("s"))
    }
    for (flag, value) in [("--beam", "0"), ("--length-penalty", "-1")] {
      let outcome = try folder.run(["predict", "r", "x", "\(flag)=\(value)"])
      #expect(outcome.status == 64 && outcome.stderr.contains(flag))
    }
  }
}
