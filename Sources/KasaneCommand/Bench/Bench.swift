// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane bench NAME...`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time workloads.",
    discussion: """
      An iteration is a whole step of training, or a pass at inference, on data made beforehand.

      \(Self.everything): every workload of the suite, each in a process of its own:
      \(Workload.all.map { "  \($0.name): \($0.about)" }.joined(separator: "\n"))
      \(CoreBenchmark.name): what every workload pays: a small operation, a tape's node, the search for parameters.
      """)

  private static let everything = "all"
  private static let names = Workload.all.map(\.name) + [CoreBenchmark.name, everything]

  @Argument(help: "The workloads, or \(everything).", completion: .list(Bench.names)) var names: [String]
  @Option(help: "How the gradient of \(BinaryAddition.name) is found; without it, every way.")
  var method: BinaryAddition.Method?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Option(help: "Seconds to measure each for (above 0).") var seconds = 2.0
  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).") var threads: Int?
  @Option(help: "The type that products and convolutions compute in.")
  var precision = BenchPrecision.float32
  @Option(help: "Examples in one iteration (1 to 65536; default: the workload's own).") var batch: Int?
  @Option(help: "Steps of a sequence, where there are any (1 to 65536).") var length: Int?
  @Option(help: "Height and width of an image, where there is one (1 to 4096).") var image: Int?

  func validate() throws {
    for name in names where !Self.names.contains(name) {
      throw ValidationError(
        "NAME: unknown workload \(name); known: \(Self.names.joined(separator: ", "))")
    }
    guard method == nil || names == [BinaryAddition.name] else {
      throw ValidationError(
        "--method: only \(BinaryAddition.name) has methods, not \(names.joined(separator: ", "))")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds: \(seconds) is out of range, above 0 and at most 86400 expected")
    }
    try validateThreads(threads)
    if let batch { try require("--batch", batch, in: 1...65_536) }
    if let length { try require("--length", length, in: 1...65_536) }
    if let image { try require("--image", image, in: 1...4096) }
  }

  func run() throws {
    try useThreads(threads)
    let chosen = names.flatMap { $0 == Self.everything ? Workload.all.map(\.name) : [$0] }
    guard chosen.count == 1 else {
      for name in chosen { try measureApart(name) }
      return
    }
    let name = chosen[0]
    if name == CoreBenchmark.name {
      for result in CoreBenchmark.results(seconds: seconds) { try report(result) }
    } else if name == BinaryAddition.name {
      for method in method.map({ [$0] }) ?? BinaryAddition.Method.allCases {
        try measure(.binaryAddition(method), method: method.rawValue)
      }
    } else if let workload = Workload.all.first(where: { $0.name == name }) {
      try measure(workload)
    }
  }

  /// Measures a workload in a process of its own, so that what one leaves in memory does not count for the next.
  private func measureApart(_ name: String) throws {
    var arguments = ["bench", name, "--seconds=\(seconds)", "--precision=\(precision)"]
    arguments.append("--threads=\(Machine.threads)")
    if json { arguments.append("--json") }
    if let batch { arguments.append("--batch=\(batch)") }
    if let length { arguments.append("--length=\(length)") }
    if let image { arguments.append("--image=\(image)") }
    let status = try OwnProcess.run(arguments).status
    guard status == 0 else { throw KasaneError("bench: \(name) ended with status \(status)") }
  }

  private func measure(_ workload: Workload, method: String? = nil) throws {
    guard precision == .float32 else { throw KasaneError("--precision: only float32 can be computed yet") }
    if !PeakMemory.reset() { writeError("Note: the peak of memory is that of the whole process so far.") }
    let iteration = workload.make(WorkloadOptions(batch: batch, length: length, image: image))
    let times = Timing.sample(seconds: seconds, iteration).sorted()
    let result = Measurement(
      name: workload.name, method: method, best: times[0], median: times[times.count / 2],
      precision: precision, peakBytes: PeakMemory.bytes, operations: nil)
    try output(json ? result.json : result.line)
  }

  private func report(_ result: CoreBenchmark.Result) throws {
    if json {
      try output(
        "{\"name\":\"\(CoreBenchmark.name)\",\"quantity\":\"\(result.name)\",\"unit\":\"\(result.unit)\","
          + "\"best_ns\":\(fixed(result.best, 2)),\"median_ns\":\(fixed(result.median, 2)),"
          + "\"threads\":\(Machine.threads),\"version\":\"\(kasaneVersion)\"}")
    } else {
      try output(
        "\(result.name): \(fixed(result.median, 1)) ns for one \(result.unit) in the median, "
          + "\(fixed(result.best, 1)) at best")
    }
  }
}
