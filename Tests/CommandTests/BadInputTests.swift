// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Arguments that cannot be: status 64 for what the command line shows to be wrong, 1 for what the files or the
/// run do; always said on standard error with what it is about, never on standard output.
@Suite struct BadInputTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Expects status 64, the first line naming `what`.
  private func expectUsage(_ arguments: [String], names what: String) throws {
    let outcome = try folder.run(arguments)
    #expect(outcome.status == 64, "\(arguments): \(outcome.stderr)")
    let first = outcome.errorLines.first ?? ""
    #expect(first.hasPrefix("Error: ") && first.contains(what), "\(arguments): \(outcome.stderr)")
    #expect(outcome.stdout.isEmpty, "\(arguments)")
  }

  // MARK: Training options

  @Test(arguments: [
    ("--activation", "foo"), ("--method", "foo"), ("--init", "foo"), ("--bits", "0"), ("--bits", "33"),
    ("--bits", "3.5"), ("--hidden", "0"), ("--hidden", "4097"), ("--batch", "0"), ("--batch", "65537"),
    ("--iterations", "0"), ("--iterations", "many"), ("--iterations", "99999999999999999999"),
    ("--learning-rate", "0"), ("--learning-rate", "-1"), ("--learning-rate", "nan"),
    ("--learning-rate", "1e39"),
    ("--learning-rate", "inf"), ("--learning-rate", "1e999"), ("--print-every", "0"),
    ("--checkpoint-every", "0"), ("--threads", "0"), ("--threads", "1025"), ("--seed", "-1"), ("--seed", "x"),
  ]) func option(_ flag: String, _ value: String) throws {
    // Both spellings; a value that begins with a dash is only one in the second.
    try expectUsage(trainArguments("r", [flag, value]), names: flag)
    try expectUsage(trainArguments("r", ["\(flag)=\(value)"]), names: flag)
    #expect(folder.names() == [])
  }

  @Test func unknownFlagsAndNames() throws {
    try expectUsage(trainArguments("r", ["--foo"]), names: "--foo")
    try expectUsage(trainArguments("r", ["--foo=1"]), names: "--foo")
    try expectUsage(trainArguments("r", ["extra"]), names: "extra")
    try expectUsage(["train", "binary-addition", "--output="], names: "--output")
    try expectUsage(["train", "binary-addition", "--output"], names: "--output")
    try expectUsage(["train", "foo"], names: "foo")
    try expectUsage(["train"], names: "--resume")
    try expectUsage(["train", "--resume"], names: "--resume")
    try expectUsage(["foo"], names: "foo")
    try expectUsage(["show"], names: "<run>")
    try expectUsage(["completions", "foo"], names: "foo")
    try expectUsage(["info", "--threads", "0"], names: "--threads")
    try expectUsage(["bench", "foo"], names: "foo")
    for seconds in ["0", "-1", "nan", "x"] {
      try expectUsage(["bench", "binary-addition", "--seconds=\(seconds)"], names: "--seconds")
    }
    #expect(folder.names() == [])
  }

  @Test func threadsOfTheEnvironment() throws {
    for value in ["0", "-3", "many", "1025", ""] {
      let environment = ["KASANE_THREADS": value]
      let arguments = ["train", "binary-addition", "--iterations", "1", "--output", "r"]
      let outcome = try folder.run(arguments, environment: environment)
      #expect(outcome.status == 1, "\(value)")
      #expect(outcome.stderr == "Error: KASANE_THREADS: \(value), a number from 1 to 1024 expected\n")
    }
    #expect(folder.names() == [])
  }

  // MARK: Output

  @Test func outputThatExists() throws {
    try FileManager.default.createDirectory(at: folder.file("empty"), withIntermediateDirectories: false)
    try folder.write(Data("mine".utf8), to: "file")
    for name in ["empty", "empty/", "file", folder.url.path] {
      try folder.expectError(trainArguments(name), names: "--output", "already exists")
    }
    #expect(folder.names() == ["empty", "file"])
    #expect(folder.names("empty") == [])
    #expect(try folder.text("file") == "mine")
  }

  @Test func outputWhereNothingCanBe() throws {
    try folder.write(Data("mine".utf8), to: "file")
    try folder.expectError(trainArguments("file/r"), names: "file")
    try folder.expectError(trainArguments("file/deep/r"), names: "file")
    #if os(Linux)
      try folder.expectError(trainArguments("/proc/kasane/r"), names: "/proc/kasane")
      try folder.expectError(trainArguments("/proc/kasane"), names: "/proc/kasane")
    #endif
    let long = String(repeating: "x", count: 300)
    try folder.expectError(trainArguments(long), names: long)
    #expect(folder.names() == ["file"])
    #expect(try folder.text("file") == "mine")
  }

  // MARK: Using a run

  @Test func predictFromWhatDoesNotFit() throws {
    try folder.train("r", ["--iterations", "1"])
    for words in [["128", "1"], ["1", "128"], ["99999999999999999999", "1"], ["-1", "1"], ["1", "-1"]] {
      let wrong = words.first { $0 != "1" }!
      try folder.expectError(["predict", "r"] + words, names: "predict: \(wrong) does not fit", "0 to 127")
    }
    for words in [["eleven", "1"], ["1.5", "1"], ["", "1"], ["0x1", "1"], [" 1", "1"], ["١", "1"]] {
      try folder.expectError(["predict", "r"] + words, names: "predict: \(words[0]) does not fit")
    }
    for count in [0, 1, 3, 4] {
      let words = [String](repeating: "1", count: count)
      try folder.expectError(["predict", "r"] + words, names: "predict: \(count) numbers", "11 93")
    }
  }

  @Test func evaluateWithBadOptions() throws {
    try folder.train("r", ["--iterations", "1"])
    for (flag, value) in [
      ("--bits", "0"), ("--bits", "33"), ("--bits", "x"), ("--problems", "0"), ("--problems", "-1"),
      ("--problems", "x"), ("--seed", "x"), ("--foo", "1"),
    ] {
      try expectUsage(["evaluate", "r", "\(flag)=\(value)"], names: flag)
    }
    try expectUsage(["evaluate", "r", "--bits"], names: "--bits")
    try expectUsage(["evaluate", "r", "extra"], names: "extra")
  }

  @Test(arguments: [
    ["predict", "RUN", "1", "1"], ["evaluate", "RUN"], ["show", "RUN"], ["train", "--resume", "RUN"],
    ["plot", "RUN", "--output", "x.svg"], ["report", "RUN", "--output", "x.html"],
  ]) func folderThatIsNoRun(_ template: [String]) throws {
    try FileManager.default.createDirectory(at: folder.file("empty"), withIntermediateDirectories: false)
    try folder.write(Data("mine".utf8), to: "file")
    for (name, reason) in [
      ("none", "no such run folder"), ("empty", "config.json is missing"), ("file", "file"),
    ] {
      try folder.expectError(template.map { $0 == "RUN" ? name : $0 }, names: name, reason)
    }
    #expect(folder.names() == ["empty", "file"])
    #expect(folder.names("empty") == [])
  }

  @Test func plotThatCannotBeWritten() throws {
    try folder.train("r", ["--iterations", "1"])
    for place in ["none/x.svg", "r/config.json/x.svg"] {
      try folder.expectError(["plot", "r", "--output", place], names: "\(place): cannot be written")
    }
    try expectUsage(["plot", "r"], names: "--output")
    try expectUsage(["plot", "--output", "x.svg"], names: "<runs>")
    try folder.write(Data(), to: "r/metrics.jsonl")
    try folder.expectError(["plot", "r", "--output", "x.svg"], names: "r/metrics.jsonl: no metrics")
    #expect(folder.names() == ["r"])
  }

  @Test func unknownInstructionSet() throws {
    let outcome = try folder.run(["info"], environment: ["KASANE_ISA": "sse9"])
    #expect(outcome.status == 1)
    #expect(outcome.stderr == "Error: KASANE_ISA: sse9, one of avx512, avx2, neon, baseline expected\n")
  }

  @Test func unknownEngine() throws {
    let outcome = try folder.run(["info"], environment: ["KASANE_ENGINE": "abacus"])
    #expect(outcome.status == 1)
    #expect(outcome.stderr == "Error: KASANE_ENGINE: abacus, one of cpu, reference expected\n")
  }

  // MARK: Divergence

  @Test func divergingTrainingNamesIterationAndCheckpoint() throws {
    let wild = ["--activation", "relu", "--init", "he", "--learning-rate", "1e38", "--bias"]
    for name in ["bptt", "tape", "fused"] {
      let options = wild + ["--method", name]
      let outcome = try folder.run(trainArguments(name, options + ["--checkpoint-every", "1"]))
      #expect(outcome.status == 1, "\(outcome.stderr)")
      let error = try #require(outcome.errorLines.last)
      let found = try #require(
        error.wholeMatch(
          of: /Error: (\S+): training diverged at iteration (\d+): .*; last good checkpoint: (\S+)/),
        "\(error)")
      #expect(found.1 == name)
      // It is there, it is the last, and what it holds can be used.
      #expect(folder.has(String(found.3)))
      #expect(folder.names("\(name)/checkpoints").last.map { "\(name)/checkpoints/\($0)" } == String(found.3))
      #expect(!folder.has("\(name)/model.safetensors"))
      #expect(try folder.run(["predict", name, "1", "1"]).status == 0)
      let errors = outcome.errorLines.filter { $0.hasPrefix("Error: ") }
      #expect(errors.count == 1 && outcome.errorLines.count == 2)
      #expect(folder.partials == [])
    }
  }
}

extension TemporaryFolder {
  /// Runs a command that must fail with status 1 and one line, which says all of `parts`; nothing may be left
  /// written in part.
  func expectError(_ arguments: [String], names parts: String..., location: SourceLocation = #_sourceLocation)
    throws
  {
    let outcome = try run(arguments)
    #expect(outcome.status == 1, "\(arguments): \(outcome.stderr)", sourceLocation: location)
    #expect(outcome.errorLines.count == 1, "\(arguments): \(outcome.stderr)", sourceLocation: location)
    #expect(outcome.stderr.hasPrefix("Error: "), "\(outcome.stderr)", sourceLocation: location)
    for part in parts {
      #expect(outcome.stderr.contains(part), "\(arguments): \(outcome.stderr)", sourceLocation: location)
    }
    #expect(outcome.stdout.isEmpty, "\(arguments)", sourceLocation: location)
    #expect(partials == [], "\(arguments)", sourceLocation: location)
  }
}
