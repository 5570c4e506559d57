// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
public import KasaneData
import KasaneModels

/// What a network learns to turn into what.
public enum TranslationTask: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
  /// Sums into their results, character by character.
  case addition
  /// Dates as people write them into those of ISO 8601, character by character.
  case dates
  /// Sentences of Japanese into English.
  case japaneseToEnglish = "ja-en"
  /// Sentences of English into Japanese.
  case englishToJapanese = "en-ja"

  /// The problems that can be drawn; nil for languages.
  var problems: SequenceProblems? {
    switch self {
    case .addition: .addition
    case .dates: .dates
    default: nil
    }
  }
  var dataset: String { problems == nil ? "small_parallel_enja" : "dlfs2_sequences" }
}

extension ParallelText.Overlong: ExpressibleByArgument {}
extension PairTokens: ExpressibleByArgument {}

/// What pairs of sequences a recipe learns from, and how it reads them, as options.
public struct PairOptions: ParsableArguments, Encodable {
  @Option(textOf: "--source", "Sources, a file with one a line, plain or gzip; goes with --target.")
  public var source: String?
  @Option(textOf: "--target", "Their targets, line by line.")
  public var target: String?
  @Option(textOf: "--validation-source", "Sources to judge by (default: the last tenth).")
  public var validationSource: String?
  @Option(textOf: "--validation-target", "Their targets.")
  public var validationTarget: String?
  @Option(
    help: "What lies between white space, or every character (default: characters of problems, else words)."
  )
  public var tokens: PairTokens?
  @Option(pieces: .sourcePieces) public var sourcePieces: String?
  @Option(pieces: .targetPieces) public var targetPieces: String?
  @Flag(help: "Read sources from their ends, so that their beginnings are fresh (Sutskever et al. 2014).")
  public var reverse = false
  @Flag(help: "Show the decoder what the encoder ended with at every step (Cho et al. 2014).")
  public var peeky = false
  @Option(help: "Kind of the recurrent cells.")
  public var cell = RecurrentKind.lstm

  /// The defaults.
  public init() {}

  /// Checks that what belongs together is there.
  public func validate() throws {
    guard (source == nil) == (target == nil) else {
      throw ValidationError(
        "\(source == nil ? "--source" : "--target"): missing: the other file is given, both or none expected")
    }
    guard (validationSource == nil) == (validationTarget == nil) else {
      throw ValidationError(
        "\(validationSource == nil ? "--validation-source" : "--validation-target"): missing: the other file is given, "
          + "both or none expected")
    }
    guard validationSource == nil || source != nil else {
      throw ValidationError("--validation-source: goes with --source and --target alone")
    }
  }
}

/// How a recipe learns from pairs, and what it leaves out of them, as options.
public struct PairTrainingOptions: ParsableArguments, Encodable {
  @Option(
    help:
      "Part of the tokens that the decoder hears from itself at the training's end (0 to 1; Bengio et al. 2015)."
  )
  public var ownTokens = 0.0
  @Option(help: "Largest norm of the gradients (above 0).")
  public var clip = 5.0
  @Option(help: "Tokens of a side to know at most, the commonest ones (3 or more).")
  public var words = 50_000
  @Option(help: "Tokens seen less often are unknown (1 or more).")
  public var minimumCount = 2
  @Option(help: "Tokens of a source or a target at most (1 to 10000).")
  public var longest = 60
  @Option(help: "What becomes of pairs with more.")
  public var overlong = ParallelText.Overlong.truncate
  @Option(help: .patience) public var patience = 0

  /// The defaults.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    guard (0...1).contains(ownTokens) else {
      throw ValidationError("--own-tokens: \(ownTokens) is out of range, 0 to 1 expected")
    }
    try requirePositive("--clip", clip)
    try require("--words", words, in: 3...Int.max)
    try require("--minimum-count", minimumCount, in: 1...Int.max)
    try require("--longest", longest, in: 1...10_000)
  }
}

/// The options of a recipe on pairs of sequences, among which all have the common ones as their own.
@dynamicMemberLookup
protocol TranslationOptions: TextOptions {
  var task: ByPreset<TranslationTask> { get }
  /// What all have of pairs.
  var pairs: PairOptions { get }
  /// What all have of learning from them.
  var limits: PairTrainingOptions { get }
  var bothWays: Bool { get }
  var features: ByPreset<Int> { get }
  var hidden: ByPreset<Int> { get }
  var dropout: ByPreset<Double> { get }
  var batch: ByPreset<Int> { get }
  var learningRate: ByPreset<Double> { get }
}

