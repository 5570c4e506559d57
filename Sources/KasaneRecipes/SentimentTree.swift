// SPDX-License-Identifier: Apache-2.0

public import Kasane
import KasaneData
public import KasaneModels

/// A recursive network learns what every phrase of a sentence thinks of a film, along the sentence's syntax tree (Socher
/// et al. 2013; Tai, Socher and Manning 2015).
public final class SentimentTree: SentenceEncoder {
  /// The name on the command line.
  public static let name = "sentiment-tree"
  /// What it is, in one line.
  public static let summary = "A recursive network learns the sentiment of every phrase of a syntax tree."
  /// What `predict` takes after the run.
  public static let predictionUsage =
    "a tree such as \"(2 (3 good) (2 film))\", one without labels such as \"((a good) film)\", or plain words"
  /// Sentences are answered line by line.
  public static let predictsLines = true

  // MARK: Data

  /// A tree by numbers.
  struct Item {
    let children: [TreeBatch.Children?]
    let words: [Int]
    let labels: [Int]
  }

  /// What the iterations learn from and are judged by.
  struct Data {
    let training: [Item]
    let validation: [Item]
    let fingerprint: String
    /// How many words the trees to learn from have.
    let wordCount: Int
    var batches: ShuffledBatches
  }

  private(set) var data: Data?
  private(set) var vocabulary: Vocabulary?
  private static let unknown = "<unk>"

  /// Reads the trees, and makes the vocabulary unless the run has one already.
  public func prepare() throws {
    let place = options.place
    guard place == SentimentTrees.sample || Files.exists(place) else {
      throw KasaneError(
        "\(place): no such folder: put train.txt and dev.txt there, or name their folder with --data; --preset quick "
          + "learns from trees that the program makes up" + DataFolder.hint(for: place))
    }
    let training = try SentimentTrees.load(.train, from: place)
    let validation = try SentimentTrees.load(.dev, from: place)
    let given = try givenVectors()
    if vocabulary == nil { makeNetwork(from: training, given) }
    hasGivenVector = Set((given?.words ?? []).compactMap(vocabulary!.number(of:)))
    data = Data(
      training: training.map(item), validation: validation.map(item),
      fingerprint: SentimentTrees.fingerprint(of: training),
      wordCount: training.reduce(0) { $0 + $1.words.count },
      batches: ShuffledBatches(
        count: training.count, size: options[\.batch], seed: seed, stream: Stream.order))
  }

  /// The vectors to begin with, if there are any.
  private func givenVectors() throws -> WordVectors? {
    guard let file = options.vectors else { return nil }
    let vectors = try WordVectors(contentsOf: file)
    guard vectors.featureCount == options[\.features] else {
      throw KasaneError(
        "\(file): vectors of \(vectors.featureCount) numbers, \(options[\.features]) expected (--features)")
    }
    return vectors
  }

  /// The vocabulary of the trees and of the given vectors, and a network that begins with those.
  private func makeNetwork(from trees: [SyntaxTree], _ given: WordVectors?) {
    var counts: [String: Int] = [:]
    for tree in trees { for word in tree.words { counts[word.lowercased(), default: 0] += 1 } }
    for word in given?.words ?? [] { counts[word, default: 0] += 0 }
    let vocabulary = Vocabulary(counts: counts, unknown: Self.unknown, minimumCount: 0)
    use(vocabulary)
    guard let given else { return }
    let weight = network!.embedding.weight
    // A word may have more numbers than its vector, which come after it.
    let width = weight.shape[1]
    weight.withMutableElements(of: Float.self) { rows in
      given.vectors.withElements(of: Float.self) { vectors in
        let size = given.featureCount
        for (place, word) in given.words.enumerated() {
          guard let number = vocabulary.number(of: word) else { continue }
          for feature in 0..<size { rows[number * width + feature] = vectors[place * size + feature] }
        }
      }
    }
  }

  /// Keeps the vocabulary.
  public func keepFiles(in run: RunFolder) throws { try vocabulary!.write(to: vocabularyPath(in: run)) }

  /// Reads the vocabulary.
  public func recallFiles(from run: RunFolder) throws {
    use(try Vocabulary(contentsOf: vocabularyPath(in: run)))
  }

  /// A tree by the numbers of the vocabulary.
  func item(_ tree: SyntaxTree) -> Item {
    Item(
      children: tree.nodes.map { $0.isLeaf ? nil : ($0.left, $0.right) },
      words: tree.words.map { vocabulary!.number(of: $0.lowercased()) ?? vocabulary!.unknown! },
      labels: tree.nodes.map { $0.label ?? 0 })
  }

  /// Trees put together: the words of the leaves and the classes of all nodes, in the order of the trees' rows.
  func batch(_ items: [Item], word: (Int) -> Int = { $0 }) -> (
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
  let options: Options
  private let seed: UInt64
  /// The words whose vectors were given: rare or not, they are known.
  private var hasGivenVector: Set<Int> = []
  var lastJudgement: Judgement?

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
        learningRate: options[\.learningRate], weightDecay: options.weightDecay, groups: [words, tensor])
    case .adam:
      optimizer = Adam(
        learningRate: options[\.learningRate], weightDecay: options.weightDecay, groups: [words, tensor])
    }
  }

  private func use(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    var random = RandomGenerator(seed: seed, stream: Stream.weights)
    let (features, hidden) = (options[\.features], options[\.hidden])
    var words = Tensor(normal: [vocabulary.count, features], standardDeviation: 0.1, using: &random)
    let encoder: any TreeEncoder
    switch options.model {
    case .rnn: encoder = RecursiveNetwork(features, using: &random)
    case .matrixVector:
      let network = MatrixVectorNetwork(features, rank: options.rank ?? 3, using: &random)
      words = network.words(with: words, using: &random)
      encoder = network
    case .rntn: encoder = RecursiveTensorNetwork(features, using: &random)
    case .treeLSTM: encoder = BinaryTreeLSTM(features, hidden, using: &random)
    case .childSum: encoder = ChildSumTreeLSTM(features, hidden, using: &random)
    }
    network = SentimentTreeClassifier(
      words: words, encoder: encoder, classCount: SentimentTrees.classCount, dropout: options[\.dropout],
      using: &random)
  }

  /// The option's.
  public var patience: Int? { options.patience == 0 ? nil : options.patience }
  /// The words of as many trees as a batch has, on average.
  public var tokensPerIteration: Int? { data.map { $0.wordCount / $0.batches.batchesPerEpoch } }

  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * (data?.batches.batchesPerEpoch ?? 0) }

  /// One iteration: forward, backward, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let items = data!.batches.indices(at: iteration).map { data!.training[$0] }
    // Words that were seen once sometimes stand for all that will be new.
    let (vocabulary, given) = (vocabulary!, hasGivenVector)
    var random = self.random
    let (words, labels, trees) = batch(items) { word in
      let isRare = vocabulary.counts[word] <= 1 && !given.contains(word)
      return isRare && random.next() >> 63 == 0 ? vocabulary.unknown! : word
    }
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in crossEntropy(model(words, trees), labels) }
    }
    self.random = random
    optimizer.learningRate = Schedule.cosine(from: options[\.learningRate], to: 0, steps: iterations)(
      iteration)
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
}
