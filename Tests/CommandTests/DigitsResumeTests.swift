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

/// A run on digits that is killed or interrupted goes on to the bits of one that never stopped: the images' order and
/// shifts, dropout, normalisation and the optimizer are all where they were.
@Suite(.serialized) struct DigitsResumeTests {
  let folder: TemporaryFolder
  private static let options = ["--epochs", "12", "--print-every", "1", "--checkpoint-every", "4"]

  init() throws {
    folder = try TemporaryFolder()
    try folder.trainDigits("whole", Self.options)
  }

  private struct Line: Decodable, Equatable {
    let iteration: Int
    let loss, mean_loss: Double
    let validation_accuracy, validation_loss: Double?
  }

  private func metrics(_ run: String) throws -> [Line] {
    try folder.text("\(run)/metrics.jsonl").split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
  }

  private func expectWhole(_ run: String, _ history: String) throws {
    #expect(
      try folder.data("\(run)/model.safetensors") == folder.data("whole/model.safetensors"), "\(history)")
    let lines = try metrics(run)
    #expect(lines == (try metrics("whole")), "\(history)")
    #expect(lines.map(\.iteration) == Array(0..<36), "\(history)")
    #expect(lines.count { $0.validation_loss != nil } == 12, "\(history)")
  }

  /// Starts a run and sends it a signal after a number of iterations.
  private func stop(_ run: String, by signal: Int32, after iterations: Int) throws -> Outcome {
    let arguments = folder.has(run) ? ["train", "--resume", run] : digitsArguments(run, Self.options)
    let command = try folder.start(arguments)
    #expect(command.wait { command.stdout.components(separatedBy: "  iteration ").count > iterations })
    command.send(signal)
    return command.finish()
  }

  @Test func killedAgainAndAgain() throws {
    var history: [String] = []
    // Three iterations an epoch, a checkpoint after every fourth: before the first, and at different places of an epoch.
    for iterations in [2, 7, 12, 6] {
      let outcome = try stop("killed", by: SIGKILL, after: iterations)
      #expect(outcome.status == -SIGKILL || outcome.status == 0, "\(outcome.stderr)")
      history.append("after \(iterations) iterations")
    }
    let outcome = try folder.run(["train", "--resume", "killed"])
    #expect(outcome.status == 0, "\(outcome.stderr)")
    try expectWhole("killed", "killed \(history)")
  }

  @Test func interruptedBetweenCheckpoints() throws {
    for (signal, iterations) in [(SIGINT, 6), (SIGTERM, 9)] {
      let outcome = try stop("stopped", by: signal, after: iterations)
      #expect(outcome.status == 128 + signal, "\(outcome.stderr)")
    }
    // It can be used before it is finished, and without its data.
    let prediction = try folder.run(["predict", "stopped", "sample", "3"])
    #expect(prediction.status == 0 && prediction.stderr.contains("not finished"))
    #expect(try folder.run(["evaluate", "stopped"]).status == 0)
    #expect(try folder.run(["train", "--resume", "stopped"]).status == 0)
    try expectWhole("stopped", "interrupted, then terminated")
  }

  @Test func otherDataAreRefused() throws {
    _ = try stop("moved", by: SIGTERM, after: 5)
    try FileManager.default.moveItem(at: folder.file("small"), to: folder.file("away"))
    try folder.expectError(["train", "--resume", "moved"], names: "small: no such folder")
    try folder.makeDigits("small", train: 51)
    try folder.expectError(
      ["train", "--resume", "moved"], names: "moved/checkpoints/",
      "the run learned from other data ([50, 28, 28]",
      "than are there now ([51, 28, 28]")
    try folder.remove("small")
    try FileManager.default.moveItem(at: folder.file("away"), to: folder.file("small"))
    #expect(try folder.run(["train", "--resume", "moved"]).status == 0)
    try expectWhole("moved", "with its data back")
  }
}
