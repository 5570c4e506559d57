// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane train RECIPE` and `kasane train --resume RUN`.
struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe in a new run folder, or go on with a run that was stopped.",
    discussion: "kasane train RECIPE --help shows a recipe's options.",
    subcommands: allRecipes.map { trainCommand($0) })

  private static func trainCommand<R: Recipe>(_ type: R.Type) -> any ParsableCommand.Type {
    TrainRecipe<R>.self
  }

  @Option(help: ArgumentHelp("Go on with this run.", valueName: "run"))
  var resume: String?

  func run() throws {
    guard let resume else {
      let names = allRecipes.map { $0.name }.joined(separator: ", ")
      throw ValidationError("a recipe (\(names)) or --resume RUN expected")
    }
    let run = try RunFolder.open(resume)
    try resumeRun(try recipe(named: run.configuration.recipe, from: run.file("config.json")), run)
  }

  private func resumeRun<R: Recipe>(_ type: R.Type, _ run: RunFolder) throws {
    try run.acquire()
    guard !run.isFinished else {
      writeError("\(run.path) is finished: its model is \(run.modelPath)")
      return
    }
    if Machine.instructionSet != run.configuration.instructionSet {
      writeError(
        "Note: the run began with \(run.configuration.instructionSet) kernels, this machine has "
          + "\(Machine.instructionSet); the last bits of results may differ.")
    }
    Machine.threads = run.configuration.threads
    let subject = try R.initial(for: run)
    try subject.prepare()
    try train(subject, in: run)
  }
}

extension Precision: ExpressibleByArgument {}

/// What every recipe's run can be told.
struct RunOptions: ParsableArguments {
  @Option(help: "Seed of everything random; drawn and printed when not given.")
  var seed: UInt64?
  @Option(help: "Iterations from one report to the next (1 or more).")
  var printEvery = 100
  @Option(help: "Iterations from one checkpoint to the next (1 or more).")
  var checkpointEvery = 1000
  @Option(
    help: ArgumentHelp("Run folder to make (default: runs/RECIPE-N).", valueName: "dir"),
    completion: .directory)
  var output: String?
  @Option(help: "The type that products and convolutions compute in.")
  var precision = Precision.float32
  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).")
  var threads: Int?

  func validate() throws {
    try require("--print-every", printEvery, in: 1...Int.max)
    try require("--checkpoint-every", checkpointEvery, in: 1...Int.max)
    try validateThreads(threads)
    if let output, output.isEmpty { throw ValidationError("--output: empty, a folder's path expected") }
  }
}

/// One recipe's training command.
struct TrainRecipe<R: Recipe>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: R.name, abstract: R.summary)
  }

  @OptionGroup(title: "Recipe options") var options: R.Options
  @OptionGroup(title: "Run options") var settings: RunOptions

  func run() throws {
    try useThreads(settings.threads)
    let seed = settings.seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
    let configuration = RunConfiguration(
      recipe: R.name, options: try options.values(), seed: seed, printEvery: settings.printEvery,
      checkpointEvery: settings.checkpointEvery, precision: settings.precision)
    let subject = try R(options, seed: seed)
    try subject.prepare()
    let folder = try RunFolder.create(at: settings.output ?? RunFolder.freshPath(for: R.name), configuration)
    try subject.keepFiles(in: folder)
    writeError("Training \(R.name) with seed \(seed) in \(folder.path)")
    for line in subject.openingLines() { writeError(line) }
    try train(subject, in: folder)
  }
}

/// Trains from the run's last checkpoint, where it has one, with the listeners of the command line, and says how it
/// ended.
private func train<R: Recipe>(_ subject: R, in run: RunFolder) throws {
  let loop = TrainingLoop(subject, in: run)
  let checkpoint = try loop.restore()
  let terminal = TerminalListener(to: subject)
  let listeners: [any TrainingListener] = [
    try MetricsWriter(run, after: checkpoint), try TensorBoardListener(run, after: checkpoint), terminal,
    ChartListener(run),
  ]
  let outcome: TrainingOutcome
  do {
    outcome = try loop.train(listeners: listeners)
  } catch {
    terminal.clearBar()
    throw error
  }
  terminal.clearBar()
  switch outcome {
  case .finished:
    let best = loop.bestJudgement
    for line in subject.closingLines(run: run.path, command: calledAs, best: best) { writeError(line) }
    writeError("          \(calledAs) show \(run.path)")
    writeError(
      "The run is kept in \(run.path) (model.safetensors, metrics.jsonl, loss.svg, TensorBoard events)")
  case .interrupted(let signal, let completed):
    writeError("Stopped after \(completed) iterations; the state is saved. Go on with:")
    writeError("  \(calledAs) train --resume \(run.path)")
    throw ExitCode(128 + signal)
  }
}
