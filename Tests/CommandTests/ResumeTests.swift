// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Runs that are killed, interrupted and gone on with end with the bytes of one that never stopped.
@Suite(.serialized) struct ResumeTests {
  let folder: TemporaryFolder

  /// Many checkpoints and reports, in a run long enough to be hit at any of them.
  private static let options = ["--iterations", "4000", "--checkpoint-every", "50", "--print-every", "10"]

  init() throws {
    folder = try TemporaryFolder()
    try folder.train("whole", Self.options)
  }

  // MARK: Helpers

  /// One line of the metrics without the time.
  private struct Line: Decodable, Equatable {
    let iteration: Int
    let loss: Double
    let mean: Double
    enum CodingKeys: String, CodingKey {
      case iteration, loss
      case mean = "mean_loss"
    }
  }

  private func metrics(_ run: String) throws -> [Line] {
    let text = try folder.text("\(run)/metrics.jsonl")
    #expect(text.hasSuffix("\n"))
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  private func eventsSize(_ run: String) throws -> Int {
    let events = folder.names(run).filter { $0.contains("tfevents") }
    try #require(events.count == 1, "\(events)")
    return try folder.data("\(run)/\(events[0])").count
  }

  /// Checks a finished run against the one that never stopped.
  private func expectWhole(_ run: String, _ history: String) throws {
    let model = try folder.data("\(run)/model.safetensors")
    #expect(model == (try folder.data("whole/model.safetensors")), "\(history)")
    let lines = try metrics(run)
    #expect(lines.map(\.iteration) == Array(stride(from: 0, to: 4000, by: 10)), "\(history)")
    #expect(lines == (try metrics("whole")), "\(history)")
    #expect(try eventsSize(run) == eventsSize("whole"), "\(history)")
    #expect(folder.names("\(run)/checkpoints") == folder.names("whole/checkpoints"), "\(history)")
  }

  /// Kills a command `milliseconds` after it has printed a number of reports. False where it was done before.
  private func kill(_ arguments: [String], afterReports reports: Int, milliseconds: Double) throws -> Bool {
    let command = try folder.start(arguments)
    _ = command.wait { reports == 0 || command.stdout.components(separatedBy: "iters:").count > reports }
    usleep(UInt32(milliseconds * 1000))
    command.send(SIGKILL)
    let outcome = command.finish()
    #expect(outcome.status == -SIGKILL || outcome.status == 0, "\(outcome.stderr)")
    return outcome.status == -SIGKILL
  }

  /// Goes on with a run to its end; begins it where it was killed before its folder appeared.
  private func finish(_ run: String) throws {
    guard folder.has(run) else { return try folder.train(run, Self.options) }
    let outcome = try folder.run(["train", "--resume", run])
    #expect(outcome.status == 0, "\(outcome.stderr)")
  }

  // MARK: Killed

  @Test func killedAnywhere() throws {
    var killed = 0
    for moment in 0..<6 {
      let run = "killed-\(moment)"
      // The whole run has 400 reports, and a checkpoint after every fifth.
      let reports = Int.random(in: 1...60) + moment * 60
      let delay = Double.random(in: 0..<3)
      let command = trainArguments(run, Self.options)
      if try kill(command, afterReports: reports, milliseconds: delay) { killed += 1 }
      try finish(run)
      try expectWhole(run, "killed \(delay) ms after \(reports) reports")
    }
    #expect(killed > 0)
  }

  @Test func killedDuringStartUp() throws {
    for moment in 0..<6 {
      let run = "killed-\(moment)"
      let delay = Double.random(in: 0..<8) + Double(moment) * 8
      _ = try kill(trainArguments(run, Self.options), afterReports: 0, milliseconds: delay)
      // A run's folder appears with its configuration in it or not at all.
      #expect(!folder.has(run) || folder.has("\(run)/config.json"), "killed after \(delay) ms")
      try finish(run)
      try expectWhole(run, "killed after \(delay) ms")
    }
  }

  @Test func killedAgainAndAgain() throws {
    let run = "killed"
    var kills: [String] = []
    var reached = -1
    while !folder.has("\(run)/model.safetensors") && kills.count < 40 {
      let arguments = folder.has(run) ? ["train", "--resume", run] : trainArguments(run, Self.options)
      // More reports than from one checkpoint to the next, so that it comes to an end.
      let (reports, delay) = (Int.random(in: 15...90), Double.random(in: 0..<3))
      kills.append("\(delay) ms after \(reports) reports")
      _ = try kill(arguments, afterReports: reports, milliseconds: delay)
      let last = folder.names("\(run)/checkpoints").last { $0.hasSuffix(".safetensors") }
      let iteration = last.flatMap { Int($0.dropFirst("step-".count).prefix { $0 != "." }) } ?? -1
      // The last checkpoint is found again where the kill comes between it and the model.
      #expect(iteration > reached || iteration == 4000, "killed \(kills)")
      reached = iteration
    }
    try finish(run)
    try expectWhole(run, "killed \(kills)")
  }

  // MARK: Interrupted

  @Test func interruptedAndTerminated() throws {
    let run = "stopped"
    var arguments = trainArguments(run, Self.options)
    for (signal, status) in [(SIGINT, Int32(130)), (SIGTERM, 143)] {
      let command = try folder.start(arguments)
      #expect(command.wait { command.stdout.components(separatedBy: "iters:").count > 8 })
      command.send(signal)
      let outcome = command.finish()
      #expect(outcome.status == status, "\(outcome.stderr)")
      let stopped = try #require(
        outcome.stderr.firstMatch(of: /Stopped after (\d+) iterations; the state is saved. Go on with:\n/))
      #expect(outcome.errorLines.last?.hasSuffix("/kasane train --resume \(run)") == true)
      #expect(folder.partials == [])
      #expect(!folder.has("\(run)/model.safetensors"))
      // The signal ends the iteration that it finds, which need not be one of those with a checkpoint.
      let checkpoint = String(repeating: "0", count: 9 - stopped.1.count) + stopped.1
      #expect(folder.has("\(run)/checkpoints/step-\(checkpoint).safetensors"))
      // What is there can be looked at and used.
      #expect(try folder.run(["show", run]).stdout.contains("stopped after \(stopped.1) iterations"))
      let prediction = try folder.run(["predict", run, "11", "93"])
      #expect(prediction.status == 0)
      #expect(prediction.stderr.contains("not finished; using its checkpoint after \(stopped.1) iterations"))
      arguments = ["train", "--resume", run]
    }
    let outcome = try folder.run(arguments)
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(outcome.errorLines.first?.hasPrefix("Going on after") == true)
    try expectWhole(run, "interrupted, then terminated")
  }

