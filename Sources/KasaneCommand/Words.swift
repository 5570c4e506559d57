// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData
import KasaneRecipes

extension WordMap.Method: ExpressibleByArgument {}
extension WordVectors.Format: ExpressibleByArgument {}

/// `kasane words RUN-OR-FILE ACTION [WORD...]`
struct Words: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at the vectors of words, of a run or of a file.",
    discussion: """
      nearest WORD         the words that are used alike
      analogy A B C        the words that are to C as A is to B: A - B + C
      similarity A B       the cosine of the angle between two words
      evaluate             agreement with people's judgements, and how many analogies are right
      map [WORD...]        a picture of these words, or of common ones, in two dimensions
      export FILE          the vectors as a file that other programs read

      Files are word2vec's as text or binary, or GloVe's, which may be compressed by gzip.
      """)

  enum Action: String, CaseIterable, ExpressibleByArgument {
    case nearest, analogy, similarity, evaluate, map, export
  }

  @Argument(
    help: ArgumentHelp("A run's folder, or a file of vectors.", valueName: "run"), completion: .file())
  var source: String
  @Argument(help: "What to do.") var action: Action
  @Argument(help: ArgumentHelp("What to do it with.", valueName: "words")) var words: [String] = []
  @Option(help: "Words to print, or to put on a map (1 or more; default: 10, on a map 150).")
  var count: Int?
  @Option(help: "How a map's dimensions become two.")
  var method = WordMap.Method.neighbors
  @Option(help: "Seed of the places that t-SNE begins with.")
  var seed: UInt64 = 1
  @Option(
    name: .customLong("output"), help: ArgumentHelp("The SVG file of a map.", valueName: "file"),
    completion: .file(extensions: ["svg"]))
  var file = "words.svg"
  @Option(help: "The format of what is exported (default: binary for .bin, else word2vec).")
  var format: WordVectors.Format?
  @OptionGroup(title: "Evaluation options") var evaluation: WordEvaluationOptions

  func validate() throws {
    if let count { try require("--count", count, in: 1...Int.max) }
    let expected: ClosedRange<Int> =
      switch action {
      case .nearest, .export: 1...1
      case .analogy: 3...3
      case .similarity: 2...2
      case .evaluate: 0...0
      case .map: 0...Int.max
      }
    guard expected.contains(words.count) else {
      let named = action == .export ? "file" : "words"
      throw ValidationError(
        "\(action.rawValue): \(words.count) \(named) found, \(expected.lowerBound) expected")
    }
    if file.isEmpty { throw ValidationError("--output: empty, a file's path expected") }
  }

  func run() throws {
    let vectors = try vectors()
    let neighbors = WordNeighbors(vectors)
    switch action {
    case .nearest, .analogy:
      for line in try neighbors.answer(words, count: count ?? 10) { try output(line) }
    case .similarity:
      let (a, b) = (try neighbors.number(of: words[0]), try neighbors.number(of: words[1]))
      try output(fixed(neighbors.similarity(a, b), 4))
    case .evaluate:
      for line in try neighbors.judgement(evaluation) { try output(line) }
    case .map: try draw(neighbors)
    case .export:
      let path = words[0]
      let chosen = format ?? (path.hasSuffix(".bin") ? .binary : .word2vec)
      try vectors.write(to: path, as: chosen)
      try output(
        "\(vectors.words.count) vectors of \(vectors.featureCount) numbers are written to \(path) (\(chosen.rawValue))"
      )
    }
  }

  private func draw(_ neighbors: WordNeighbors) throws {
    let all = neighbors.vectors.words
    let shown =
      words.isEmpty
      // The commonest words, which come first, stand beside nearly every other.
      ? Array(all.indices.dropFirst(min(40, all.count / 4)).prefix(count ?? 150))
      : try words.map(neighbors.number)
    guard shown.count <= 3000 else {
      throw KasaneError("map: \(shown.count) words, at most 3000 expected")
    }
    try Files.write(WordMap(neighbors.vectors, words: shown, by: method, seed: seed).figure, to: file)
    try output("The map of \(shown.count) words is \(file)")
  }

  private func vectors() throws -> WordVectors {
    guard Files.isFolder(source) else { return try WordVectors(contentsOf: source) }
    let run = try RunFolder.open(source)
    let name = run.configuration.recipe
    guard let type = try recipe(named: name, from: run.file("config.json")) as? any WordVectorRecipe.Type
    else {
      let known = allRecipes.filter { $0 is any WordVectorRecipe.Type }.map { $0.name }
      throw KasaneError(
        "\(source): a run of the recipe \(name), which has no vectors of words; one of \(known.joined(separator: ", ")) "
          + "or a file of vectors expected")
    }
    return try vectors(type, run)
  }

  private func vectors<R: WordVectorRecipe>(_ type: R.Type, _ run: RunFolder) throws -> WordVectors {
    try trained(type, in: run).wordVectors()
  }
}
