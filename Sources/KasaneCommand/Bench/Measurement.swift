// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane

/// The type that products and convolutions compute in.
enum BenchPrecision: String, CaseIterable, ExpressibleByArgument {
  case float32, bfloat16

  /// Runs `body` with products and convolutions in this type.
  func compute<Result>(_ body: () -> Result) -> Result {
    withPrecision(self == .bfloat16 ? .bfloat16 : .float32, body)
  }
}

/// What a workload was found to need, as a line for people or for programs.
struct Measurement {
  let name: String
  /// How it is computed, where there are several ways.
  let method: String?
  /// Milliseconds of one iteration.
  let best: Double
  let median: Double
  let precision: BenchPrecision
  let peakBytes: Int
  /// Operations on floating-point numbers in the products and convolutions of one iteration, two for each
  /// multiplication with its addition, or nil where they are not counted.
  let operations: Double?

  /// 10^9 of those operations a second.
  private var rate: Double? { operations.map { $0 / median * 1e-6 } }

  var json: String {
    var parts = ["\"name\":\"\(name)\""]
    if let method { parts.append("\"method\":\"\(method)\"") }
    parts.append("\"best_ms\":\(fixed(best, 6))")
    parts.append("\"median_ms\":\(fixed(median, 6))")
    parts.append("\"threads\":\(Machine.threads)")
    parts.append("\"precision\":\"\(precision)\"")
    parts.append("\"peak_bytes\":\(peakBytes)")
    if let rate { parts.append("\"gflops\":\(fixed(rate, 3))") }
    parts.append("\"version\":\"\(kasaneVersion)\"")
    return "{" + parts.joined(separator: ",") + "}"
  }

  var line: String {
    let title = method.map { "\(name) \($0)" } ?? name
    let isShort = median < 1
    func time(_ milliseconds: Double) -> String {
      isShort ? "\(fixed(milliseconds * 1000, 2)) us" : "\(fixed(milliseconds, 3)) ms"
    }
    var text = "\(title): \(time(best)) an iteration at best, \(time(median)) in the median, "
    text += "\(Machine.threads) threads, \(precision), \(fixed(Double(peakBytes) * 0x1p-20, 1)) MiB at most"
    if let rate { text += ", \(fixed(rate, 1)) GFLOP/s" }
    return text
  }
}
