// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A recursive network learns what every phrase of a sentence thinks of a film, along the sentence's syntax tree (Socher
/// et al. 2013; Tai, Socher and Manning 2015).
public final class SentimentTree: Recipe {
  /// The name on the command line.
  public static let name = "sentiment-tree"
  /// What it is, in one line.
  public static let summary = "A recursive network learns the sentiment of every phrase of a syntax tree."
  /// What `predict` takes after the run.
  public static let predictionUsage =
    "a tree such as \"(2 (3 good) (2 film))\", one without labels such as \"((a good) film)\", or plain words"
  /// Sentences are answered line by line.
  public static let predictsLines = true

  // MARK: Options

  /// Which network makes phrases of their parts.
  public enum Network: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// The recursive neural network (Socher et al. 2011).
    case rnn
    /// The recursive neural tensor network (Socher et al. 2013).
    case rntn
    /// The binary Tree-LSTM (Tai, Socher and Manning 2015).
    case treeLSTM = "tree-lstm"
    /// The child-sum Tree-LSTM (Tai, Socher and Manning 2015).
    case childSum = "child-sum"
  }

  /// How the gradient is followed.
  public enum Method: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Adagrad.
    case adagrad
    /// Adam.
    case adam
  }

  /// The options of a run.
  public struct Options: RecipeOptions {
    @Option(
      help: """
        quick: seconds on made-up trees; full: the Stanford Sentiment Treebank (default: full with --data or sst_trees in \
        KASANE_DATA, else quick).
        """)
    public var preset: Preset?
    @Option(
      help: ArgumentHelp(
        "Folder with train.txt and dev.txt, a tree a line, or sample (default: sample in quick, KASANE_DATA/sst_trees in "
          + "full).", valueName: "folder"), completion: .directory, transform: treeLocation("--data"))
    public var data: String?
    @Option(help: "Network.")
    public var model = Network.treeLSTM
    @Option(
      help: ArgumentHelp(
        "Text file of word vectors to begin with, such as GloVe's: a word a line, then its numbers.",
        valueName: "file"), completion: .file(), transform: treeLocation("--vectors"))
    public var vectors: String?
    @Option(help: "Size of a word's vector (1 to 4096), for rnn and rntn also of a phrase's.")
    public var features = ByPreset(quick: 20, full: 50)
    @Option(help: "Size of a phrase's vector for tree-lstm and child-sum (1 to 4096).")
    public var hidden = ByPreset(quick: 24, full: 150)
    @Option(help: "Passes over the training trees (1 to 10000).")
    public var epochs = ByPreset(quick: 8, full: 12)
    @Option(help: "Trees in one iteration (1 to 10000).")
    public var batch = ByPreset(quick: 20, full: 20)
    @Option(help: "Optimizer.")
    public var optimizer = Method.adagrad
    @Option(help: "Step size (above 0).")
    public var learningRate = 0.05
    @Option(help: "What the step size is multiplied by for the words' vectors (0 or more, below 1000).")
    public var wordRate = 1.0
    @Option(help: "Part of the vectors' elements that are dropped in training (0 or more, below 1).")
    public var dropout = ByPreset(quick: 0, full: 0.5)
    @Option(help: "Weight decay of all but the words' vectors (0 or more, below 1).")
    public var weightDecay = 1e-4

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--features", self[\.features], in: 1...4096)
      try require("--hidden", self[\.hidden], in: 1...4096)
      try require("--epochs", self[\.epochs], in: 1...10_000)
      try require("--batch", self[\.batch], in: 1...10_000)
      try requireLearningRate("--learning-rate", learningRate)
      try require("--word-rate", wordRate, in: 0..<1000)
      try require("--dropout", self[\.dropout], in: 0..<1)
      try require("--weight-decay", weightDecay, in: 0..<1)
    }

    /// The preset given, or the one that the data at hand allow.
    public var chosenPreset: Preset? {
      preset ?? (data != nil || SentimentTrees.hasTraining(in: SentimentTrees.defaultFolder) ? .full : .quick)
    }

    /// Where the trees are.
    var place: String {
      data ?? (chosenPreset == .quick ? SentimentTrees.sample : SentimentTrees.defaultFolder)
    }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "File of trees, folder of such, or sample (default: that of the training).", valueName: "place"),
      completion: .file(), transform: treeLocation("--data"))
    public var data: String?
    @Option(help: "Which of a folder's files: train (train.txt), dev (dev.txt) or test (test.txt).")
    public var split = SentimentTrees.Split.dev

    /// The trees that the run was judged by.
    public init() {}
  }

  /// The options of a prediction.
  public struct PredictionOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp("Draw the tree with each phrase's sentiment in this SVG file.", valueName: "file"),
      completion: .file(extensions: ["svg"]))
    public var svg: String?

    /// Nothing is drawn.
    public init() {}

    /// Checks the path.
    public func validate() throws {
      if svg == "" { throw ValidationError("--svg: empty, a file's path expected") }
    }
  }

  // MARK: Data

  /// A tree by numbers.
  private struct Item {
    let children: [TreeBatch.Children?]
    let words: [Int]
    let labels: [Int]
  }

  /// What the iterations learn from and are judged by.
  private struct Data {
    let training: [Item]
    let validation: [Item]
    let fingerprint: String
    var batches: ShuffledBatches
  }

  private var data: Data?
  private var vocabulary: Vocabulary?
  private static let unknown = "<unk>"

  /// Reads the trees, and makes the vocabulary unless the run has one already.
  public func prepare() throws {
    let place = options.place
    guard place == SentimentTrees.sample || Files.exists(place) else {
      throw KasaneError(
        "\(place): no such folder: put train.txt and dev.txt there, or name their folder with --data; --preset quick "
          + "learns from trees that the program makes up")
    }
    let training = try SentimentTrees.load(.train, from: place)
    let validation = try SentimentTrees.load(.dev, from: place)
    if vocabulary == nil { try makeNetwork(from: training) }
    data = Data(
      training: training.map(item), validation: validation.map(item),
      fingerprint: SentimentTrees.fingerprint(of: training),
      batches: ShuffledBatches(
        count: training.count, size: options[\.batch], seed: seed, stream: Stream.order))
  }

  /// The vocabulary of the trees and of the file of vectors, and a network that begins with those.
  private func makeNetwork(from trees: [SyntaxTree]) throws {
    var counts: [String: Int] = [:]
    for tree in trees { for word in tree.words { counts[word.lowercased(), default: 0] += 1 } }
    var given: WordVectors?
    if let file = options.vectors {
      let vectors = try WordVectors(contentsOf: file)
      guard vectors.featureCount == options[\.features] else {
        throw KasaneError(
          "\(file): vectors of \(vectors.featureCount) numbers, \(options[\.features]) expected (--features)")
      }
      for word in vectors.words { counts[word, default: 0] += 0 }
      given = vectors
    }
    let vocabulary = Vocabulary(counts: counts, unknown: Self.unknown, minimumCount: 0)
    use(vocabulary)
    guard let given else { return }
    network!.embedding.weight.withMutableElements(of: Float.self) { rows in
      given.vectors.withElements(of: Float.self) { vectors in
        let size = given.featureCount
        for (place, word) in given.words.enumerated() {
          guard let number = vocabulary.number(of: word) else { continue }
          for feature in 0..<size { rows[number * size + feature] = vectors[place * size + feature] }
        }
      }
    }
    hasGivenVectors = Set(given.words.compactMap(vocabulary.number(of:)))
  }

  /// Keeps the vocabulary.
  public func keepFiles(in run: RunFolder) throws { try vocabulary!.write(to: vocabularyPath(in: run)) }

  /// Reads the vocabulary.
  public func recallFiles(from run: RunFolder) throws {
    use(try Vocabulary(contentsOf: vocabularyPath(in: run)))
  }

  /// A tree by the numbers of the vocabulary.
  private func item(_ tree: SyntaxTree) -> Item {
    Item(
      children: tree.nodes.map { $0.isLeaf ? nil : ($0.left, $0.right) },
      words: tree.words.map { vocabulary!.number(of: $0.lowercased()) ?? vocabulary!.unknown! },
      labels: tree.nodes.map { $0.label ?? 0 })
  }

  /// Trees put together: the words of the leaves and the classes of all nodes, in the order of the trees' rows.
  private func batch(_ items: [Item], word: (Int) -> Int = { $0 }) -> (
    words: Tensor, labels: Tensor, trees: TreeBatch
  ) {
    let trees = TreeBatch(items.map(\.children))
    var words = [Int](repeating: 0, count: trees.leafCount)
    var labels = [Int](repeating: 0, count: trees.nodeCount)
    for (item, rows) in zip(items, trees.rows) {
      var next = 0
      for (place, row) in rows.enumerated() {
        labels[row] = item.labels[place]
        guard item.children[place] == nil else { continue }
        words[row] = word(item.words[next])
        next += 1
      }
    }
    return (Tensor(words), Tensor(labels), trees)
  }

  /// What tells the trees from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    let place = options.place == SentimentTrees.sample ? "the made-up sample" : options.place
    let line =
      "Learning from \(data.training.count) trees of \(place), judged by \(data.validation.count) others; "
      + "\(vocabulary.count) words are known"
    guard options.preset == nil, options.chosenPreset == .quick else { return [line] }
    return ["No trees in \(SentimentTrees.defaultFolder) and no --data: taking --preset quick", line]
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2
  }

  private var network: SentimentTreeClassifier?
  /// The network, which is there once the vocabulary is.
  public var model: SentimentTreeClassifier { network! }
  /// What trains it.
  public let optimizer: any Optimizer
  /// What the iterations draw.
  public var random: RandomGenerator
  private let options: Options
  private let seed: UInt64
  private var hasGivenVectors: Set<Int> = []
  private var lastJudgement: Judgement?

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    random = RandomGenerator(seed: seed, stream: Stream.training)
    let words = ParameterGroup(prefix: "embedding", learningRateFactor: options.wordRate, weightDecay: 0)
    // A number of an RNTN's phrase is a sum over pairs: as many times as many steps add up in it as in the other sums.
    let tensor = ParameterGroup(
      prefix: "encoder.tensor", learningRateFactor: 1 / Double(2 * options[\.features]))
    switch options.optimizer {
    case .adagrad:
      optimizer = Adagrad(
        learningRate: options.learningRate, weightDecay: options.weightDecay, groups: [words, tensor])
    case .adam:
      optimizer = Adam(
        learningRate: options.learningRate, weightDecay: options.weightDecay, groups: [words, tensor])
    }
  }

  private func use(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    var random = RandomGenerator(seed: seed, stream: Stream.weights)
    let (features, hidden) = (options[\.features], options[\.hidden])
    let words = Tensor(normal: [vocabulary.count, features], standardDeviation: 0.1, using: &random)
    let encoder: any TreeEncoder =
      switch options.model {
      case .rnn: RecursiveNetwork(features, using: &random)
      case .rntn: RecursiveTensorNetwork(features, using: &random)
      case .treeLSTM: BinaryTreeLSTM(features, hidden, using: &random)
      case .childSum: ChildSumTreeLSTM(features, hidden, using: &random)
      }
    network = SentimentTreeClassifier(
      words: words, encoder: encoder, classCount: SentimentTrees.classCount, dropout: options[\.dropout],
      using: &random)
  }

  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * (data?.batches.batchesPerEpoch ?? 0) }

  /// One iteration: forward, backward, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let items = data!.batches.indices(at: iteration).map { data!.training[$0] }
    // Words that were seen once sometimes stand for all that will be new.
    let (vocabulary, given) = (vocabulary!, hasGivenVectors)
    var random = self.random
    let (words, labels, trees) = batch(items) { word in
      let isRare = vocabulary.counts[word] <= 1 && !given.contains(word)
      return isRare && random.next() >> 63 == 0 ? vocabulary.unknown! : word
    }
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in crossEntropy(model(words, trees), labels) }
    }
    self.random = random
    optimizer.update(model, along: gradients)

    var step = TrainingStep(loss: loss.scalar)
    let (epoch, batch) = iteration.quotientAndRemainder(dividingBy: data!.batches.batchesPerEpoch)
    let place = "epoch \(epoch + 1)/\(options[\.epochs])"
    var lines: [String] = []
    if reporting { lines.append("\(place)  iteration \(iteration)  loss \(fixed(step.loss, 4))") }
    if batch == data!.batches.batchesPerEpoch - 1 {
      let found = judge(data!.validation)
      if found.fine >= lastJudgement?.fine ?? 0 { lastJudgement = found }
      step.judgement = 1 - found.fine
      step.metrics = [
        "validation_accuracy": found.fine, "validation_binary_accuracy": found.binary,
        "validation_phrase_accuracy": found.phrases, "validation_loss": found.loss,
      ]
      lines.append("\(place)  validation \(found.summary)  loss \(fixed(found.loss, 4))")
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }

  // MARK: After training

  /// How good the answers to some trees are.
  private struct Judgement {
    /// The answers for whole sentences.
    var roots = ConfusionMatrix(classCount: SentimentTrees.classCount)
    var loss = 0.0
    var (binaryRight, binaryTotal) = (0, 0)
    var (phrasesRight, phrasesTotal) = (0, 0)

    var fine: Double { roots.accuracy }
    var binary: Double { binaryTotal == 0 ? 0 : Double(binaryRight) / Double(binaryTotal) }
    var phrases: Double { Double(phrasesRight) / Double(max(1, phrasesTotal)) }

    var summary: String {
      "sentences \(percent(fine)) of five, \(percent(binary)) of two  phrases \(percent(phrases))"
    }
    func percent(_ share: Double) -> String { "\(fixed(100 * share, 2)) %" }
  }

  private func judge(_ items: [Item]) -> Judgement {
    var result = Judgement()
    let classes = SentimentTrees.classCount
    for start in stride(from: 0, to: items.count, by: 100) {
      let part = Array(items[start..<min(start + 100, items.count)])
      let (words, labels, trees) = batch(part)
      let logits = model(words, trees)
      result.loss += crossEntropy(logits, labels, reduction: .sum).scalar
      let answers = logits.argmax(axis: 1).elements(as: Int64.self)
      let probabilities = softmax(logits).elements(as: Float.self)
      for (answer, label) in zip(answers, labels.elements(as: Int64.self)) where answer == label {
        result.phrasesRight += 1
      }
      result.phrasesTotal += trees.nodeCount
      for (item, rows) in zip(part, trees.rows) {
        let (label, row) = (item.labels.last!, rows.last!)
        result.roots.add(label: label, answer: Int(answers[row]))
        // Neutral sentences are left out, and neutral is no answer.
        guard label != classes / 2 else { continue }
        let share = probabilities[row * classes..<(row + 1) * classes]
        let isPositive = share.suffix(classes / 2).reduce(0, +) > share.prefix(classes / 2).reduce(0, +)
        result.binaryTotal += 1
        if isPositive == (label > classes / 2) { result.binaryRight += 1 }
      }
    }
    result.loss /= Double(max(1, result.phrasesTotal))
    return result
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    // The best may be from before the run was stopped.
    if let best, let data, lastJudgement.map({ 1 - $0.fine }) != best {
      lastJudgement = judge(data.validation)
    }
    var lines = [
      "Try next: \(command) predict \(run) \"(2 (3 good) (2 film))\" --svg tree.svg",
      "          \(command) evaluate \(run)",
    ]
    if let lastJudgement { lines.insert("Right, of trees not learned from: \(lastJudgement.summary)", at: 0) }
    return lines
  }

  /// How much of some trees is right, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let place = evaluation.data ?? options.place
    let trees = try SentimentTrees.load(evaluation.split, from: place)
    let items = trees.map(item)
    guard items.contains(where: { $0.words.contains { $0 != vocabulary!.unknown } }) else {
      throw KasaneError("\(place): none of its words is known to the run")
    }
    let found = judge(items)
    func line(_ what: String, _ right: Int, _ total: Int, _ share: Double) -> String {
      "\(what): \(right) of \(total) (\(found.percent(share)))"
    }
    return [
      line("Sentences right, of five classes", found.roots.right, found.roots.total, found.fine),
      line("Sentences right, negative or positive", found.binaryRight, found.binaryTotal, found.binary),
      line("Phrases right, of five classes", found.phrasesRight, found.phrasesTotal, found.phrases),
      "Mean loss: \(fixed(found.loss, 4))", "",
    ] + found.roots.table
  }

  /// The sentiment of each phrase of a sentence.
  public func predict(_ words: [String]) throws -> [String] { try predict(words, with: PredictionOptions()) }

  /// The sentiment of each phrase of a sentence, drawn too where asked for.
  public func predict(_ words: [String], with options: PredictionOptions) throws -> [String] {
    let text = words.joined(separator: " ")
    guard text.contains(where: { !$0.isWhitespace }) else {
      throw KasaneError("predict: no words, \(Self.predictionUsage) expected")
    }
    let tree = try SyntaxTree(sentence: text, classCount: SentimentTrees.classCount, source: "predict")
    let item = item(tree)
    guard item.words.contains(where: { $0 != vocabulary!.unknown }) else {
      throw KasaneError("predict: none of the words is known to the run, \(Self.predictionUsage) expected")
    }
    let (words, _, trees) = batch([item])
    let (classes, rows) = (SentimentTrees.classCount, trees.rows[0])
    let probabilities = softmax(model(words, trees)).elements(as: Float.self)
    let answers = rows.map { row in
      let shares = probabilities[row * classes..<(row + 1) * classes]
      let best = shares.indices.max { shares[$0] < shares[$1] }!
      return PhraseAnswer(label: best - row * classes, share: Double(shares[best]))
    }
    let answered = tree.relabelled(answers.map(\.label))
    if let path = options.svg { try Files.write(drawing(of: answered, answers), to: path) }
    let given = tree.label.map { "  (given: \(SentimentTrees.classNames[$0]))" } ?? ""
    return outline(of: answered, answers)
      + ["\(answered)", "Answer: \(SentimentTrees.classNames[answers.last!.label])\(given)"]
  }
}

extension SentimentTrees.Split: ExpressibleByArgument {}

/// A path that holds wherever the program is called; the sample has none.
private func treeLocation(_ flag: String) -> @Sendable (String) throws -> String {
  { argument in
    guard !argument.isEmpty else { throw ValidationError("\(flag): empty, a path expected") }
    if argument == SentimentTrees.sample || argument.hasPrefix("/") { return argument }
    return FileManager.default.currentDirectoryPath + "/" + argument
  }
}
