// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

@Suite struct ScheduleTests {
  static let pyTorchs: [(name: String, schedule: Schedule)] = [
    ("step", .step(from: 0.4, factor: 0.5, interval: 30)),
    ("multi_step", .multiStep(from: 0.4, factor: 0.1, steps: [10, 50, 80])),
    ("exponential", .exponential(from: 0.4, factor: 0.97)),
    ("polynomial", .polynomial(from: 0.4, to: 0, power: 2, steps: 90)),
    ("linear", .linear(from: 0.4, to: 0.1, steps: 90)),
    ("restarts", .cosineWithRestarts(from: 0.4, to: 0.01, period: 25, growth: 1)),
    ("growing_restarts", .cosineWithRestarts(from: 0.4, to: 0.01, period: 10, growth: 2)),
    ("one_cycle", .oneCycle(peak: 0.4, steps: 120)),
    (
      "one_cycle_all",
      .oneCycle(peak: 0.4, steps: 120, warmUpShare: 0.45, initialDivisor: 10, finalDivisor: 100)
    ),
    (
      "warm_up",
      .cosineWithRestarts(from: 0.4, to: 0.01, period: 10, growth: 2).afterWarmUp(steps: 20, from: 0.1)
    ),
  ]

  /// PyTorch's rates (Tests/Fixtures/optimizers.py).
  @Test func ratesArePyTorchs() throws {
    let fixture = try OptimizerFixture()
    for (name, schedule) in Self.pyTorchs {
      let expected = fixture["schedule.\(name)"].elements(as: Double.self)
      for (step, rate) in expected.enumerated() {
        #expect(abs(schedule(step) - rate) <= 1e-12, "\(name), step \(step): \(schedule(step)), not \(rate)")
      }
    }
  }

  @Test func ratesByHand() {
    #expect(Schedule.constant(0.3)(1000) == 0.3)
    let cosine = Schedule.cosine(from: 1, to: 0.2, steps: 10)
    #expect(cosine(0) == 1 && abs(cosine(5) - 0.6) < 1e-15 && cosine(10) == 0.2 && cosine(11) == 0.2)
    let root = Schedule.inverseSquareRoot(peak: 2, warmUp: 4)
    #expect((0..<4).map { root($0) } == [0.5, 1, 1.5, 2])
    #expect(root(15) == 1 && root(63) == 0.5)
    let warm = Schedule.constant(1).afterWarmUp(steps: 4)
    #expect((0..<6).map { warm($0) } == [0, 0.25, 0.5, 0.75, 1, 1])
    #expect(Schedule.constant(1).afterWarmUp(steps: 0)(0) == 1)
  }

  @Test func schedulesAreSavedAndPrinted() throws {
    for (_, schedule) in Self.pyTorchs {
      let data = try JSONEncoder().encode(schedule)
      #expect(try JSONDecoder().decode(Schedule.self, from: data) == schedule)
      #expect(!schedule.description.isEmpty)
    }
    #expect(
      Schedule.cosine(from: 0.1, to: 0, steps: 1000).afterWarmUp(steps: 50).description
        == "cosine from 0.1 to 0.0 over 1000 steps after 50 steps of warm-up")
  }

  static let plateaus: [(name: String, make: @Sendable () -> PlateauSchedule, sign: Double)] = [
    ("default", { PlateauSchedule(rate: 0.5) }, 1),
    (
      "all",
      {
        PlateauSchedule(
          rate: 0.5, factor: 0.5, patience: 2, threshold: .absolute(0.002), cooldown: 3, minimum: 0.05)
      }, 1
    ),
    (
      "up",
      { PlateauSchedule(rate: 0.5, direction: .up, factor: 0.5, patience: 1, threshold: .relative(0.01)) }, -1
    ),
  ]

  @Test func plateausArePyTorchs() throws {
    let fixture = try OptimizerFixture()
    let numbers = fixture["plateau.numbers"].elements(as: Double.self)
    for (name, make, sign) in Self.plateaus {
      let expected = fixture["plateau.\(name)"].elements(as: Double.self)
      var plateau = make()
      for (index, number) in numbers.enumerated() {
        let rate = plateau.observe(sign * number)
        #expect(abs(rate - expected[index]) <= 1e-12, "\(name), observation \(index)")
        guard index % 7 == 3 else { continue }
        // Saved and taken up by another.
        let other = make()
        try other.restore(plateau.state, from: "memory")
        plateau = other
      }
    }
    #expect(throws: KasaneError.self) { try PlateauSchedule(rate: 1).restore([:], from: "file") }
    let damaged = ["plateau": Tensor([0.1, 0.2, -1, 0])]
    #expect(throws: KasaneError.self) { try PlateauSchedule(rate: 1).restore(damaged, from: "file") }
  }
}
