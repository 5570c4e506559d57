// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The commands that use runs, and those that need none.
@Suite struct UseTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs a command that must succeed and say nothing on standard error.
  private func lines(_ arguments: String...) throws -> [String] {
    let outcome = try folder.run(arguments)
    #expect(outcome.status == 0, "\(arguments): \(outcome.stderr)")
    #expect(outcome.stderr.isEmpty, "\(arguments)")
    return outcome.lines
  }

  // MARK: A trained network

  @Test func predictPrintsEveryBitAndTheSum() throws {
    // Long enough to solve every problem of its length.
    try folder.train("r", ["--iterations", "8000", "--hidden", "16", "--learning-rate", "0.5"])
    let lines = try lines("predict", "r", "11", "93")
    try #require(lines.count == 10)
    #expect(lines[0] == "bit  probability of 1  answer")
    var sum = 0
    for (line, bit) in zip(lines[1...8], (0..<8).reversed()) {
      let found = try #require(line.wholeMatch(of: /\ {2}(\d) {2}(0\.\d{6}|1\.0{6}) {10}([01])/), "\(line)")
      #expect(Int(found.1) == bit)
      let probability = try #require(Double(found.2))
      #expect((probability > 0.5) == (found.3 == "1"), "\(line)")
      sum = sum * 2 + (found.3 == "1" ? 1 : 0)
    }
    #expect(sum == 104)
    #expect(lines[9] == "11 + 93 = 104  (right)")
    #expect(try self.lines("predict", "r", "127", "127").last == "127 + 127 = 254  (right)")
    #expect(try self.lines("predict", "r", "0", "0").last == "0 + 0 = 0  (right)")

    #expect(
      try self.lines("evaluate", "r", "--problems", "100") == [
        "Sums right: 100 of 100 (100.00 %)", "Bits right: 800 of 800 (100.00 %)",
      ])
  }

  @Test func predictSaysWhenItIsWrong() throws {
    try folder.train("r", ["--iterations", "1"])
    let last = try #require(try lines("predict", "r", "11", "93").last)
    let found = try #require(last.wholeMatch(of: /11 \+ 93 = (\d+)  \(wrong: it is 104\)/), "\(last)")
    #expect(found.1 != "104")
  }

  @Test func evaluateCountsSumsAndBits() throws {
    try folder.train("r")
    func evaluate(_ options: String..., bits: Int, problems: Int) throws -> [String] {
      let outcome = try folder.run(["evaluate", "r"] + options)
      #expect(outcome.status == 0 && outcome.stderr.isEmpty)
      try #require(outcome.lines.count == 2)
      for (line, (label, whole)) in zip(outcome.lines, [("Sums", problems), ("Bits", problems * bits)]) {
        let found = try #require(
          line.wholeMatch(of: /(\w+) right: (\d+) of (\d+) \((\d+\.\d\d) %\)/), "\(line)")
        #expect(found.1 == label)
        let part = try #require(Int(found.2))
        #expect(part <= whole && Int(found.3) == whole)
        let share = try #require(Double(found.4))
        #expect(abs(share - 100 * Double(part) / Double(whole)) < 0.0051)
      }
      return outcome.lines
    }
    let standard = try evaluate(bits: 8, problems: 1000)
    #expect(try evaluate("--seed", "0", bits: 8, problems: 1000) == standard)
    #expect(try evaluate("--seed", "1", bits: 8, problems: 1000) != standard)
    _ = try evaluate("--bits", "16", bits: 16, problems: 1000)
    _ = try evaluate("--bits", "1", "--problems", "1", bits: 1, problems: 1)
    _ = try evaluate("--bits", "32", "--problems", "1001", bits: 32, problems: 1001)
  }

  @Test func evaluateHelpShowsTheRecipesOptions() throws {
    try folder.train("r", ["--iterations", "1"])
    let page = try lines("evaluate", "r", "--help").joined(separator: "\n")
    for option in ["--problems", "--seed", "--bits"] { #expect(page.contains(option), "\(option)") }
  }

  // MARK: Runs

  @Test func showDescribesARun() throws {
    try folder.train("r")
    let lines = try lines("show", "r/")
    #expect(lines.first == "binary-addition in r")
    #expect(lines.contains("state    finished"))
    #expect(
      lines.contains(
        "options  activation sigmoid, batch 1, bias false, bits 8, hidden 8, init normal, iterations 300, "
          + "learningRate 0.1, method fused"))
    #expect(lines.contains("seed     1"))
    #expect(lines.contains { $0.contains("(mean over the iterations to 200)") })
    // The curve goes down: dots at the left of its top row, none there at the right.
    let top = try #require(lines.first { $0.contains("│") })
    let dots = try #require(top.split(separator: "│").last).unicodeScalars.map(\.value)
    #expect(dots.count == 64 && dots[0] > 0x2800 && dots[63] == 0x2800)
  }

  @Test func runsListsThem() throws {
    #expect(try folder.run(["runs"]).stderr == "No runs: there is no folder runs\n")
    // Without --output a run is kept under the next free number.
    let arguments = ["train", "binary-addition", "--iterations", "50", "--hidden", "8", "--seed"]
    for seed in ["3", "4"] { #expect(try folder.run(arguments + [seed]).status == 0) }
    #expect(folder.names("runs") == ["binary-addition-1", "binary-addition-2"])
    let lines = try lines("runs")
    try #require(lines.count == 2)
    for (line, number) in zip(lines, 1...2) {
      let start = "runs/binary-addition-\(number)  binary-addition  seed \(number + 2)  finished  loss "
      #expect(line.hasPrefix(start), "\(line)")
      #expect(Double(line.dropFirst(start.count)) != nil, "\(line)")
    }
  }

  @Test func plotDrawsRunsAsSVG() throws {
    try folder.train("a")
    try folder.train("b", ["--seed", "2"])
    try folder.train("c", ["--activation", "tanh"])
    let outcome = try folder.run(["plot", "a", "b", "c", "--output", "all.svg", "--title", "1 < 2"])
    #expect(outcome.status == 0 && outcome.stdout.isEmpty)
    #expect(outcome.stderr == "Wrote all.svg: 2 curves from 3 runs\n")
    let svg = try folder.text("all.svg")
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    // Two curves, one of them of two runs and therefore in a band.
    #expect(svg.components(separatedBy: "<polyline").count == 3)
    #expect(svg.components(separatedBy: "<polygon").count == 2)
    for text in ["1 &lt; 2", "activation sigmoid (2 runs)", "activation tanh"] {
      #expect(svg.contains(">\(text)</text>"), "\(text)")
    }
    #expect(folder.partials == [])
    // Every run draws its own when it ends.
    #expect(try folder.text("a/loss.svg").contains("<polyline"))
  }

  // MARK: Commands without a run

  @Test func recipesInfoAndVersion() throws {
    let recipes = try lines("recipes")
    #expect(
      recipes.count > 2 && recipes[0].hasPrefix("binary-addition  ") && recipes[1].hasPrefix("digits  "))
    let version = try #require(try lines("--version").first)
    #expect(version.wholeMatch(of: /\d+\.\d+\.\d+/) != nil, "\(version)")
    let info = try lines("info", "--threads", "3")
    let labels = ["version", "engine", "instruction set", "threads", "machine", "memory"]
    #expect(info.map { String($0.prefix(17)).trimmingCharacters(in: .whitespaces) } == labels)
    #expect(info[0].hasSuffix(" \(version)"))
    #expect(info[3].hasSuffix(" 3"))
    let set = try folder.run(["info"], environment: ["KASANE_THREADS": "2"])
    #expect(set.lines.count == 6 && set.lines[3].hasSuffix(" 2"))
  }

  @Test func completionsForEveryShell() throws {
    for (shell, mark) in [
      ("bash", "complete "), ("zsh", "#compdef kasane"), ("fish", "complete -c 'kasane'"),
    ] {
      let script = try lines("completions", shell).joined(separator: "\n")
      #expect(script.contains(mark), "\(shell)")
      for word in ["binary-addition", "learning-rate", "evaluate"] {
        #expect(script.contains(word), "\(shell): \(word)")
      }
    }
  }

  @Test func everyCommandHasAHelpPage() throws {
    let commands = [
      "train", "predict", "evaluate", "show", "runs", "plot", "report", "recipes", "bench", "info",
      "completions",
    ]
    let overview = try lines("--help").joined(separator: "\n")
    for command in commands {
      #expect(overview.contains("\n  \(command) "), "\(command)")
      let page = try lines(command, "--help")
      #expect(page.contains { $0.hasPrefix("USAGE: kasane \(command)") }, "\(command)")
      #expect(try lines("help", command) == page, "\(command)")
    }
    let recipe = try lines("train", "binary-addition", "--help").joined(separator: "\n")
    for option in [
      "bits", "hidden", "learning-rate", "iterations", "activation", "init", "batch", "bias", "method",
      "seed",
      "print-every", "checkpoint-every", "output", "threads",
    ] { #expect(recipe.contains("--\(option)"), "\(option)") }
  }

  @Test func benchPrintsOneObjectALine() throws {
    struct Line: Decodable {
      let name, method, version: String
      let best_ms, median_ms: Double
      let threads: Int
    }
    let found = try lines("bench", "binary-addition", "--json", "--seconds", "0.05", "--threads", "1").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
    #expect(found.map(\.method) == ["bptt", "tape", "fused"])
    for line in found {
      #expect(line.name == "binary-addition" && line.threads == 1 && !line.version.isEmpty)
      #expect(line.best_ms > 0 && line.best_ms <= line.median_ms)
    }
    let one = try lines("bench", "binary-addition", "--method", "bptt", "--seconds", "0.05")
    #expect(one.count == 1 && one[0].hasPrefix("binary-addition bptt: "))
    #expect(folder.names() == [])
  }
}
