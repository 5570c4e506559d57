// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What foretells what.
public enum WordPrediction: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
  /// Each word of a window its middle.
  case skipGram = "skip-gram"
  /// The mean of a window's words its middle.
  case bagOfWords = "cbow"
}

extension WordRule: ExpressibleByArgument {}

/// Every word gets a vector by which it foretells the words around it: word2vec (Mikolov et al. 2013, "Efficient Estimation of
/// Word Representations in Vector Space" and "Distributed Representations of Words and Phrases and their Compositionality"),
/// with the parts of words as an option (Bojanowski et al. 2017, fastText).
///
/// The network has one layer, the matrix E of all words' vectors. What goes in is a word as a vector of zeros with a single
/// one; that times E is the word's row of E, so that no product has to be computed: the row is looked up.
public final class WordEmbedding: WordVectorRecipe {
  /// The name on the command line.
  public static let name = "word2vec"
  /// What it is, in one line.
  public static let summary = "Words get vectors by which they foretell the words around them."
  /// What `predict` takes after the run.
  public static let predictionUsage =
    "a word, whose neighbors are printed, or three, such as \"king man woman\": king - man + woman"

  // MARK: Options

  /// The options of a run; the defaults are those of the program word2vec.
  public struct Options: TextOptions {
    @Option(help: .textPreset(full: "english_novels")) public var preset: Preset?
    @Option(textOf: "--corpus", .corpus) public var corpus: String?
    @Option(help: "What foretells the middle of a window: each of its words, or their mean.")
    public var model = WordPrediction.skipGram
    @Option(help: "Words drawn to tell each from (0 to 1000; 0 goes with --tree).")
    public var negative = ByPreset(quick: 5, full: 5)
    @Flag(help: "Foretell words along Huffman's tree (hierarchical softmax).")
    public var tree = false
    @Option(help: "Size of a word's vector (1 to 4096).")
    public var features = ByPreset(quick: 50, full: 100)
    @Option(help: "Words to either side that are seen at most; the number is drawn (1 to 1000).")
    public var window = 5
    @Option(
      help: "Words that make more than about this share of the text are often left out (0 to 1; 0: none).")
    public var sample = 0.001
    @Option(help: "Words seen less often get no vector (1 or more).")
    public var minimumCount = ByPreset(quick: 3, full: 5)
    @Option(help: "Words to know at most, the commonest ones (1 or more).")
    public var words = 1_000_000
    @Option(
      help: "What words are: letters a to z and apostrophes in lower case, or what lies between white space.")
    public var rule = WordRule.letters
    @Flag(help: "Make one word of two that follow each other more often than by chance, such as new_york.")
    public var phrases = false
    @Option(help: "How much more often that must be (above 0).")
    public var threshold = 10.0
    @Flag(help: "Give the parts of words vectors too, of which words are made.")
    public var subwords = false
    @Option(help: "Characters of the shortest part (1 to 100).")
    public var shortest = 3
    @Option(help: "Characters of the longest part (1 to 100).")
    public var longest = 6
    @Option(help: "Vectors that parts share (1 to 100000000).")
    public var buckets = 200_000
    @Option(help: "Passes over the text (1 to 10000).")
    public var epochs = ByPreset(quick: 20, full: 5)
    @Option(help: "Words in one iteration (100 to 10000000).")
    public var batch = 10_000
    @Option(help: "Step size (above 0); it falls in a straight line.")
    public var learningRate = ByPreset(quick: 0.05, full: 0.025)
    @Option(help: "Step size at the end (0 or more).")
    public var finalRate = 0.0001

    /// The program's.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--negative", self[\.negative], in: 0...1000)
      guard tree || self[\.negative] > 0 else {
        throw ValidationError("--negative: 0, at least 1 expected without --tree")
      }
      try require("--features", self[\.features], in: 1...4096)
      try require("--window", window, in: 1...1000)
      try require("--sample", sample, in: 0..<1.0000001)
      try require("--minimum-count", self[\.minimumCount], in: 1...Int.max)
      try require("--words", words, in: 1...Int(Int32.max))
      try requirePositive("--threshold", threshold)
      try require("--shortest", shortest, in: 1...100)
      try require("--longest", longest, in: shortest...100)
      try require("--buckets", buckets, in: 1...100_000_000)
      try require("--batch", batch, in: 100...10_000_000)
      try requireLearningRate("--learning-rate", self[\.learningRate])
      try require("--final-rate", finalRate, in: 0..<3e38)
      try validateText()
    }

