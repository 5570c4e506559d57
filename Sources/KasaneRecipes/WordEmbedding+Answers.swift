// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
public import KasaneData

/// A recipe whose trained network has a vector for each word.
public protocol WordVectorRecipe: Recipe {
  /// The words and their vectors.
  func wordVectors() -> WordVectors
}

/// What words' vectors are judged by.
public struct WordEvaluationOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Pairs of words and how alike people find them (default: WordSim-353 and SimLex-999 in KASANE_DATA).",
      valueName: "file"), completion: .file())
  public var similarities: [String] = []
  @Option(
    help: ArgumentHelp(
      "Questions \"a is to b as c to d\" (default: questions-words in KASANE_DATA).", valueName: "file"),
    completion: .file())
  public var analogies: [String] = []
  @Flag(help: "Show each section of the questions.")
  public var sections = false

  /// Everything in KASANE_DATA.
  public init() {}
}

extension WordNeighbors {
  /// How well vectors agree with what people say, in lines. Throws one line where a file is not there or not as it must be.
  package func judgement(_ options: WordEvaluationOptions) throws -> [String] {
    let folder = DataFolder.folder(of: "word2vec_eval")
    let isGiven = !options.similarities.isEmpty || !options.analogies.isEmpty
    guard isGiven || Files.exists(folder) else {
      throw KasaneError(
        "\(folder): no such folder of judgements, and neither --similarities nor --analogies; to get it: kasane data get "
          + "word2vec_eval")
    }
    var lines = ["Words: \(vectors.words.count) of \(vectors.featureCount) features"]
    let pairs = isGiven ? options.similarities : ["\(folder)/wordsim353.tsv", "\(folder)/simlex999.txt"]
    for path in pairs {
      let judgements = try SimilarityJudgements(contentsOf: path)
      let (value, known) = judgements.correlation(with: self)
      lines.append(
        "\(Self.name(of: path)): Spearman's correlation \(value.map { fixed($0, 3) } ?? "unknown") "
          + "(\(known) of \(judgements.pairs.count) pairs are known)")
    }
    let questions = isGiven ? options.analogies : ["\(folder)/questions-words.txt.gz"]
    for path in questions {
      let sections = try AnalogyQuestions(contentsOf: path)
      let results = sections.results(with: self)
      func share(_ right: Int, _ known: Int) -> String {
        known > 0 ? "\(fixed(100 * Double(right) / Double(known), 2)) %" : "unknown"
      }
      if options.sections {
        lines += results.map { "  \($0.name): \(share($0.right, $0.known)) (\($0.right) of \($0.known))" }
      }
      let (right, known) = results.reduce((0, 0)) { ($0.0 + $1.right, $0.1 + $1.known) }
      let all = sections.sections.reduce(0) { $0 + $1.questions.count }
      lines.append(
        "\(Self.name(of: path)): \(share(right, known)) right (\(right) of \(known); \(all) questions in all)"
      )
    }
    return lines
  }

  private static func name(of path: String) -> String {
    String(path.split(separator: "/").last?.prefix { $0 != "." } ?? Substring(path))
  }

  /// The neighbors of a word, or of what three words ask for, in lines.
  package func answer(_ words: [String], count: Int) throws -> [String] {
    let numbers = try words.map(number)
    let signs = [1.0, -1, 1]
    guard numbers.count == 1 || numbers.count == 3 else {
      throw KasaneError("\(numbers.count) words found, 1 or 3 expected: a word, or a b c for a - b + c")
    }
    return nearest(to: numbers.enumerated().map { ($1, signs[$0]) }, count: count).map {
      "\(fixed($0.similarity, 4))  \($0.word)"
    }
  }

  /// The number of a word. Throws one line where it has no vector.
  package func number(of word: String) throws -> Int {
    guard let number = vectors.number(of: word) ?? vectors.number(of: word.lowercased()) else {
      throw KasaneError("\(word): has no vector among \(vectors.words.count) words")
    }
    return number
  }
}

