// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

extension TemporaryFolder {
  /// Writes text to a file.
  func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

  /// Writes a text of some words that repeat themselves in an order that can be learned.
  func makeText(_ name: String = "corpus.txt", sentences: Int = 60) throws {
    let lines = ["The cat sat on the mat.", "The dog ran to the cat!", "A bird sang in the tree, she said."]
    try write((0..<sentences).map { lines[$0 % 3] + "\n" }.joined(), to: name)
  }

  /// Runs a training that must succeed.
  func trainText(_ arguments: [String]) throws {
    let outcome = try run(arguments)
    guard outcome.status == 0 else { throw KasaneError(outcome.stderr) }
  }

  /// Runs `kasane` with the given standard input.
  func run(_ arguments: [String], input: String) throws -> Outcome {
    try write(input, to: ".input")
    defer { try? remove(".input") }
    return try start(arguments, input: file(".input")).finish()
  }

  /// Stops a run by a signal after a number of reports, and goes on with it to its end, whose outcome is returned.
  @discardableResult
  func stopAndResume(
    _ run: String, _ arguments: [String], by signal: Int32, after reports: Int
  ) throws -> Outcome {
    let command = try start(arguments)
    #expect(command.wait { command.stdout.components(separatedBy: "  iteration ").count > reports })
    command.send(signal)
    let stopped = command.finish()
    let expected = signal == SIGKILL ? -SIGKILL : 128 + signal
    #expect(stopped.status == expected || stopped.status == 0, "\(stopped.stderr)")
    let resumed = try self.run(["train", "--resume", run])
    #expect(resumed.status == 0, "\(resumed.stderr)")
    return resumed
  }

  /// The losses and judgements of a run.
  func losses(_ run: String) throws -> [[Double?]] {
    struct Line: Decodable {
      let loss, mean_loss: Double
      let validation_loss: Double?
    }
    return try text("\(run)/metrics.jsonl").split(separator: "\n").map {
      let line = try JSONDecoder().decode(Line.self, from: Data($0.utf8))
      return [line.loss, line.mean_loss, line.validation_loss]
    }
  }
}
