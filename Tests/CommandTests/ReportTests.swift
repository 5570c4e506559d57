// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `kasane train` prints.
@Suite struct ReportTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// One report, as a reader finds it.
  struct Report {
    let iteration: Int
    let loss: Double
    let predicted: [Int]
    let expected: [Int]
    let terms: [Int]
    let sum: Int

    /// The number that the bits, most significant first, stand for.
    static func number(_ bits: [Int]) -> Int { bits.reduce(0) { $0 * 2 + $1 } }
  }

  /// Takes reports apart. Throws where a line is not exactly in their form.
  static func reports(_ outcome: Outcome, bits: Int = 8) throws -> [Report] {
    #expect(outcome.stdout.hasSuffix("\n"))
    try #require(outcome.lines.count.isMultiple(of: 6), "\(outcome.stdout)")
    return try stride(from: 0, to: outcome.lines.count, by: 6).map { start in
      let lines = Array(outcome.lines[start..<start + 6])
      func row(_ line: String, _ label: String) throws -> [Int] {
        let content = try #require(line.wholeMatch(of: /(\w+):\[([01](?: [01])*)\]/), "\(line)")
        #expect(content.1 == label)
        let row = content.2.split(separator: " ").compactMap { Int($0) }
        #expect(row.count == bits)
        return row
      }
      let iteration = try #require(lines[0].wholeMatch(of: /iters:(\d+)/), "\(lines[0])")
      let loss = try #require(lines[1].wholeMatch(of: /Loss:(\d+\.\d+(?:e-\d+)?)/), "\(lines[1])")
      let sum = try #require(lines[4].wholeMatch(of: /(\d+) \+ (\d+) = (\d+)/), "\(lines[4])")
      #expect(lines[5] == "------------")
      return Report(
        iteration: try #require(Int(iteration.1)), loss: try #require(Double(loss.1)),
        predicted: try row(lines[2], "Pred"), expected: try row(lines[3], "True"),
        terms: [try #require(Int(sum.1)), try #require(Int(sum.2))], sum: try #require(Int(sum.3)))
    }
  }

  // MARK: The form

  @Test func reportsAndNothingElseOnStandardOutput() throws {
    let outcome = try folder.run(trainArguments("r"))
    #expect(outcome.status == 0)
    let reports = try Self.reports(outcome)
    #expect(reports.map(\.iteration) == [0, 100, 200])
    for report in reports {
      #expect(report.sum == Report.number(report.predicted))
      #expect(report.terms[0] + report.terms[1] == Report.number(report.expected))
      #expect(report.terms.allSatisfy { $0 < 128 })
    }
  }

  @Test func reportOfAKnownRun() throws {
    // Seed 31 has bits of both kinds from the first report on, and every method finds the same ones.
    let outcome = try folder.run([
      "train", "binary-addition", "--iterations", "201", "--seed", "31", "--learning-rate", "0.5", "--output",
      "r",
    ])
    #expect(outcome.status == 0)
    // The last digits of a loss may differ between instruction sets.
    let losses = try Self.reports(outcome).map(\.loss)
    #expect(losses.count == 3)
    for (loss, expected) in zip(losses, [1.2313, 0.9690, 1.2299]) { #expect(abs(loss - expected) < 1e-4) }
    let rest = outcome.lines.map { $0.hasPrefix("Loss:") ? "Loss:" : $0 }.joined(separator: "\n")
    #expect(
      rest == """
        iters:0
        Loss:
        Pred:[0 1 0 1 0 1 0 1]
        True:[1 0 0 1 0 0 0 0]
        63 + 81 = 85
        ------------
        iters:100
        Loss:
        Pred:[0 1 0 1 0 0 1 0]
        True:[0 1 1 1 1 1 1 1]
        62 + 65 = 82
        ------------
        iters:200
        Loss:
        Pred:[1 0 0 1 1 1 1 1]
        True:[0 0 0 0 1 1 0 0]
        9 + 3 = 159
        ------------
        """)
  }

  @Test func printEveryAndBits() throws {
    let options = ["--print-every", "7", "--iterations", "15", "--bits", "5"]
    let reports = try Self.reports(try folder.run(trainArguments("r", options)), bits: 5)
    #expect(reports.map(\.iteration) == [0, 7, 14])
    #expect(reports.allSatisfy { $0.terms.allSatisfy { $0 < 16 } })
  }

  // MARK: The three ways to the gradient

  @Test func everyMethodPrintsTheSameFirstReport() throws {
    for options in [[], ["--bias", "--activation", "tanh", "--init", "xavier"], ["--batch", "3"]] {
      var first: Report?
      for method in ["bptt", "tape", "fused"] {
        let name = "\(method)-\(options.count)"
        let outcome = try folder.run(trainArguments(name, options + ["--method", method]))
        #expect(outcome.status == 0, "\(outcome.stderr)")
        let report = try #require(try Self.reports(outcome).first)
        let expected = first ?? report
        first = expected
        #expect(report.terms == expected.terms, "\(name)")
        #expect(report.expected == expected.expected, "\(name)")
        #expect(report.predicted == expected.predicted, "\(name)")
        #expect(abs(report.loss - expected.loss) <= 1e-5 * expected.loss, "\(name)")
      }
    }
  }

  // MARK: The seed

  @Test func sameSeedSameReports() throws {
    let first = try folder.run(trainArguments("a"))
    let second = try folder.run(trainArguments("b"))
    let other = try folder.run(trainArguments("c", ["--seed", "2"]))
    #expect(first.stdout == second.stdout)
    #expect(try folder.data("a/model.safetensors") == folder.data("b/model.safetensors"))
    #expect(first.stdout != other.stdout)
  }

  @Test func seedIsDrawnPrintedAndRecorded() throws {
    let arguments = ["train", "binary-addition", "--iterations", "120", "--hidden", "8", "--output"]
    var seeds: [String] = []
    for name in ["a", "b"] {
      let outcome = try folder.run(arguments + [name])
      #expect(outcome.status == 0)
      let line = try #require(outcome.errorLines.first)
      let announced = try #require(
        line.wholeMatch(of: /Training binary-addition with seed (\d+) in (.+)/), "\(line)")
      #expect(announced.2 == name)
      let seed = String(announced.1)
      seeds.append(seed)
      #expect(try folder.text("\(name)/config.json").contains("\"seed\" : \(seed),"))
      // The seed is all it takes to have the run again.
      let again = try folder.run(arguments + ["\(name)-again", "--seed", seed])
      #expect(again.stdout == outcome.stdout)
    }
    #expect(seeds[0] != seeds[1])
  }

  @Test func configurationRecordsEveryOption() throws {
    struct Configuration: Decodable {
      struct Options: Decodable, Equatable {
        var bits, hidden, iterations, batch: Int
        var learningRate: Double
        var activation, `init`, method: String
        var bias: Bool
      }
      var options: Options
      var seed: UInt64
      var printEvery, checkpointEvery, threads: Int
      var recipe, version: String
    }
    let seed = UInt64.max
    try folder.train(
      "r",
      [
        "--bits", "6", "--hidden", "5", "--iterations", "20", "--batch", "2", "--learning-rate", "0.25",
        "--activation", "tanh", "--init", "xavier", "--method", "tape", "--bias", "--seed", "\(seed)",
        "--print-every", "9", "--checkpoint-every", "11",
      ])
    let found = try JSONDecoder().decode(Configuration.self, from: folder.data("r/config.json"))
    #expect(
      found.options
        == .init(
          bits: 6, hidden: 5, iterations: 20, batch: 2, learningRate: 0.25, activation: "tanh",
          init: "xavier", method: "tape", bias: true))
    #expect(found.seed == seed)
    #expect(found.printEvery == 9 && found.checkpointEvery == 11 && found.threads == 1)
    #expect(found.recipe == "binary-addition" && !found.version.isEmpty)
  }

  @Test func standardOutputThatIsFullEndsTheRun() throws {
    #if os(Linux)
      let shell = Process()
      shell.executableURL = URL(filePath: "/bin/sh")
      shell.arguments = [
        "-c", "'\(kasaneExecutable.path)' train binary-addition --output r > /dev/full 2> errors",
      ]
      shell.currentDirectoryURL = folder.url
      try shell.run()
      shell.waitUntilExit()
      #expect(shell.terminationStatus == 1)
      #expect(try folder.text("errors").contains("standard output: cannot be written: No space left"))
    #endif
  }
}