extension WordEmbedding {
  /// What to judge by.
  public typealias EvaluationOptions = WordEvaluationOptions

  /// The options of a prediction.
  public struct PredictionOptions: ParsableArguments {
    @Option(help: "How many words to print (1 or more).")
    public var top = 10

    /// Ten words.
    public init() {}

    /// Checks the range.
    public func validate() throws { try require("--top", top, in: 1...Int.max) }
  }

  /// How well the vectors agree with what people say, in lines.
  public func evaluate(_ options: WordEvaluationOptions) throws -> [String] {
    try WordNeighbors(wordVectors()).judgement(options)
  }

  /// The nearest ten words.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: PredictionOptions.parse([]))
  }

  /// The nearest words, or those that stand to the third as the first to the second.
  public func predict(_ words: [String], with options: PredictionOptions) throws -> [String] {
    let words = words.flatMap { $0.split(separator: " ").map(String.init) }
    guard !words.isEmpty else { throw KasaneError("predict: no words, \(Self.predictionUsage) expected") }
    do {
      return try WordNeighbors(wordVectors()).answer(words, count: options.top)
    } catch let error as KasaneError {
      throw KasaneError("predict: \(error)")
    }
  }

  /// Lines of standard input are answered one by one.
  public static var predictsLines: Bool { true }

  /// A map of common words, the neighbors of some, and how a row of E is looked up.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    let vectors = wordVectors()
    let neighbors = WordNeighbors(vectors)
    // The commonest words stand beside nearly every other.
    let shown = Array(vectors.words.indices.dropFirst(min(40, vectors.words.count / 4)).prefix(120))
    let rows = shown.filter { vectors.words[$0].utf8.count > 3 }.prefix(8).map { word in
      [
        vectors.words[word],
        neighbors.nearest(to: [(word, 1)], count: 6).map { "\($0.word) (\(fixed($0.similarity, 2)))" }
          .joined(separator: ", "),
      ]
    }
    let map = WordMap(vectors, words: shown, by: .neighbors, seed: 1)
    return [
      Exhibit(
        "word-map", title: language("Where words lie", "語の地図"),
        caption: language(
          "The vectors of \(shown.count) common words in two dimensions by t-SNE: words that are used alike lie together.",
          "よく使われる \(shown.count) 語のベクトルを t-SNE で二次元に写したものです。使われ方の似た語が近くに並びます。"),
        .figure(map.figure)),
      Exhibit(
        "nearest-words", title: language("Nearest words", "近い語"),
        caption: language(
          "The six words whose vectors point most nearly the same way, with the cosines of the angles.",
          "ベクトルの向きが最も近い 6 語と、なす角の余弦です。"),
        .table(
          columns: [.init(language("Word", "語")), .init(language("Neighbors", "近い語"))], rows: Array(rows))),
      matrixView(of: shown.first ?? 0, in: language),
    ]
  }

  private func matrixView(of word: Int, in language: Language) -> Exhibit {
    let (product, row) = rowByProduct(word)
    let text = vocabulary!.tokens[word]
    func numbers(_ values: [Float]) -> String {
      values.prefix(5).map { fixed(Double($0), 4) }.joined(separator: ", ") + (values.count > 5 ? ", …" : "")
    }
    return Exhibit(
      "embedding-matrix", title: language("The embedding matrix", "埋め込み行列"),
      caption: language(
        "A word as zeros with a single one, times the matrix E of all vectors, is the word's row of E: nothing need be "
          + "multiplied.",
        "語を一つだけ 1 の one-hot ベクトルにして行列 E に掛けると、E のその語の行になります。実際には積を計算せず、行を引くだけです。"),
      .table(
        columns: [.init(language("What", "もの")), .init(language("Numbers", "値"))],
        rows: [
          [language("one-hot of \(text) · E", "\(text) の one-hot · E"), numbers(product)],
          [language("row \(word) of E", "E の \(word) 行目"), numbers(row)],
        ]))
  }
}
