// SPDX-License-Identifier: Apache-2.0

import Kasane

/// One operation at one size, and what it has to do there at least.
struct OperationBenchmark: Sendable {
  static let name = "ops"

  /// The operation; a gradient has a name of its own.
  let operation: String
  /// The size, in words.
  let size: String
  /// Operations on floating-point numbers in products and convolutions, two for each multiplication with its addition.
  let operations: Double
  /// Bytes that must be read and written at least once.
  let bytes: Double
  /// Makes the operands and returns what runs the operation once.
  let make: @Sendable () -> () -> Void

  init(
    _ operation: String, _ size: String, operations: Double = 0, numbers: Int,
    make: @escaping @Sendable () -> () -> Void
  ) {
    (self.operation, self.size, self.operations, self.make) = (operation, size, operations, make)
    bytes = Double(4 * numbers)
  }

  /// Every operation that is measured, by families.
  static let all = products + convolutions + elementByElement + reductions + indexing + layers + updates

  /// What one of them costs, over the peaks.
  struct Result {
    let benchmark: OperationBenchmark
    let best: Double
    let median: Double
    let peaks: MachinePeaks
    let precision: BenchPrecision

    private var seconds: Double { median * 1e-3 }
    private var gigaflops: Double { benchmark.operations / seconds * 1e-9 }
    private var gigabytes: Double { benchmark.bytes / seconds * 1e-9 }
    /// The share of what the machine could do at best.
    private var roofline: Double {
      peaks.seconds(
        operations: benchmark.operations, bytes: benchmark.bytes,
        isHalf: precision == .bfloat16 && benchmark.operations > 0) / seconds
    }

    var line: String {
      let rate = benchmark.operations > 0 ? fixed(gigaflops, 1) : "-"
      return BenchTable.row([
        benchmark.operation, benchmark.size, fixed(median * 1000, 2), rate, fixed(gigabytes, 1),
        fixed(roofline * 100, 1) + " %",
      ])
    }

    var json: String {
      "{\"name\":\"\(OperationBenchmark.name)\",\"operation\":\"\(benchmark.operation)\",\"size\":\"\(benchmark.size)\","
        + "\"best_ms\":\(fixed(best, 6)),\"median_ms\":\(fixed(median, 6)),\"gflops\":\(fixed(gigaflops, 3)),"
        + "\"gbs\":\(fixed(gigabytes, 3)),\"roofline\":\(fixed(roofline, 6)),\"threads\":\(Machine.threads),"
        + "\"precision\":\"\(precision)\",\"version\":\"\(kasaneVersion)\"}"
    }
  }

  /// Measures it for the given time.
  func result(seconds: Double, peaks: MachinePeaks, precision: BenchPrecision) -> Result {
    let times = precision.compute { Timing.sample(seconds: seconds, make()).sorted() }
    return Result(
      benchmark: self, best: times[0], median: times[times.count / 2], peaks: peaks, precision: precision)
  }
}

/// The table that people see.
enum BenchTable {
  static let head = row(["operation", "size", "us", "GFLOP/s", "GB/s", "roofline"])

  static func row(_ cells: [String]) -> String {
    let widths = [29, 34, 12, 9, 9, 9]
    var line = ""
    for (index, (cell, width)) in zip(cells, widths).enumerated() {
      let padding = String(repeating: " ", count: max(1, width - cell.count))
      line += index < 2 ? cell + padding : padding + cell
    }
    return line
  }
}

// MARK: Operands

/// Numbers of the standard normal distribution.
func normal(_ shape: Shape) -> Tensor {
  var random = RandomGenerator(seed: 1)
  return Tensor(normal: shape, using: &random)
}

/// Whole numbers below a bound.
func indices(_ shape: Shape, below bound: Int) -> Tensor {
  var random = RandomGenerator(seed: 2)
  return Tensor(uniform: shape, in: 0..<bound, using: &random)
}