    /// Never: there is no text to be judged by.
    public var patience: Int { 0 }
    var dataset: String { "english_novels" }
  }

  // MARK: Data

  private var parts: Prefetcher<WordStream, WordStream.Part>?
  private var partCount = 0
  private var wordCount = 0
  private var phraseCount = 0

  /// Counts the text's words and, unless the run has one already, makes the vocabulary.
  public func prepare() throws {
    let corpus = try Corpus.parts(at: options.place, sample: .novel).training
    let least = options[\.minimumCount]
    var census = try WordStream.census(of: corpus, by: options.rule, size: options.batch)
    var phrases: Phrases?
    dataFingerprint = census.fingerprint
    if options.phrases {
      let found = try Phrases(
        of: corpus, by: options.rule, counts: census.counts, minimumCount: least, threshold: options.threshold
      )
      census = try WordStream.census(of: corpus, by: options.rule, phrases: found, size: options.batch)
      (phrases, phraseCount) = (found, found.count)
    }
    let vocabulary =
      self.vocabulary ?? Vocabulary(counts: census.counts, minimumCount: least, limit: options.words)
    guard vocabulary.count > 1 else {
      throw KasaneError(
        "\(corpus.name): \(vocabulary.count) words are seen \(least) times or more, at least 2 expected; a lower "
          + "--minimum-count may help")
    }
    use(vocabulary)
    (partCount, wordCount) = (census.parts, census.words)
    let stream = WordStream(
      corpus, by: options.rule, knowing: vocabulary.tokens, phrases: phrases, size: options.batch,
      parts: census.parts)
    parts = Prefetcher(of: stream, ahead: 4) { stream, place in try stream.part(at: place) }
  }

  /// What tells the text from others.
  public private(set) var dataFingerprint: String?

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let vocabulary else { return [] }
    let phrases = options.phrases ? ", \(phraseCount) phrases among them" : ""
    let seen = vocabulary.counts.reduce(0, +)
    return [
      "Learning from \(wordCount) words of \(options.placeName); \(vocabulary.count) different ones have a vector"
        + "\(phrases), \(fixed(100 * Double(seen) / Double(max(wordCount, 1)), 1)) % of the text"
    ]
  }

  private func use(_ vocabulary: Vocabulary) {
    guard self.vocabulary == nil else { return }
    self.vocabulary = vocabulary
    let subwords =
      options.subwords
      ? Subwords(shortest: options.shortest, longest: options.longest, buckets: options.buckets) : nil
    let tables = WordTables(
      counts: vocabulary.counts, sample: options.sample, drawn: options[\.negative], hasTree: options.tree,
      parts: subwords.map { subwords in
        vocabulary.tokens.map { subwords.parts(of: $0).map { Int32(vocabulary.count) + $0 } }
      } ?? [])
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    network = WordVectorNetwork(
      tables, parts: subwords == nil ? 0 : options.buckets, features: options[\.features], using: &weights)
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, training: UInt64 = 1
  }

  private var network: WordVectorNetwork?
  private(set) var vocabulary: Vocabulary?
  /// What is trained.
  public var model: WordVectorNetwork { network! }
  /// Its step size; the updates are the network's own.
  public let optimizer: any Optimizer
  /// Every iteration draws a seed from it.
  public var random: RandomGenerator
  let options: Options
  private let seed: UInt64
  private var lastLoss = 0.0

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    optimizer = SGD(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * partCount }
  /// Every word of a part.
  public var tokensPerIteration: Int? { partCount > 0 ? wordCount / partCount : options.batch }
  /// The share of the time that was spent waiting for text.
  public var waitingShare: Double? { parts?.waitingShare }

  /// One iteration.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let share = Double(iteration) / Double(max(iterations, 1))
    let (first, last) = (options[\.learningRate], options.finalRate)
    optimizer.learningRate = max(first + (last - first) * share, min(first, last))
    let part = nextPart(iteration)
    let outcome = model.learn(
      part.tokens, starts: part.starts, window: options.window, takesMean: options.model == .bagOfWords,
      rate: optimizer.learningRate, seed: random.next())
    if outcome.predictions > 0 { lastLoss = outcome.loss / Double(outcome.predictions) }
    var step = TrainingStep(loss: lastLoss)
    let (epoch, place) = iteration.quotientAndRemainder(dividingBy: partCount)
    if reporting || place == partCount - 1 {
      step.metrics["learning_rate"] = optimizer.learningRate
      step.text =
        "epoch \(epoch + 1)/\(options[\.epochs])  iteration \(iteration)  loss \(fixed(step.loss, 4))  rate "
        + fixed(optimizer.learningRate, 5)
    }
    return step
  }

  private func nextPart(_ iteration: Int) -> WordStream.Part {
    do {
      return try parts!.element(at: iteration)
    } catch {
      // The text was there when the run began. The last checkpoint is what is left to go on from.
      let message = "Error: \(error)\n"
      message.withCString { text in _ = write(2, text, strlen(text)) }
      exit(1)
    }
  }

  /// Keeps the vocabulary.
  public func keepFiles(in run: RunFolder) throws { try vocabulary!.write(to: vocabularyPath(in: run)) }

  /// Reads the vocabulary.
  public func recallFiles(from run: RunFolder) throws {
    let path = vocabularyPath(in: run)
    let found = try Vocabulary(contentsOf: path)
    guard found.specialCount == 0, found.count > 1, found.counts.allSatisfy({ $0 > 0 }) else {
      throw KasaneError("\(path): not a vocabulary of \(Self.name)")
    }
    use(found)
  }

  /// What to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    let word = vocabulary!.tokens[min(50, vocabulary!.count - 1)]
    return [
      "Try next: \(command) words \(run) nearest \(word)", "          \(command) words \(run) map",
      "          \(command) evaluate \(run)",
    ]
  }

  // MARK: After training

  /// The trained vectors.
  public func wordVectors() -> WordVectors { WordVectors(vocabulary!.tokens, model.vectors) }

  /// A one-hot vector times E, which is a row of E, by the first numbers of both.
  func rowByProduct(_ word: Int) -> (product: [Float], row: [Float]) {
    withoutGradient {
      let table = model.input.value
      var oneHot = [Float](repeating: 0, count: table.shape[0])
      oneHot[word] = 1
      let product = matmul(Tensor(oneHot, shape: [1, oneHot.count]), table)
      return (product.elements(as: Float.self), table[word].elements(as: Float.self))
    }
  }
}
