// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane predict RUN ...`
struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Use a run's trained network.",
    discussion: allRecipes.map { "\($0.name): \($0.predictionUsage)" }.joined(separator: "\n"))

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var folder: String
  @Argument(parsing: .allUnrecognized, help: "What to predict from; it depends on the recipe.")
  var words: [String] = []

  func run() throws {
    let run = try RunFolder.open(folder)
    try predict(try recipe(named: run.configuration.recipe, from: run.file("config.json")), run)
  }

  private func predict<R: Recipe>(_ type: R.Type, _ run: RunFolder) throws {
    for line in try trained(type, in: run).predict(words) { print(line) }
  }
}

/// `kasane evaluate RUN ...`
struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a run's trained network on fresh data.",
    discussion: "kasane evaluate RUN --help shows the options of the run's recipe.")

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var folder: String
  @Argument(parsing: .captureForPassthrough, help: "Options of the recipe.") var options: [String] = []

  func run() throws {
    let run = try RunFolder.open(folder)
    try evaluate(try recipe(named: run.configuration.recipe, from: run.file("config.json")), run)
  }

  private func evaluate<R: Recipe>(_ type: R.Type, _ run: RunFolder) throws {
    let options = try EvaluateRecipe<R>.parse(options).options
    for line in try trained(type, in: run).evaluate(options) { print(line) }
  }
}

/// A recipe's evaluation options as a command of their own, for their help text and their errors.
private struct EvaluateRecipe<R: Recipe>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "kasane evaluate RUN", abstract: "Measure a trained \(R.name) network.")
  }
  @OptionGroup var options: R.EvaluationOptions
}

/// `kasane recipes`
struct Recipes: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List what can be trained.")

  func run() {
    let width = allRecipes.map { $0.name.count }.max() ?? 0
    for recipe in allRecipes {
      print(recipe.name + String(repeating: " ", count: width - recipe.name.count + 2) + recipe.summary)
    }
  }
}

/// `kasane bench NAME`
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Time whole training iterations, the making of their data apart.")

  @Argument(help: "The recipe.", completion: .list(allRecipes.map { $0.name })) var name: String
  @Option(help: "How the gradient is found; without it, every way.") var method: BinaryAddition.Method?
  @Flag(help: "Print one JSON object a line.") var json = false
  @Option(help: "Seconds to measure for (above 0).") var seconds = 2.0
  @Option(help: "Threads (default: KASANE_THREADS, or one for each processor).") var threads: Int?

  func validate() throws {
    guard allRecipes.contains(where: { $0.name == name }) else {
      let known = allRecipes.map { $0.name }.joined(separator: ", ")
      throw ValidationError("NAME: unknown workload \(name); known: \(known)")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds: \(seconds) is out of range, above 0 and at most 86400 expected")
    }
    try validateThreads(threads)
  }

  func run() throws {
    try useThreads(threads)
    for method in method.map({ [$0] }) ?? BinaryAddition.Method.allCases {
      var options = try BinaryAddition.Options.parse(["--method", method.rawValue])
      options.method = method
      let times = try BinaryAddition(options, seed: 1).benchmark(seconds: seconds).sorted()
      let (best, median) = (times[0], times[times.count / 2])
      if json {
        print(
          "{\"name\":\"\(name)\",\"method\":\"\(method)\",\"best_ms\":\(fixed(best, 6)),"
            + "\"median_ms\":\(fixed(median, 6)),\"threads\":\(Machine.threads),"
            + "\"version\":\"\(kasaneVersion)\"}")
      } else {
        print(
          "\(name) \(method): \(fixed(best * 1000, 2)) us an iteration at best, "
            + "\(fixed(median * 1000, 2)) us in the median, \(Machine.threads) threads")
      }
    }
  }
}
