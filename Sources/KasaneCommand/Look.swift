// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane info`
struct Info: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show the version, the engine and the machine.")

  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).") var threads: Int?

  func validate() throws { try validateThreads(threads) }

  func run() throws {
    try useThreads(threads)
    try output("version          \(kasaneVersion)")
    try output("engine           \(engine.description)")
    try output("instruction set  \(Machine.instructionSet)")
    try output("threads          \(Machine.threads)")
    try output("machine          \(Machine.description)")
    try output("memory           \(fixed(Double(Machine.memoryBytes) / 0x1p30, 1)) GiB")
  }
}

/// `kasane completions SHELL`
struct Completions: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a script that completes commands in a shell.")

  enum Shell: String, CaseIterable, ExpressibleByArgument { case bash, zsh, fish }

  @Argument(help: "The shell.") var shell: Shell

  func run() throws {
    try output(KasaneCommand.completionScript(for: CompletionShell(rawValue: shell.rawValue)!))
  }
}

/// `kasane show RUN`
struct Show: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Show a run's options, state and loss curve.")

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var folder: String
  @Option(help: ArgumentHelp("Draw this metric of the recipe's instead of the loss.", valueName: "name"))
  var metric: String?

  func run() throws {
    let run = try RunFolder.open(folder)
    let configuration = run.configuration
    let metrics = try Metric.read(run.metricsPath)
    let points = try metrics.points(of: metric, in: run)
    try output("\(configuration.recipe) in \(run.path)")
    try output("state    \(state(of: run))")
    try output(
      "options  \(configuration.options.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))"
    )
    try output("seed     \(configuration.seed)")
    try output("created  \(configuration.created)")
    try output(
      "by       kasane \(configuration.version), \(configuration.engine), \(configuration.instructionSet), \(configuration.threads) threads"
    )
    try output("machine  \(configuration.machine)")
    if let last = metrics.last {
      try output("loss     \(Chart.label(last.meanLoss)) (mean over the iterations to \(last.iteration))")
    }
    for name in Set(metrics.flatMap(\.others.keys)).sorted() {
      let last = metrics.last { $0.others[name] != nil }!
      try output("metric   \(name) \(Chart.label(last.others[name]!)) (at iteration \(last.iteration))")
    }
    guard points.count > 1 else { return }
    let curve = Chart.Curve(label: metric ?? "mean loss", points: points)
    var chart = Chart(
      title: configuration.recipe, xLabel: "iteration", yLabel: metric ?? "loss", curves: [curve])
    chart.startsAtZero = metric == nil
    try output("")
    try output(chart.terminal())
  }
}

extension [Metric] {
  /// The curve of a metric by its name, or that of the mean loss. Throws where the run has no such metric.
  func points(of name: String?, in run: RunFolder) throws -> [(x: Double, y: Double)] {
    guard let name else { return map { (x: Double($0.iteration), y: $0.meanLoss) } }
    let points = compactMap { metric in
      metric.others[name].map { (x: Double(metric.iteration), y: $0) }
    }
    guard !points.isEmpty else {
      let known = Set(flatMap(\.others.keys)).sorted().joined(separator: ", ")
      throw KasaneError(
        "--metric: \(run.metricsPath) has no metric \(name); known: \(known.isEmpty ? "none" : known)")
    }
    return points
  }
}

/// How far a run has come.
private func state(of run: RunFolder) -> String {
  if run.isFinished { return "finished" }
  return
    "stopped after \(run.checkpointIterations.last ?? 0) iterations; go on: \(calledAs) train --resume \(run.path)"
}

/// `kasane runs`
struct Runs: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List the runs in a folder.")

  @Argument(help: "The folder that holds the runs.", completion: .directory) var folder = "runs"

  func run() throws {
    guard Files.exists(folder) else {
      writeError("No runs: there is no folder \(folder)")
      return
    }
    for name in Files.names(in: folder) where Files.exists("\(folder)/\(name)/config.json") {
      do {
        let run = try RunFolder.open("\(folder)/\(name)")
        let last = try Metric.read(run.metricsPath).last
        let loss = last.map { "loss \(Chart.label($0.meanLoss))" } ?? "no metrics"
        let progress = run.isFinished ? "finished" : "stopped after \(run.checkpointIterations.last ?? 0)"
        try output(
          "\(run.path)  \(run.configuration.recipe)  seed \(run.configuration.seed)  \(progress)  \(loss)")
      } catch {
        writeError("Error: \(error)")
      }
    }
  }
}
