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

/// `kasane chat RUN ...`
struct Chat: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Talk with a run's network, which remembers what was said.",
    discussion: """
      Each line of standard input is a turn. :reset forgets what was said, :quit ends the conversation, and so does the \
      input's end. For runs of \(conversational.joined(separator: ", ")).
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var folder: String
  @Argument(parsing: .allUnrecognized, help: "Options of the recipe's replies, such as --temperature 0.5.")
  var options: [String] = []

  private static var conversational: [String] {
    allRecipes.filter { $0 is any ConversationalRecipe.Type }.map { $0.name }
  }

  func run() throws {
    let run = try RunFolder.open(folder)
    let name = run.configuration.recipe
    guard
      let type = try recipe(named: name, from: run.file("config.json")) as? any ConversationalRecipe.Type
    else {
      throw KasaneError(
        "\(folder): a run of the recipe \(name), with which one cannot talk; one of "
          + "\(Self.conversational.joined(separator: ", ")) expected")
    }
    try chat(type, run)
  }

  private func chat<R: ConversationalRecipe>(_ type: R.Type, _ run: RunFolder) throws {
    let (words, options) = try PredictRecipe<R>.parsed(options)
    guard words.isEmpty else {
      throw ValidationError("\(words[0]): a word after the run; what is said comes from standard input")
    }
    let conversation = try trained(type, in: run).conversation(with: options)
    let isAtTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    func prompt() { if isAtTerminal { writeText("> ", to: STDOUT_FILENO) } }
    var (answered, failed) = (false, false)
    prompt()
    while let line = readLine() {
      let said = line.drop { $0.isWhitespace }
      if said == ":quit" { break }
      if said == ":reset" {
        conversation.reset()
      } else {
        // A turn that cannot be answered says why and does not end the conversation.
        do {
          try output(try conversation.answer(line))
          answered = true
        } catch let error as KasaneError {
          writeError("Error: \(error)")
          failed = true
        }
      }
      prompt()
    }
    if isAtTerminal { return }
    if failed { throw ExitCode(1) }
    guard answered else {
      throw KasaneError("chat: nothing said on standard input, a turn a line expected")
    }
  }
}
