// SPDX-License-Identifier: Apache-2.0

import Kasane

/// The costs of the core that every workload pays: one small operation, a tape, the search for parameters.
enum CoreBenchmark {
  static let name = "core"

  /// What one quantity costs, in nanoseconds of its unit.
  struct Result {
    let name: String
    let unit: String
    let best: Double
    let median: Double
  }

  /// A model with two hundred parameters.
  private struct Model: Module {
    let layers: [Linear]
  }

  static func results(seconds: Double) -> [Result] {
    let share = seconds / 6
    let x = Tensor(repeating: 0.5, shape: [16])
    var random = RandomGenerator(seed: 1)
    let model = Model(layers: (0..<100).map { _ in Linear(4, 4, using: &random) })
    return [
      measure("operation", unit: "operation", count: 1000, seconds: share) { chain(x, 1000) },
      measure("recorded-operation", unit: "operation", count: 1000, seconds: share) {
        _ = valueWithGradient(at: x) { x in
          chain(x, 1000)
          return withoutGradient { x.sum() }
        }
      },
      measure("tape-1000", unit: "node", count: 1000, seconds: share) {
        _ = valueWithGradient(at: x) { chain($0, 1000).sum() }
      },
      measure("tape-10000", unit: "node", count: 10_000, seconds: share) {
        _ = valueWithGradient(at: x) { chain($0, 10_000).sum() }
      },
      measure("parameters-200", unit: "walk with names", count: 1, seconds: share) { _ = model.parameters },
      measure("scope-200", unit: "gradient scope", count: 1, seconds: share) {
        _ = valueWithGradient(at: model) { _ in x.sum() }
      },
    ]
  }

  /// `count` operations, each on the value of the one before.
  @discardableResult
  private static func chain(_ x: Tensor, _ count: Int) -> Tensor {
    var y = x
    for _ in 0..<count { y = y * x }
    return y
  }

  private static func measure(
    _ name: String, unit: String, count: Int, seconds: Double, _ body: () -> Void
  ) -> Result {
    let times = Timing.sample(seconds: seconds, body).map { $0 * 1e6 / Double(count) }.sorted()
    return Result(name: name, unit: unit, best: times[0], median: times[times.count / 2])
  }
}