extension TranslationOptions {
  subscript<Value>(dynamicMember option: KeyPath<PairOptions, Value>) -> Value { pairs[keyPath: option] }
  subscript<Value>(dynamicMember option: KeyPath<PairTrainingOptions, Value>) -> Value {
    limits[keyPath: option]
  }
  var patience: Int { limits.patience }
  var corpus: String? { pairs.source }
  var dataset: String { self[\.task].dataset }

  /// The preset given, or the one that the data at hand allow.
  public var chosenPreset: Preset? {
    preset
      ?? (pairs.source != nil || Files.exists(DataFolder.folder(of: task.value(in: .full).dataset))
        ? .full : .quick)
  }

  /// What tokens are: those of the task, unless told otherwise.
  var chosenTokens: PairTokens {
    pairs.tokens ?? (pairs.source == nil && self[\.task].problems != nil ? .characters : .words)
  }

  /// Checks the ranges of what all have of a network and its training.
  func validateNetwork() throws {
    for (flag, pieces) in [("--source-pieces", pairs.sourcePieces), ("--target-pieces", pairs.targetPieces)]
    where pieces != nil && pairs.source == nil && self[\.task].problems != nil {
      throw ValidationError(
        "\(flag): for sentences; the task \(self[\.task].rawValue) goes character by character")
    }
    try require("--features", self[\.features], in: 1...8192)
    try require("--hidden", self[\.hidden], in: 1...8192)
    try require("--dropout", self[\.dropout], in: 0..<1)
    try require("--batch", self[\.batch], in: 1...65536)
    try requireLearningRate("--learning-rate", self[\.learningRate])
    try validateText()
  }
}

/// Pairs to learn from and pairs to judge by.
struct TranslationData {
  let validation: ParallelText
  let validationPairs: [TranslationSystem.Pair]
  let trainingCount: Int
  /// What messages call the text.
  let name: String
  let notes: [String]
  let fingerprint: String
  let order: LengthBatches
  /// Batches made on another thread.
  let batches: Prefetcher<LengthBatches, PairBatch>
  /// Tokens and ends of the targets of a batch in the mean.
  let targetsPerBatch: Int
}

/// A recipe that learns to turn sequences into others from pairs. What such recipes have in common is here.
protocol TranslationRecipe: TextRecipe, SentenceEncoder
where
  Model == Translator, Options: TranslationOptions, EvaluationOptions == TranslationEvaluationOptions,
  PredictionOptions == TranslationPredictionOptions
{
  /// The seed of everything random.
  var seed: UInt64 { get }
  /// The pairs, once they were read.
  var data: TranslationData? { get set }
  /// How sources and targets are taken apart, once the models of pieces, if there are any, were read.
  var form: PairForm? { get set }
  /// What sources are made of; `vocabulary` is that of the targets.
  var sourceVocabulary: Vocabulary? { get set }
}

enum TranslationStream {
  static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2, hearing: UInt64 = 3,
    problems: UInt64 = 4
}

extension TranslationRecipe {
  static var specialTokens: [String] { TranslationSystem.specialTokens }

  // MARK: Data

