// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane bench NAME`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time a workload.",
    discussion: """
      \(BinaryAddition.name): whole training iterations of the exercise, the making of their data apart.
      \(CoreBenchmark.name): what every workload pays: a small operation, a tape's node, the search for parameters.
      """)

  private static let names = [BinaryAddition.name, CoreBenchmark.name]

  @Argument(help: "The workload.", completion: .list(Bench.names)) var name: String
  @Option(help: "How the gradient of \(BinaryAddition.name) is found; without it, every way.")
  var method: BinaryAddition.Method?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Option(help: "Seconds to measure for (above 0).") var seconds = 2.0
  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).") var threads: Int?

  func validate() throws {
    guard Self.names.contains(name) else {
      throw ValidationError(
        "NAME: unknown workload \(name); known: \(Self.names.joined(separator: ", "))")
    }
    guard method == nil || name == BinaryAddition.name else {
      throw ValidationError("--method: only \(BinaryAddition.name) has methods, \(name) has none")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds: \(seconds) is out of range, above 0 and at most 86400 expected")
    }
    try validateThreads(threads)
  }

  func run() throws {
    try useThreads(threads)
    if name == CoreBenchmark.name {
      for result in CoreBenchmark.results(seconds: seconds) { try report(result) }
      return
    }
    for method in method.map({ [$0] }) ?? BinaryAddition.Method.allCases {
      let options = try BinaryAddition.Options.parse(["--method", method.rawValue])
      try report(method, try BinaryAddition(options, seed: 1).benchmark(seconds: seconds).sorted())
    }
  }

  private func report(_ method: BinaryAddition.Method, _ times: [Double]) throws {
    let (best, median) = (times[0], times[times.count / 2])
    if json {
      try output(
        "{\"name\":\"\(name)\",\"method\":\"\(method)\",\"best_ms\":\(fixed(best, 6)),"
          + "\"median_ms\":\(fixed(median, 6)),\"threads\":\(Machine.threads),"
          + "\"version\":\"\(kasaneVersion)\"}")
    } else {
      try output(
        "\(name) \(method): \(fixed(best * 1000, 2)) us an iteration at best, "
          + "\(fixed(median * 1000, 2)) us in the median, \(Machine.threads) threads")
    }
  }

  private func report(_ result: CoreBenchmark.Result) throws {
    if json {
      try output(
        "{\"name\":\"\(name)\",\"quantity\":\"\(result.name)\",\"unit\":\"\(result.unit)\","
          + "\"best_ns\":\(fixed(result.best, 2)),\"median_ns\":\(fixed(result.median, 2)),"
          + "\"threads\":\(Machine.threads),\"version\":\"\(kasaneVersion)\"}")
    } else {
      try output(
        "\(result.name): \(fixed(result.median, 1)) ns for one \(result.unit) in the median, "
          + "\(fixed(result.best, 1)) at best")
    }
  }
}
