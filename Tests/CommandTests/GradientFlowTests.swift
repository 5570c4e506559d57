// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// How far gradients reach back, and what clipping does.
@Suite struct GradientFlowTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ name: String, _ options: [String] = []) -> [String] {
    ["train", "gradient-flow", "--preset", "quick", "--seed", "1", "--threads", "1", "--output", name]
      + options
  }

  private func train(_ name: String, _ options: [String] = []) throws -> Outcome {
    let outcome = try folder.run(arguments(name, options))
    try #require(outcome.status == 0, "\(outcome.stderr)")
    return outcome
  }

  private static let small = ["--iterations", "20", "--hidden", "8", "--batch", "4", "--steps", "12"]

  @Test func learnsToAddAndShowsItsGradients() throws {
    let outcome = try train("r", ["--cell", "gru", "--steps", "10", "--iterations", "400"])
    #expect(outcome.errorLines[1].contains("who remembers nothing has a mean squared error of 0.1667"))
    let line = try #require(outcome.stderr.firstMatch(of: #/Mean loss on fresh problems: (\d\.\d+)/#))
    #expect(Double(line.1)! < 0.05, "\(outcome.stderr)")
    #expect(try folder.text("r/gradient-flow.svg").contains("RNN, ReLU, He times 1.5"))
    let evaluated = try folder.run(["evaluate", "r", "--svg", "flow.svg", "--problems", "100"])
    #expect(evaluated.status == 0 && evaluated.stderr.isEmpty, "\(evaluated.stderr)")
    #expect(evaluated.lines[0].hasPrefix("Mean loss (mean squared error): "))
    #expect(evaluated.lines[3] == "distance   |dE/dh|")
    #expect(evaluated.lines[4...].compactMap { $0.split(separator: " ").first } == ["0", "1", "2", "5", "9"])
    #expect(try folder.text("flow.svg").contains("This run (gru)"))
    let answer = try folder.run(["predict", "r", "0.3*", "0.5", "0.1", "0.4*"])
    #expect(answer.lines.count == 1 && answer.stdout.hasSuffix("(right: 0.7000)\n"), "\(answer.stderr)")
  }

  /// A network that explodes dies without clipping and lives with it.
  @Test func clippingKeepsARunAlive() throws {
    let wild = [
      "--cell", "rnn", "--activation", "relu", "--init", "he", "--gain", "1.5", "--optimizer", "sgd",
      "--learning-rate", "0.1", "--iterations", "60", "--steps", "40",
    ]
    try folder.expectDivergence(arguments("dead", wild + ["--clip", "0"]))
    let alive = try train("alive", wild + ["--clip", "1"])
    #expect(alive.stderr.contains("Mean loss on fresh problems"))
    let judged = try folder.run(["evaluate", "alive"])
    #expect(judged.status == 0, "\(judged.stderr)")
  }

  @Test func copies() throws {
    let outcome = try train("r", ["--problem", "copying"] + Self.small)
    #expect(outcome.errorLines[1].contains("a cross-entropy of 0.6498"), "\(outcome.stderr)")
    let evaluated = try folder.run(["evaluate", "r", "--problems", "10"])
    #expect(evaluated.lines[1].hasPrefix("Symbols right: ") && evaluated.lines[1].contains(" of 100 "))
    #expect(evaluated.lines[3] == "distance   |dE/dh|      |dE/dc|")
    let answer = try folder.run(["predict", "r", "1234567812"])
    #expect(
      answer.stdout.wholeMatch(of: #/Answer: \d{10}  \(\d+ of 10 right\)\n/#) != nil, "\(answer.stderr)")
    for word in ["123", "1234567890", "abc", "12345678123"] {
      try folder.expectError(["predict", "r", word], names: "predict: \(word) found, 10 digits from 1 to 8")
    }
  }

  @Test func badInput() throws {
    _ = try train("r", Self.small)
    for (words, part) in [
      (["0.3", "0.4*"], "1 numbers are marked by *, 2 expected"), (["x*"], "x* is no number from 0 to 1"),
      (["2*", "0.1*"], "2* is no number"), ([""], "nothing to go by"), ([], "nothing on standard input"),
    ] as [([String], String)] {
      try folder.expectError(["predict", "r"] + words, names: "predict: ", part)
    }
    for (flag, value) in [
      ("--steps", "1"), ("--clip", "-1"), ("--gain", "1000"), ("--cell", "foo"), ("--init", "zero"),
      ("--learning-rate", "0"), ("--patience", "-1"),
    ] {
      let outcome = try folder.run(arguments("x", ["\(flag)=\(value)"]))
      #expect(outcome.status == 64 && outcome.stderr.contains(flag), "\(outcome.stderr)")
    }
    #expect(!folder.has("x"))
  }
}

extension TemporaryFolder {
  /// Expects a training to end with the line that says it diverged.
  fileprivate func expectDivergence(_ arguments: [String]) throws {
    let outcome = try run(arguments)
    #expect(outcome.status == 1, "\(outcome.stderr)")
    #expect(outcome.errorLines.last?.contains("training diverged at iteration") == true, "\(outcome.stderr)")
  }
}
