// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData
import KasaneRecipes

extension TokenizerKind: ExpressibleByArgument {}
extension SentencePieceTokenizer.Kind: ExpressibleByArgument {}

/// `kasane tokenize [FILE]`
struct Tokenize: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take text apart into tokens, put tokens together, or learn pieces of words.",
    discussion: """
      The lines of FILE, which may be compressed by gzip, or of standard input come out with a space between each two \
      tokens: what recipes read as words between white space. With --join such lines become text again.

      kasane tokenize --learn m.model --pieces 8000 CORPUS learns a model of SentencePiece, which \
      kasane tokenize --model m.model and the library's own tools read.
      """)

  @Argument(
    help: ArgumentHelp("A text; for --learn also a folder or a data set.", valueName: "file"),
    completion: .file())
  var file: String?
  @Option(
    help: ArgumentHelp(
      """
      What tokens are: spaces (what lies between), characters, words (and marks of English), letters (words of a to z), \
      unicode (words and marks by UAX #29) or mecab (Japanese, by the system's library).
      """))
  var by = TokenizerKind.unicode
  @Option(
    help: ArgumentHelp("A model of SentencePiece, by whose pieces text comes apart.", valueName: "file"),
    completion: .file(extensions: ["model"]))
  var model: String?
  @Flag(help: "Print the numbers of a model's pieces.")
  var numbers = false
  @Flag(help: "Put tokens, parted by spaces, together.")
  var join = false
  @Option(
    help: ArgumentHelp("Learn a model of SentencePiece from the text, and write it.", valueName: "file"),
    completion: .file(extensions: ["model"]))
  var learn: String?
  @Option(help: "How pieces are learned.") var kind = SentencePieceTokenizer.Kind.unigram
  @Option(help: "Pieces to learn (4 to 1000000).") var pieces = 8000
  @Option(help: "Share of the characters that must have a piece, 0.9995 for Japanese and Chinese (0.9 to 1).")
  var coverage = 1.0

  func validate() throws {
    try require("--pieces", pieces, in: 4...1_000_000)
    try require("--coverage", coverage, in: 0.9..<1.0000001)
    if learn != nil, file == nil { throw ValidationError("--learn: no text, a file expected") }
    if numbers, model == nil { throw ValidationError("--numbers: no model, --model expected") }
    if numbers, join { throw ValidationError("--numbers: does not go with --join") }
  }

  func run() throws {
    if let learn {
      let corpus = try Corpus.parts(at: file!, sample: .novel).training
      let made = try SentencePieceTokenizer.train(on: corpus, kind: kind, count: pieces, coverage: coverage)
      try made.write(to: learn)
      try output("\(made.pieces.count) pieces of \(corpus.name) are written to \(learn)")
      return
    }
    let model = try model.map { try SentencePieceTokenizer(contentsOf: $0) }
    let tokenizer: any Tokenizer = try model ?? by.tokenizer()
    func answer(_ line: String) throws {
      if join { return try output(tokenizer.text(of: line.split(separator: " ").map(String.init))) }
      let tokens = tokenizer.tokens(in: line)
      let shown = numbers ? tokens.map { String(model!.number(of: $0)) } : tokens
      try output(shown.joined(separator: " "))
    }
    guard let file else {
      while let line = readLine() { try answer(line) }
      return
    }
    let lines = try LineReader(path: file)
    while let line = try lines.next() { try answer(line) }
  }
}
