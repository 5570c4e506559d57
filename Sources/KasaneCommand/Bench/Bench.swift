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
      \(OperationBenchmark.name): each operation over its roofline, for a tenth of the seconds.
      \(CoreBenchmark.name): what every workload pays: a small operation, a tape's node, the search for parameters.
      \(Self.startUp): the whole program, from its start to its end after the first step of training.
      \(Self.peaks): the arithmetic and the memory that rooflines are drawn with.
      """)

  private static let everything = "all"
  private static let peaks = "peaks"
  private static let startUp = "startup"
  private static let others = [OperationBenchmark.name, CoreBenchmark.name, startUp, peaks]
  private static let names = Workload.all.map(\.name) + others + [everything]

  @Argument(help: "The workloads, or \(everything).", completion: .list(Bench.names)) var names: [String]
  @Option(help: "How the gradient of \(BinaryAddition.name) is found; without it, every way.")
  var method: BinaryAddition.Method?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Flag(
    help: "Show where the time goes: each primitive of the engine, forward and backward, over its roofline.")
  var profile = false
  @Flag(help: "With --profile: each combination of shapes apart.") var shapes = false
  @Option(help: "Seconds to measure each for (above 0).") var seconds = 2.0
  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).") var threads: Int?
  @Option(help: "The type that products and convolutions compute in.")
  var precision = BenchPrecision.float32
  @Option(help: "Examples in one iteration (1 to 65536; default: the workload's own).") var batch: Int?
  @Option(help: "Steps of a sequence, where there are any (1 to 65536).") var length: Int?
  @Option(help: "Height and width of an image, where there is one (1 to 4096).") var image: Int?

  // How a process finds out what another one is to write beside its times.
  @Flag(help: .hidden) var countOperations = false

  func validate() throws {
    for name in names where !Self.names.contains(name) {
      throw ValidationError(
        "NAME: unknown workload \(name); known: \(Self.names.joined(separator: ", "))")
    }
    guard method == nil || names == [BinaryAddition.name] else {
      throw ValidationError(
        "--method: only \(BinaryAddition.name) has methods, not \(names.joined(separator: ", "))")
    }
    guard profile || !shapes else { throw ValidationError("--shapes: goes with --profile") }
    if profile, let name = names.first(where: Self.others.contains) {
      throw ValidationError("--profile: \(name) is no workload")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds: \(seconds) is out of range, above 0 and at most 86400 expected")
    }
    try validateThreads(threads)
    if let batch { try require("--batch", batch, in: 1...65_536) }
    if let length { try require("--length", length, in: 1...65_536) }
    if let image {
      try require("--image", image, in: 1...4096)
      let chosen = Workload.all.filter { names.contains($0.name) || names.contains(Self.everything) }
      if let limit = chosen.max(by: { $0.smallestImage < $1.smallestImage }), image < limit.smallestImage {
        throw ValidationError(
          "--image: \(image) is too small for \(limit.name), \(limit.smallestImage) or more expected")
      }
    }
  }

  func run() throws {
    try useThreads(threads)
    let chosen = names.flatMap { $0 == Self.everything ? Workload.all.map(\.name) : [$0] }
    guard chosen.count == 1 else { return try measureApart(chosen) }
    let name = chosen[0]
    if name == CoreBenchmark.name {
      for result in CoreBenchmark.results(seconds: seconds) { try report(result) }
    } else if name == OperationBenchmark.name {
      try measureOperations()
    } else if name == Self.startUp {
      try measureStartUp()
    } else if name == Self.peaks {
      try report(MachinePeaks(half: precision == .bfloat16))
    } else if name == BinaryAddition.name {
      for method in method.map({ [$0] }) ?? BinaryAddition.Method.allCases {
        try measure(.binaryAddition(method), method: method.rawValue)
      }
    } else if let workload = Workload.all.first(where: { $0.name == name }) {
      try measure(workload)
    }
  }

  /// Measures each workload in a process of its own, so that what one leaves in memory does not count for the next.
  /// One that fails does not keep the others from being measured.
  private func measureApart(_ names: [String]) throws {
    var failed: [String] = []
    for name in names {
      var arguments = ["bench", name, "--seconds=\(seconds)"] + sizes
      if json { arguments.append("--json") }
      if profile { arguments.append("--profile") }
      if shapes { arguments.append("--shapes") }
      let status = try OwnProcess.run(arguments).status
      if status != 0 { failed.append("\(name) ended with status \(status)") }
    }
    guard failed.isEmpty else { throw KasaneError("bench: \(failed.joined(separator: ", "))") }
  }

  /// What another process needs to do the same iteration.
  private var sizes: [String] {
    var arguments = ["--precision=\(precision)", "--threads=\(Machine.threads)"]
    if let batch { arguments.append("--batch=\(batch)") }
    if let length { arguments.append("--length=\(length)") }
    if let image { arguments.append("--image=\(image)") }
    return arguments
  }

  private func measure(_ workload: Workload, method: String? = nil) throws {
    let make = {
      let iterate = workload.make(WorkloadOptions(batch: batch, length: length, image: image))
      return { precision.compute(iterate) }
    }
    if countOperations { return try output("\(operations(of: make()))") }
    let name = [workload.name] + (method.map { ["--method=\($0)"] } ?? [])
    if profile {
      guard let engineProfile else {
        let arguments = ["bench"] + name + ["--profile", "--seconds=\(seconds)"] + sizes
        let status = try OwnProcess.run(
          arguments + (json ? ["--json"] : []),
          environment: ["KASANE_PROFILE": shapes ? "shapes" : "operations"]
        ).status
        guard status == 0 else { throw KasaneError("bench: \(workload.name) ended with status \(status)") }
        return
      }
      let report = ProfileReport(
        name: workload.name, method: method, precision: precision, seconds: seconds, profile: engineProfile,
        make: make)
      for line in json ? report.json : report.lines { try output(line) }
      return
    }
    // Before anything is in memory here.
    let operations = try countedOperations(name)
    if !PeakMemory.reset() { writeError("Note: the peak of memory is that of the whole process so far.") }
    let times = Timing.sample(seconds: seconds, make()).sorted()
    let result = Measurement(
      name: workload.name, method: method, best: times[0], median: times[times.count / 2],
      precision: precision, peakBytes: PeakMemory.bytes, operations: operations)
    try output(json ? result.json : result.line)
  }

  /// The operations of one iteration as a process counts them whose engine keeps a profile: where times are taken there
  /// is none. Nil where there are none to count.
  private func countedOperations(_ name: [String]) throws -> Double? {
    let (status, text) = try OwnProcess.run(
      ["bench"] + name + ["--count-operations"] + sizes, environment: ["KASANE_PROFILE": "operations"],
      capturing: true)
    guard status == 0, let count = Double(text.prefix { $0 != "\n" }) else {
      throw KasaneError("bench: \(name[0]) ended with status \(status)")
    }
    return count > 0 ? count : nil
  }

  private func operations(of iteration: () -> Void) -> Double {
    guard let engineProfile else { return 0 }
    engineProfile.start()
    iteration()
    engineProfile.stop()
    return engineProfile.entries.values.reduce(0) { $0 + $1.operations }
  }

  /// Times programs of their own that do one step of training.
  private func measureStartUp() throws {
    // Without what this program has set for its own sake at its start.
    let start = {
      try OwnProcess.run(
        [
          "bench", BinaryAddition.name, "--method=fused", "--count-operations",
          "--threads=\(Machine.threads)",
        ],
        environment: ["GOMP_SPINCOUNT": nil], capturing: true)
    }
    guard try start().status == 0 else {
      throw KasaneError("bench: \(BinaryAddition.name) cannot be started")
    }
    let times = Timing.sample(seconds: seconds) { _ = try? start() }.sorted()
    let (best, median) = (times[0], times[times.count / 2])
    if json {
      try output(
        "{\"name\":\"\(Self.startUp)\",\"best_ms\":\(fixed(best, 6)),\"median_ms\":\(fixed(median, 6)),"
          + "\"threads\":\(Machine.threads),\"version\":\"\(kasaneVersion)\"}")
    } else {
      try output("\(Self.startUp): \(fixed(best, 1)) ms at best, \(fixed(median, 1)) ms in the median")
    }
  }

  private func measureOperations() throws {
    let peaks = MachinePeaks(half: precision == .bfloat16)
    try report(peaks)
    if !json { try output(BenchTable.head) }
    for benchmark in OperationBenchmark.all {
      let result = benchmark.result(seconds: seconds / 10, peaks: peaks, precision: precision)
      try output(json ? result.json : result.line)
    }
  }

  private func report(_ peaks: MachinePeaks) throws {
    try output(json ? peaks.json(name: Self.peaks, precision: precision) : "peaks: \(peaks.text)")
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