  /// Reads the pairs and, unless the run has them already, makes both vocabularies.
  public func prepare() throws {
    let form = try form ?? newForm { file, _ in file }
    self.form = form
    let (training, validation, name) = try read(form)
    if vocabulary == nil {
      func known(_ sentences: [[String]], _ unit: String, _ side: String) throws -> Vocabulary {
        let found = Vocabulary(
          counts: ParallelText.counts(sentences), special: Self.specialTokens, unknown: Self.specialTokens[1],
          minimumCount: options.minimumCount, limit: options.words)
        guard found.count > found.specialCount else {
          throw KasaneError(
            "\(name): all \(unit) of the \(side) are unknown: none is seen "
              + "\(options.minimumCount) times; a lower --minimum-count may help")
        }
        return found
      }
      sourceVocabulary = try known(training.source, form.sourceUnit, "sources")
      use(try known(training.target, form.targetUnit, "targets"))
    }
    let pairs = system.pairs(of: training)
    // A decoder's steps cost most, so pairs go by their targets' lengths first.
    let order = LengthBatches(
      lengths: pairs.map { $0.target.count * 1024 + min($0.source.count, 1023) },
      size: min(options[\.batch], pairs.count), seed: seed, stream: TranslationStream.order)
    let batches = Prefetcher(of: order) { order, iteration in
      let part = order.indices(at: iteration).map { pairs[$0] }
      return PairBatch(part.map(\.source), part.map(\.target), end: TranslationSystem.end)
    }
    var notes: [String] = []
    if training.emptyPairs > 0 {
      notes.append("Note: \(training.emptyPairs) pairs with an empty side are left out")
    }
    if training.overlongPairs > 0 {
      let fate = options.overlong == .skip ? "left out" : "cut after so many"
      notes.append(
        "Note: \(training.overlongPairs) pairs with more than \(options.longest) "
          + "\(form.unit) on a side are \(fate)")
    }
    let targets = pairs.reduce(0) { $0 + $1.target.count + 1 }
    data = TranslationData(
      validation: validation, validationPairs: system.pairs(of: validation), trainingCount: training.count,
      name: name, notes: notes, fingerprint: "\(training.fingerprint), \(validation.fingerprint)",
      order: order, batches: batches, targetsPerBatch: targets / order.batchesPerEpoch)
  }

  /// The form of the run's pairs, with the models of pieces from where `place` says: of the option's file, which has a name
  /// of its own in a run.
  private func newForm(_ place: (_ file: String, _ name: String) -> String) throws -> PairForm {
    func pieces(_ file: String?, _ name: String) throws -> SentencePieceTokenizer? {
      try file.map { try SentencePieceTokenizer(contentsOf: place($0, name)) }
    }
    return PairForm(
      tokens: options.chosenTokens, sourcePieces: try pieces(options.sourcePieces, "source-pieces.model"),
      targetPieces: try pieces(options.targetPieces, "target-pieces.model"))
  }

  /// The pairs of two files.
  func files(_ source: String, _ target: String, _ form: PairForm) throws -> ParallelText {
    try ParallelText(
      source: source, target: target, by: try form.sourceTokenizer(), and: try form.targetTokenizer(),
      longest: options.longest, overlong: options.overlong)
  }

  /// The pairs to learn from and to judge by, and what messages call them.
  private func read(
    _ form: PairForm
  ) throws -> (training: ParallelText, validation: ParallelText, name: String) {
    func split(_ all: ParallelText, _ name: String) throws -> (ParallelText, ParallelText, String) {
      guard all.count > 1 else {
        throw KasaneError("\(name): 1 pair, at least 2 expected: one to learn from, one to judge by")
      }
      let (training, validation) = all.split()
      return (training, validation, name)
    }
    if let source = options.source, let target = options.target {
      let name = "\(source), \(target)"
      let all = try files(source, target, form)
      guard let judgedSource = options.validationSource, let judgedTarget = options.validationTarget else {
        return try split(all, name)
      }
      return (all, try files(judgedSource, judgedTarget, form), name)
    }
    let task = options[\.task]
    let folder = DataFolder.folder(of: task.dataset)
    if let problems = task.problems {
      let isQuick = options.chosenPreset == .quick
      let path = "\(folder)/\(problems == .dates ? "date" : "addition").txt.gz"
      if !isQuick, Files.exists(path) { return try split(SequenceProblems.read(path), path) }
      // A sample of the problems that there are; small numbers have few.
      let (count, limit) = isQuick ? (8000, 100) : (50_000, 1000)
      return try split(
        problems.drawn(count, below: limit, seed: seed), "\(problems.rawValue), drawn at random")
    }
    let (source, target) = task == .japaneseToEnglish ? ("ja", "en") : ("en", "ja")
    func side(_ part: String, _ language: String) -> String { "\(folder)/\(part).\(language).gz" }
    guard Files.exists(side("train", source)) else {
      throw KasaneError(
        "\(folder): no such folder of sentences, which --task \(task.rawValue) learns from"
          + DataFolder.hint(for: folder))
    }
    return (
      try files(side("train", source), side("train", target), form),
      try files(side("dev", source), side("dev", target), form), folder
    )
  }

