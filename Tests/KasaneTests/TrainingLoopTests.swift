// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// The loop with a recipe that measures something of its own, and that learns from data.
@Suite struct TrainingLoopTests {
  private struct Scale: Layer {
    let factor = Parameter(Tensor([1] as [Float]))
    func callAsFunction(_ x: Tensor) -> Tensor { x * factor.value }
  }

  private final class Falling: Trainable {
    let model = Scale()
    let optimizer: any Optimizer = SGD(learningRate: 0.1)
    let iterations = 12
    var random = RandomGenerator(seed: 1)
    var dataFingerprint: String?
    var bad: Int?
    var judgements: [Int: Double] = [:]
    var patience: Int?

    func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
      let (loss, gradients) = valueWithGradient(at: model) { square($0(Tensor(2 as Float))).sum() }
      optimizer.update(model, along: gradients)
      var step = TrainingStep(loss: loss.scalar, text: reporting ? "report" : nil)
      // Not in step with the reports.
      if iteration % 5 == 3 {
        step.metrics = ["accuracy": 1 - 1 / Double(iteration), "other": Double(iteration)]
      }
      step.judgement = judgements[iteration]
      if iteration == bad { step.metrics = ["accuracy": .nan] }
      return step
    }
  }

  private let folder = FileManager.default.temporaryDirectory.appending(
    path: "kasane-loop-\(UUID().uuidString)")

  private func makeRun() throws -> RunFolder {
    let configuration = RunConfiguration(
      recipe: "falling", options: [:], seed: 1, printEvery: 4, checkpointEvery: 6)
    return try RunFolder.create(at: folder.path, configuration)
  }

  private func train(_ subject: Falling, in run: RunFolder) throws {
    let loop = TrainingLoop(subject, in: run)
    let checkpoint = try loop.restore()
    let listeners: [any TrainingListener] = [
      try MetricsWriter(run, after: checkpoint), try TensorBoardListener(run, after: checkpoint),
    ]
    #expect(try loop.train(listeners: listeners) == .finished)
  }

  @Test func namedMetricsAreRecordedWhereverTheyAre() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try makeRun()
    try train(Falling(), in: run)
    let metrics = try Metric.read(run.metricsPath)
    #expect(metrics.map(\.iteration) == [0, 3, 4, 8])
    #expect(metrics[1].others == ["accuracy": 1 - 1.0 / 3, "other": 3])
    #expect(metrics[3].others == ["accuracy": 0.875, "other": 8] && metrics[0].others.isEmpty)
    // Beside the rest of the line.
    let lines = String(decoding: try Files.read(run.metricsPath), as: UTF8.self).split(separator: "\n")
    #expect(lines[3].hasPrefix("{\"accuracy\":0.875,\"iteration\":8,\"loss\":"))
    #expect(!lines[0].contains("other"))
    let events = try Data(contentsOf: URL(filePath: try #require(run.eventsPath)))
    for tag in ["accuracy", "other", "mean_loss"] { #expect(events.range(of: Data(tag.utf8)) != nil) }
  }

  @Test func theBestWeightsAreKeptAndARunMayEndEarly() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try makeRun()
    func subject(_ patience: Int?) -> Falling {
      let subject = Falling()
      subject.judgements = [1: 3, 3: 1, 5: 2, 7: 1, 9: 0.5]
      subject.patience = patience
      return subject
    }
    // Two that are no better: the run ends after iteration 7 with the weights after iteration 3.
    try train(subject(2), in: run)
    #expect(run.checkpointIterations == [0, 6, 8])
    #expect(try Files.read(run.modelPath) == Files.read(run.bestPath))
    let best = Falling()
    for iteration in 0..<4 { _ = best.step(iteration, reporting: false) }
    let kept = try Safetensors(contentsOf: run.modelPath).tensors["factor"]
    #expect(kept?.elements(as: Float.self) == best.model.factor.value.elements(as: Float.self))
    // A run that goes on remembers: from the checkpoint after 6 iterations one failure is known already.
    let whole = try Files.read(run.modelPath)
    for path in [run.modelPath, run.checkpointPath(8)] { try FileManager.default.removeItem(atPath: path) }
    try train(subject(2), in: run)
    #expect(try run.checkpointIterations == [0, 6, 8] && Files.read(run.modelPath) == whole)
    // And one that was over does nothing more.
    try FileManager.default.removeItem(atPath: run.modelPath)
    try train(subject(2), in: run)
    #expect(try run.checkpointIterations == [0, 6, 8] && Files.read(run.modelPath) == whole)
  }

  @Test func aMetricThatIsNoNumberStopsTheRun() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try makeRun()
    let subject = Falling()
    subject.bad = 7
    let loop = TrainingLoop(subject, in: run)
    let error = #expect(throws: KasaneError.self) { try loop.train(listeners: []) }
    #expect(error?.description.contains("training diverged at iteration 7: accuracy is nan") == true)
  }

  @Test func otherDataAreRefused() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let run = try makeRun()
    let subject = Falling()
    subject.dataFingerprint = "[5] abc"
    try train(subject, in: run)
    let path = run.checkpointPath(12)
    for (now, isRefused) in [("[5] abc", false), ("[5] abd", true), (nil, false)] {
      let again = Falling()
      again.dataFingerprint = now
      let loop = TrainingLoop(again, in: run)
      if isRefused {
        let error = #expect(throws: KasaneError.self) { try loop.restore() }
        #expect(
          error?.description
            == "\(path): the run learned from other data ([5] abc) than are there now ([5] abd)")
      } else {
        #expect(try loop.restore()?.completed == 12)
      }
    }
  }
}
