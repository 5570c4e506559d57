// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// Optimizer, schedules and averages go on through a run's checkpoints to the same bits.
@Suite struct ResumedTrainingTests {
  private final class Subject: Trainable {
    let model: Linear
    let optimizer: any Optimizer
    let iterations: Int
    var random = RandomGenerator(seed: 1, stream: 1)
    let average: ExponentialMovingAverage
    let plateau = PlateauSchedule(rate: 0.1, factor: 0.7, patience: 1)
    let schedule = Schedule.cosine(from: 1, to: 0.1, steps: 20).afterWarmUp(steps: 3)
    var companions: [String: any Checkpointed] { ["average": average, "plateau": plateau] }

    init(iterations: Int, _ optimizer: any Optimizer) {
      var weights = RandomGenerator(seed: 1)
      model = Linear(3, 2, using: &weights)
      self.optimizer = optimizer
      self.iterations = iterations
      average = ExponentialMovingAverage(of: model, decay: 0.9)
    }

    func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
      let x = Tensor(normal: [4, 3], using: &random)
      var (loss, gradients) = valueWithGradient(at: model) { square($0(x)).mean() }
      gradients.clip(toNorm: 1)
      optimizer.learningRate = schedule(iteration) * plateau.rate
      optimizer.update(model, along: gradients)
      average.update()
      plateau.observe(loss.scalar)
      return TrainingStep(loss: loss.scalar)
    }

    var everything: [String] {
      let all = [model.tensors, optimizer.state(of: model), average.state, plateau.state]
      return all.flatMap { $0.map { "\($0) \($1)" }.sorted() } + ["\(random)"]
    }
  }

  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/kasane-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func configuration() -> RunConfiguration {
    RunConfiguration(recipe: "test", options: [:], seed: 1, printEvery: 100, checkpointEvery: 1000)
  }

  @Test(arguments: OptimizerCase.all)
  func resumedRunsAreThoseThatWereNotStopped(_ test: OptimizerCase) throws {
    try inFolder { folder in
      let whole = Subject(iterations: 17, test.make())
      let wholeRun = try RunFolder.create(at: folder + "/whole", configuration())
      #expect(try TrainingLoop(whole, in: wholeRun).train(listeners: []) == .finished)

      let run = try RunFolder.create(at: folder + "/stopped", configuration())
      _ = try TrainingLoop(Subject(iterations: 7, test.make()), in: run).train(listeners: [])
      let resumed = Subject(iterations: 17, test.make())
      let loop = TrainingLoop(resumed, in: run)
      #expect(try loop.restore()?.completed == 7)
      #expect(try loop.train(listeners: []) == .finished)
      #expect(resumed.everything == whole.everything)
    }
  }

  /// A checkpoint of another optimizer is refused with the file's name and every name that does not fit.
  @Test func otherOptimizersAreRefused() throws {
    try inFolder { folder in
      let run = try RunFolder.create(at: folder + "/run", configuration())
      _ = try TrainingLoop(Subject(iterations: 2, Adam()), in: run).train(listeners: [])
      #expect {
        _ = try TrainingLoop(Subject(iterations: 4, Adadelta()), in: run).restore()
      } throws: { error in
        let text = "\(error)"
        return text.contains(run.checkpointPath(2)) && text.contains("weight.changes is missing")
          && text.contains("bias.changes is missing") && text.contains("weight.mean is unexpected")
          && !text.contains("\n")
      }
    }
  }
}
