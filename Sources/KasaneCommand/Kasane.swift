// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The command line.
@main
struct KasaneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kasane",
    abstract: "Deep learning for Swift: train, evaluate and use the classic networks.",
    version: kasaneVersion,
    subcommands: [
      Train.self, Predict.self, Chat.self, Embed.self, Words.self, Tokenize.self, Tokenize.self,
      Evaluate.self, Show.self, Runs.self,
      Plot.self,
      Report.self, DataSets.self,
      Recipes.self,
      Bench.self, Info.self, Completions.self,
    ])

  /// Parses, runs, and turns an error into one line and an exit status: 64 for usage, 1 for the rest.
  static func main() {
    do {
      var command = try parseAsRoot()
      try checkEnvironment()
      try command.run()
    } catch let error as KasaneError {
      writeError("Error: \(error)")
      endProcess(1)
    } catch {
      exit(withError: error)
    }
  }
}

// Apart from the command's own `exit(withError:)`.
private func endProcess(_ status: Int32) -> Never { exit(status) }

/// The command as it was called, so that what a message suggests can be typed as it stands.
let calledAs = CommandLine.arguments.first ?? "kasane"

/// Writes a line to standard error.
func writeError(_ line: String) { writeText(line + "\n", to: STDERR_FILENO) }

/// Prints a line. Throws where standard output cannot take it.
func output(_ line: String) throws {
  guard writeText(line + "\n", to: STDOUT_FILENO) else {
    throw KasaneError("standard output: cannot be written: \(Files.lastReason)")
  }
}

/// Writes text at once, past any buffer. False where the system refuses it.
@discardableResult
func writeText(_ text: String, to descriptor: Int32) -> Bool {
  Files.writeAll(text.utf8, to: descriptor)
}

/// The recipe with a name. Throws where there is none.
func recipe(named name: String, from source: String) throws -> any Recipe.Type {
  if let found = allRecipes.first(where: { $0.name == name }) { return found }
  let known = allRecipes.map { $0.name }.joined(separator: ", ")
  throw KasaneError("\(source): unknown recipe \(name); known: \(known)")
}

/// A recipe with the weights that a run has reached: its model, or its last checkpoint while it is not finished.
func trained<R: Recipe>(_ type: R.Type, in run: RunFolder) throws -> R {
  let subject = try R.initial(for: run)
  if run.isFinished {
    try subject.model.load(try Safetensors(contentsOf: run.modelPath).tensors, from: run.modelPath)
  } else {
    guard let checkpoint = try TrainingLoop(subject, in: run).restore() else {
      throw KasaneError("\(run.path): no model yet; go on with: \(calledAs) train --resume \(run.path)")
    }
    writeError(
      "Note: the run is not finished; using its checkpoint after \(checkpoint.completed) iterations.")
  }
  return subject
}
