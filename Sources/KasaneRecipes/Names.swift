// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// A recurrent network reads first names character by character and learns to go on with the beginning of one.
public final class Names: TextRecipe {
  /// The name on the command line.
  public static let name = "names"
  /// What it is, in one line.
  public static let summary = "A recurrent network learns first names by characters and makes up others."
  /// What `predict` takes after the run.
  public static let predictionUsage = "the beginning of a name, such as mar"
  static let example = "mar"

  // MARK: Options

  /// The options of a run.
  public struct Options: TextOptions {
    @Option(help: .textPreset("a quarter of the names, which", full: "names")) public var preset: Preset?
    @Option(
      textOf: "--corpus",
      "Text file with a name a line, folder of such files, data set in KASANE_DATA, or sample (default: by the preset)."
    )
    public var corpus: String?
    @Option(help: "Kind of the recurrent cells.")
    public var cell = RecurrentKind.lstm
    @Option(help: "Size of a character's vector (1 to 4096).")
    public var features = 32
    @Option(help: "Units of the recurrent layer (1 to 4096).")
    public var hidden = ByPreset(quick: 64, full: 128)
    @Option(help: "Passes over the names (1 to 10000).")
    public var epochs = ByPreset(quick: 6, full: 15)
    @Option(help: "Names in one iteration (1 to 65536).")
    public var batch = 64
    @Option(help: "Largest step size of Adam (above 0); it falls to 0 along a cosine.")
    public var learningRate = 0.005
    @Option(help: .patience) public var patience = 3

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--features", features, in: 1...4096)
      try require("--hidden", self[\.hidden], in: 1...4096)
      try require("--batch", batch, in: 1...65536)
      try requireLearningRate("--learning-rate", learningRate)
      try validateText()
    }

    var dataset: String { "names" }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(
      textOf: "--data", "Names to judge by (default: those of the run's that were not learned from).")
    public var data: String?
    @Option(help: "Names to make up (1 to 1000000).")
    public var samples = 1000
    @Option(help: "Seed of the names made up.")
    public var seed: UInt64 = 0

    /// A thousand names, and those that the run was judged by.
    public init() {}

