// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane bench NAME`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time whole training iterations, the making of their data apart.")

  @Argument(help: "The workload.", completion: .list([BinaryAddition.name])) var name: String
  @Option(help: "How the gradient is found; without it, every way.") var method: BinaryAddition.Method?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Option(help: "Seconds to measure for (above 0).") var seconds = 2.0
  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).") var threads: Int?

  func validate() throws {
    guard name == BinaryAddition.name else {
      throw ValidationError("NAME: unknown workload \(name); known: \(BinaryAddition.name)")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds: \(seconds) is out of range, above 0 and at most 86400 expected")
    }
    try validateThreads(threads)
  }

  func run() throws {
    try useThreads(threads)
    for method in method.map({ [$0] }) ?? BinaryAddition.Method.allCases {
      let options = try BinaryAddition.Options.parse(["--method", method.rawValue])
      let times = try BinaryAddition(options, seed: 1).benchmark(seconds: seconds).sorted()
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
  }
}
