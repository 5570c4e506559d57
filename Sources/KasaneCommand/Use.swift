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
    let (words, options) = try PredictRecipe<R>.parsed(words)
    let subject = try trained(type, in: run)
    guard R.predictsLines && words.isEmpty else {
      for line in try subject.predict(words, with: options) { try output(line) }
      return
    }
    var (answered, failed) = (0, 0)
    while let line = readLine() {
      // A line that cannot be answered says why and does not end the conversation.
      do {
        for answer in try subject.predict([line], with: options) { try output(answer) }
        answered += 1
      } catch let error as KasaneError {
        writeError("Error: \(error)")
        failed += 1
      }
    }
    if failed > 0 { throw ExitCode(1) }
    if answered == 0 {
      throw KasaneError("predict: nothing on standard input, \(R.predictionUsage) expected in each line")
    }
  }
}

/// What stands after a run's folder, where the recipe has prediction options: its words and these options.
struct PredictRecipe<R: Recipe>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "kasane predict RUN", abstract: "Use a trained \(R.name) network.")
  }
  @Argument(help: ArgumentHelp("\(R.predictionUsage).", valueName: "words")) var words: [String] = []
  @OptionGroup var options: R.PredictionOptions

  static func parsed(_ words: [String]) throws -> ([String], R.PredictionOptions) {
    if let none = NoOptions() as? R.PredictionOptions { return (words, none) }
    do {
      let command = try parse(words)
      return (command.words, command.options)
    } catch {
      exit(withError: error)
    }
  }
}

/// `kasane evaluate RUN ...`
struct Evaluate: ParsableCommand {
  // Help is asked for among the recipe's own options once a run is named, so the parser must not answer first.
  static let configuration = CommandConfiguration(
    abstract: "Measure a run's trained network on fresh data.",
    usage: "kasane evaluate <run> [<options>]",
    discussion: "kasane evaluate RUN --help shows the options of the run's recipe.",
    helpNames: [])

  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("The run's folder, then the options of its recipe.", valueName: "run"),
    completion: .directory)
  var words: [String] = []

  func run() throws {
    guard let folder = words.first, !folder.hasPrefix("-") else {
      if ["-h", "--help"].contains(words.first) {
        try output(KasaneCommand.helpMessage(for: Evaluate.self))
        return
      }
      throw ValidationError("a run's folder expected, \(words.first ?? "nothing") found")
    }
    let options = Array(words.dropFirst())
    let run = try RunFolder.open(folder)
    try evaluate(
      try recipe(named: run.configuration.recipe, from: run.file("config.json")), run, options)
  }

  private func evaluate<R: Recipe>(_ type: R.Type, _ run: RunFolder, _ words: [String]) throws {
    let options = try EvaluateRecipe<R>.options(from: words)
    for line in try trained(type, in: run).evaluate(options) { try output(line) }
  }
}

/// A recipe's evaluation options as a command of their own, for their help text and their errors.
private struct EvaluateRecipe<R: Recipe>: ParsableCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: "kasane evaluate RUN", abstract: "Measure a trained \(R.name) network.")
  }
  @OptionGroup var options: R.EvaluationOptions

  static func options(from words: [String]) throws -> R.EvaluationOptions {
    do {
      return try parse(words).options
    } catch {
      exit(withError: error)
    }
  }
}

/// `kasane recipes`
struct Recipes: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "List what can be trained.")

  func run() throws {
    let width = allRecipes.map { $0.name.count }.max() ?? 0
    for recipe in allRecipes {
      try output(recipe.name + String(repeating: " ", count: width - recipe.name.count + 2) + recipe.summary)
    }
  }
}