  // MARK: One process at a time, and none once it is finished

  @Test func secondProcessIsRefused() throws {
    let run = "busy"
    // The first holds the folder for as long as it takes.
    let first = try folder.start(trainArguments(run, ["--iterations", "100000000"]))
    #expect(first.wait { folder.has("\(run)/checkpoints/step-000000000.safetensors") })
    let second = try folder.run(["train", "--resume", run])
    #expect(second.status == 1)
    #expect(second.stderr == "Error: \(run): another process is training in this run folder\n")
    #expect(second.stdout.isEmpty)
    let again = try folder.run(trainArguments(run))
    #expect(again.status == 1)
    #expect(again.stderr.hasPrefix("Error: --output \(run): already exists"))
    #expect(first.process.isRunning)
    first.send(SIGTERM)
    #expect(first.finish().status == 143)
    #expect(try folder.run(["show", run]).status == 0)
  }

  @Test func finishedRunSaysSo() throws {
    let before = try folder.data("whole/model.safetensors")
    let lines = try folder.data("whole/metrics.jsonl")
    let outcome = try folder.run(["train", "--resume", "whole"])
    #expect(outcome.status == 0)
    #expect(outcome.stdout.isEmpty)
    #expect(outcome.stderr == "whole is finished: its model is whole/model.safetensors\n")
    #expect(try folder.data("whole/model.safetensors") == before)
    #expect(try folder.data("whole/metrics.jsonl") == lines)
  }

  @Test func draftsOfKilledProcessesAreCleared() throws {
    // No process has the largest number that there can be; this one is alive.
    let (stale, alive) = ("r.2147483647.partial", "r.\(ProcessInfo.processInfo.processIdentifier).partial")
    for name in [stale, alive] { try folder.write(Data(), to: name) }
    try folder.train("r", ["--iterations", "1"])
    #expect(!folder.has(stale))
    #expect(folder.has(alive))
  }
}
