// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData

extension TokenizerKind: ExpressibleByArgument {}

/// `kasane tokenize [FILE]`
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take text apart into tokens, or put tokens together.",
    discussion: """
      The lines of FILE, which may be compressed by gzip, or of standard input come out with a space between each two \
      tokens: what recipes read as words between white space. With --join such lines become text again.
      """)

  @Argument(help: ArgumentHelp("A text.", valueName: "file"), completion: .file())
  var file: String?
  @Option(
    help:
      "What tokens are: spaces (what lies between), characters, words (and marks of English), letters (words of a to z), unicode (words and marks by UAX #29) or mecab (Japanese, by the system's library)."
  )
  var by = TokenizerKind.unicode
  @Flag(help: "Put tokens, parted by spaces, together.")
  var join = false

  func run() throws {
    let tokenizer = try by.tokenizer()
    func answer(_ line: String) throws {
      try output(
        join
          ? tokenizer.text(of: line.split(separator: " ").map(String.init))
          : tokenizer.tokens(in: line).joined(separator: " "))
    }
    guard let file else {
      while let line = readLine() { try answer(line) }
      return
    }
    let lines = try LineReader(path: file)
    while let line = try lines.next() { try answer(line) }
  }
}