  /// Keeps both vocabularies, and the models of pieces where there are any.
  public func keepFiles(in run: RunFolder) throws {
    try vocabulary!.write(to: vocabularyPath(in: run))
    try sourceVocabulary!.write(to: run.file("source-vocabulary.json"))
    try form!.sourcePieces?.write(to: run.file("source-pieces.model"))
    try form!.targetPieces?.write(to: run.file("target-pieces.model"))
  }

  /// Reads them.
  public func recallFiles(from run: RunFolder) throws {
    form = try newForm { _, name in run.file(name) }
    sourceVocabulary = try Vocabulary(contentsOf: run.file("source-vocabulary.json"))
    try recallVocabulary(from: run)
  }

  /// What tells the pairs from others.
  public var dataFingerprint: String? { data?.fingerprint }
  /// Tokens and ends of targets.
  public var tokensPerIteration: Int? { data?.targetsPerBatch }
  /// Batches are made on another thread.
  public var waitingShare: Double? { data?.batches.waitingShare }
  var iterationsPerEpoch: Int { data?.order.batchesPerEpoch ?? 0 }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data, let form, let sourceVocabulary, let vocabulary else { return [] }
    func known(_ vocabulary: Vocabulary) -> Int { vocabulary.count - vocabulary.specialCount }
    return [
      "Learning from \(data.trainingCount) pairs of \(data.name), judged by \(data.validation.count) others; "
        + "\(known(sourceVocabulary)) \(form.sourceUnit) of sources and \(known(vocabulary)) "
        + (form.sourceUnit == form.targetUnit ? "" : "\(form.targetUnit) ") + "of targets are known"
    ] + data.notes
  }

  // MARK: Training

  /// One iteration. The loss is what a token costs.
  func learn(_ iteration: Int) -> Learned {
    // What makes batches does not fail.
    guard let batch = try? data!.batches.element(at: iteration) else { return Learned(loss: .nan) }
    var random = self.random
    // The decoder hears itself the more the longer the training lasts (Bengio et al. 2015, section 2.4).
    let own: (rate: Double, random: RandomGenerator)? =
      options.ownTokens == 0
      ? nil
      : (
        options.ownTokens * Double(iteration) / Double(iterations),
        RandomGenerator(seed: seed, stream: TranslationStream.hearing, position: UInt64(iteration) << 32)
      )
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in model.cost(batch, own: own) / Double(batch.targetCount) }
    }
    self.random = random
    return descend(
      loss, gradients, clip: options.clip, learningRate: options[\.learningRate], at: iteration)
  }

  /// The model and what it needs to be measured and to translate.
  var system: TranslationSystem {
    TranslationSystem(
      model: model, source: sourceVocabulary!, target: vocabulary!, form: form!, isReversed: options.reverse)
  }

  /// By the likeliest tokens, of no more pairs than a glance takes.
  func judge() -> TextJudgement {
    let (system, text) = (system, data!.validation)
    let loss = system.loss(of: data!.validationPairs)
    let few = min(text.count, 1000)
    let references = Array(text.target.prefix(few))
    let said = system.best(
      of: Array(text.source.prefix(few)), by: TranslationSystem.Manner(longest: options.longest))
    let score = system.score(said, references)
    var metrics = ["validation_accuracy": score.accuracy]
    if score.areSentences { metrics["validation_bleu"] = score.bleu.score }
    return TextJudgement(loss: loss, metrics: metrics, remark: score.summary)
  }

  func quality(of loss: Double) -> String? { "perplexity \(fixed(perplexity(of: loss), 2))" }
}

/// How good translations are.
struct TranslationScore {
  /// The share of those that are right to the last token.
  let accuracy: Double
  let bleu: BLEU
  /// Whether they are sentences, of which words are right or wrong.
  let areSentences: Bool

  init(_ said: [[String]], _ references: [[String]], areSentences: Bool) {
    accuracy = Double(zip(said, references).count { $0 == $1 }) / Double(max(references.count, 1))
    bleu = BLEU.corpus(said, references: references)
    self.areSentences = areSentences
  }

  /// The measure that fits.
  var summary: String {
    areSentences ? "BLEU \(fixed(bleu.score, 2))" : "right \(fixed(100 * accuracy, 2)) %"
  }
}