    /// Checks the ranges.
    public func validate() throws { try require("--samples", samples, in: 1...1_000_000) }
  }

  /// The options of a prediction.
  public struct PredictionOptions: ParsableArguments {
    @Option(help: "Names to make up (1 to 100000).")
    public var count = 10
    @OptionGroup public var sampling: SamplingOptions

    /// Ten names.
    public init() {}

    /// Checks the ranges.
    public func validate() throws { try require("--count", count, in: 1...100_000) }
  }

  // MARK: Data

  /// What stands before and after a name.
  private static let end = "\n"
  private static let longest = 40

  private struct Data {
    let training: [[Int32]]
    let validation: [[Int32]]
    let known: Set<String>
    let fingerprint: String
    var batches: ShuffledBatches
  }

  private var data: Data?
  private let tokenizer = CharacterTokenizer()

  /// The names of a corpus, in lower case, each once.
  private static func names(in corpus: Corpus) throws -> [String] {
    var (names, known) = ([String](), Set<String>())
    try corpus.forEachLine { line in
      let name = WhitespaceTokenizer().tokens(in: line.lowercased()).joined(separator: " ")
      guard !name.isEmpty, known.insert(name).inserted else { return }
      guard name.unicodeScalars.count <= longest else {
        throw KasaneError(
          "\(corpus.name): a name of \(name.unicodeScalars.count) characters, at most \(longest) expected")
      }
      names.append(name)
    }
    guard !names.isEmpty else { throw KasaneError("\(corpus.name): no names to learn from") }
    return names
  }

  /// Reads the names, a tenth of which is kept to judge by.
  public func prepare() throws {
    let corpus = try Corpus.parts(at: options.place, sample: .names).training
    let names = try Self.names(in: corpus)
    guard names.count >= 10 else {
      throw KasaneError("\(corpus.name): too few names to learn from: \(names.count), at least 10 expected")
    }
    var counts = [Self.end: names.count]
    for (index, name) in names.enumerated() where index % 10 != 9 {
      tokenizer.forEachToken(in: name) { counts[$0, default: 0] += 1 }
    }
    use(vocabulary ?? Vocabulary(counts: counts, special: [Self.end]))
    let encoded = names.map { vocabulary!.encode(tokenizer.tokens(in: $0)) }
    // Every tenth, since lists of names are often sorted.
    let training = encoded.enumerated().filter { $0.offset % 10 != 9 }.map(\.element)
    data = Data(
      training: training, validation: encoded.enumerated().filter { $0.offset % 10 == 9 }.map(\.element),
      known: Set(names), fingerprint: try TokenizedText(corpus, by: tokenizer, lineEnd: Self.end).fingerprint,
      batches: ShuffledBatches(count: training.count, size: options.batch, seed: seed, stream: Stream.order))
  }

  /// What tells the names from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let vocabulary else { return [] }
    return opening(
      data.training.count, data.validation.count, "names", known: "\(vocabulary.count - 1) characters")
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2, writing: UInt64 = 3
  }

  /// What is trained.
  public typealias Model = RecurrentLanguageModel
  var network: RecurrentLanguageModel?
  var vocabulary: Vocabulary?
  static let specialTokens = [end]

  func newNetwork(for vocabulary: Vocabulary) -> RecurrentLanguageModel {
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    return RecurrentLanguageModel(
      tokens: vocabulary.count, features: options.features, hidden: options[\.hidden], layers: 1,
      cell: options.cell, dropout: 0, isTied: false, using: &weights)
  }

  /// What trains it.
  public let optimizer: any Optimizer
  /// Nothing is drawn from it: the order of the names has its own.
  public var random: RandomGenerator
  let options: Options
  private let seed: UInt64

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    optimizer = Adam(learningRate: options.learningRate)
    random = RandomGenerator(seed: seed, stream: Stream.training)
  }

  var iterationsPerEpoch: Int { data?.batches.batchesPerEpoch ?? 0 }
  /// The characters of names of the mean length.
  public var tokensPerIteration: Int? {
    data.map { data in
      options.batch * data.training.reduce(0) { $0 + $1.count + 1 } / max(data.training.count, 1)
    }
  }

  /// What stands where a name has come to its end.
  private static let ignored: Int32 = -1

  /// Names side by side: what is read, and what follows each character.
  private func batch(_ names: [[Int32]]) -> (inputs: Tensor, targets: Tensor) {
    let steps = names.map(\.count).max()! + 1
    let inputs = Tensor(shape: [names.count, steps], of: Int32.self) { memory in
      for (row, name) in names.enumerated() {
        for step in 0..<steps {
          memory[row * steps + step] = step > 0 && step <= name.count ? name[step - 1] : 0
        }
      }
    }
    let targets = Tensor(shape: [names.count, steps], of: Int32.self) { memory in
      for (row, name) in names.enumerated() {
        for step in 0..<steps {
          memory[row * steps + step] = step < name.count ? name[step] : step == name.count ? 0 : Self.ignored
        }
      }
    }
    return (inputs, targets)
  }

  func learn(_ iteration: Int) -> Learned {
    let (inputs, targets) = batch(data!.batches.indices(at: iteration).map { data!.training[$0] })
    let (loss, gradients) = valueWithGradient(at: model) { model in
      crossEntropy(model(inputs).logits, targets, ignoredIndex: Int(Self.ignored))
    }
    return descend(loss, gradients, clip: 1, learningRate: options.learningRate, at: iteration)
  }

  func judge() -> TextJudgement { TextJudgement(loss: judge(data!.validation)) }
  func quality(of loss: Double) -> String? { "bits per character \(fixed(bits(of: loss), 4))" }

  // MARK: After training

  /// The mean loss of the characters of names, their ends included.
  private func judge(_ names: [[Int32]]) -> Double {
    var (total, characters) = (0.0, 0)
    for start in stride(from: 0, to: names.count, by: 256) {
      let part = Array(names[start..<min(start + 256, names.count)])
      let (inputs, targets) = batch(part)
      let ignored = Int(Self.ignored)
      total += crossEntropy(model(inputs).logits, targets, ignoredIndex: ignored, reduction: .sum).scalar
      characters += part.reduce(0) { $0 + $1.count + 1 }
    }
    return total / Double(characters)
  }

  /// A name that begins with the given characters.
  private func madeUp(
    _ beginning: [Int32], by sampling: SamplingOptions, using random: inout RandomGenerator
  ) -> String {
    let written = model.continued(
      [0] + beginning, count: Self.longest - beginning.count, by: sampling, ending: [0], using: &random)
    return vocabulary!.decode(beginning + written).joined()
  }

  /// How well names are predicted, and how many of those made up are new, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let names: [[Int32]]
    var known: Set<String> = []
    if let place = evaluation.data {
      let found = try Self.names(in: try Corpus.parts(at: place, sample: .names).training)
      names = try found.map { name in
        let characters = tokenizer.tokens(in: name)
        if let strange = characters.first(where: { vocabulary!.number(of: $0) == nil }) {
          throw KasaneError("\(place): the run does not know the character \(strange) of \(name)")
        }
        return vocabulary!.encode(characters)
      }
      known = Set(found)
    } else {
      try prepare()
      (names, known) = (data!.validation, data!.known)
    }
    let loss = judge(names)
    var random = RandomGenerator(seed: evaluation.seed, stream: Stream.writing)
    let sampling = try SamplingOptions.parse([])
    let made = (0..<evaluation.samples).map { _ in madeUp([], by: sampling, using: &random) }
    let new = made.count { !known.contains($0) }
    return [
      "Names: \(names.count)", "Mean loss: \(fixed(loss, 4))",
      "Bits per character: \(fixed(bits(of: loss), 4))",
      "Made up: \(made.count), of which \(fixed(100 * Double(new) / Double(made.count), 1)) % are not in the list, "
        + "such as \(made.filter { !known.contains($0) }.prefix(5).joined(separator: ", "))",
    ]
  }

  /// Names made up after some beginnings.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    var random = RandomGenerator(seed: seed, stream: Stream.writing)
    let temperatures = [0.5, 1]
    let beginnings = ["", "a", "mar", "jo", "s"].map { tokenizer.tokens(in: $0) }
      .filter { $0.allSatisfy { vocabulary!.number(of: $0) != nil } }
    let rows = try beginnings.map { beginning in
      let columns = try temperatures.map { temperature in
        var sampling = try SamplingOptions.parse([])
        sampling.temperature = temperature
        return (0..<6).map { _ in madeUp(vocabulary!.encode(beginning), by: sampling, using: &random) }
          .joined(separator: ", ")
      }
      return [beginning.isEmpty ? "–" : beginning.joined() + "…"] + columns
    }
    return [
      Exhibit(
        "samples", title: language("Names made up", "作られた名前"),
        caption: language(
          "Drawn from the network after some beginnings; the lower the temperature, the more usual.",
          "書き出しごとにネットワークから引いた名前です。温度が低いほど、ありふれたものになります。"),
        .table(
          columns: [.init(language("Beginning", "書き出し"))]
            + temperatures.map { .init(language("Temperature \($0)", "温度 \($0)")) }, rows: rows))
    ]
  }

  /// Names that begin with the word.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: try PredictionOptions.parse([]))
  }

  /// Names that begin with the word.
  public func predict(_ words: [String], with options: PredictionOptions) throws -> [String] {
    let text = WhitespaceTokenizer().tokens(in: words.joined(separator: " ").lowercased())
    let characters = tokenizer.tokens(in: text.joined(separator: " "))
    guard !characters.isEmpty else {
      throw KasaneError("predict: no letters, \(Self.predictionUsage) expected")
    }
    guard characters.count < Self.longest else {
      throw KasaneError("predict: \(characters.count) characters, fewer than \(Self.longest) expected")
    }
    if let strange = characters.first(where: { vocabulary!.number(of: $0) == nil }) {
      throw KasaneError(
        "predict: the run does not know the character \(strange), \(Self.predictionUsage) expected")
    }
    var random = RandomGenerator(seed: options.sampling.seed, stream: Stream.writing)
    let beginning = vocabulary!.encode(characters)
    return (0..<options.count).map { _ in madeUp(beginning, by: options.sampling, using: &random) }
  }
}
