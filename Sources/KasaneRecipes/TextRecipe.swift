// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData

/// A recipe that learns from a corpus in epochs, is judged after each by text that it does not learn from, and needs the
/// vocabulary of that corpus for whatever it does later. What such recipes have in common is here.
protocol TextRecipe: Recipe where Options: TextOptions {
  /// What follows `predict RUN` in an example.
  static var example: String { get }
  /// The options of the run.
  var options: Options { get }
  /// The tokens that are known, once the text or the run's folder was read.
  var vocabulary: Vocabulary? { get set }
  /// The tokens that a vocabulary begins with, which are not of the text.
  static var specialTokens: [String] { get }
  /// The network, which is there once the vocabulary is.
  var network: Model? { get set }
  /// A network for a vocabulary with the weights that it begins with.
  func newNetwork(for vocabulary: Vocabulary) -> Model

  /// How many iterations an epoch has; 0 before the text was read.
  var iterationsPerEpoch: Int { get }
  /// One iteration: forward, backward, update.
  func learn(_ iteration: Int) -> Learned
  /// How good the network is on the text to judge by.
  func judge() -> TextJudgement
  /// A loss by the measure that is usual, where there is one.
  func quality(of loss: Double) -> String?
  /// What else is worth saying of the network that is kept in the end.
  func keptLines() -> [String]
}

/// What is known of an iteration of a recipe on text.
struct Learned {
  /// The loss before the update.
  var loss: Double
  /// The norm of its gradient before it was clipped, where it was.
  var gradientNorm: Double?
}

/// How good a network is on text that it does not learn from.
struct TextJudgement {
  /// The mean loss, by which epochs are compared.
  var loss: Double
  /// What else was measured, by name.
  var metrics: [String: Double] = [:]
  /// What a reader is told of that.
  var remark: String?
}

extension TextRecipe {
  /// The network, which is there once the vocabulary is.
  public var model: Model { network! }
  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * iterationsPerEpoch }
  /// The option's.
  public var patience: Int? { options.patience == 0 ? nil : options.patience }
  /// Lines of standard input are answered one by one.
  public static var predictsLines: Bool { true }

  func quality(of loss: Double) -> String? { nil }
  func keptLines() -> [String] { [] }

  // MARK: The vocabulary

  /// Takes a vocabulary and makes the network for it, unless there is one already.
  func use(_ vocabulary: Vocabulary) {
    guard self.vocabulary == nil else { return }
    self.vocabulary = vocabulary
    network = newNetwork(for: vocabulary)
  }

  /// Keeps the vocabulary.
  public func keepFiles(in run: RunFolder) throws { try vocabulary!.write(to: vocabularyPath(in: run)) }

  /// Reads the vocabulary.
  public func recallFiles(from run: RunFolder) throws { try recallVocabulary(from: run) }

  /// Reads the vocabulary. Throws one line where there is none, it was changed, or it is that of another recipe.
  func recallVocabulary(from run: RunFolder) throws {
    let path = vocabularyPath(in: run)
    let found = try Vocabulary(contentsOf: path)
    guard Array(found.tokens.prefix(found.specialCount)) == Self.specialTokens else {
      throw KasaneError("\(path): not a vocabulary of \(Self.name): it has other special tokens")
    }
    use(found)
  }

  // MARK: Training

  /// What is learned from.
  func opening(_ training: Int, _ validation: Int, _ unit: String, known: String) -> [String] {
    [
      "Learning from \(training) \(unit) of \(options.placeName), judged by \(validation) others; \(known) are known"
    ]
  }

  /// Moves the parameters against a loss's gradients, which are clipped by their norm, by a step size that falls to 0 along
  /// a cosine.
  func descend(
    _ loss: Tensor, _ gradients: Gradients, clip: Double, learningRate: Double, at iteration: Int
  ) -> Learned {
    var gradients = gradients
    let norm = gradients.clip(toNorm: clip)
    optimizer.learningRate = Schedule.cosine(from: learningRate, to: 0, steps: iterations)(iteration)
    optimizer.update(model, along: gradients)
    return Learned(loss: loss.scalar, gradientNorm: norm)
  }

  /// One iteration, and a judgement after the last of an epoch.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let learned = learn(iteration)
    var step = TrainingStep(loss: learned.loss)
    let (epoch, place) = iteration.quotientAndRemainder(dividingBy: iterationsPerEpoch)
    let head = "epoch \(epoch + 1)/\(options[\.epochs])"
    var lines: [String] = []
    if reporting {
      step.metrics["gradient_norm"] = learned.gradientNorm
      lines.append("\(head)  iteration \(iteration)  loss \(fixed(step.loss, 4))")
    }
    if place == iterationsPerEpoch - 1 {
      let found = judge()
      step.judgement = found.loss
      step.metrics.merge(found.metrics) { $1 }
      step.metrics["validation_loss"] = found.loss
      let remarks = [quality(of: found.loss), found.remark].compactMap { $0 }
      lines.append((["\(head)  validation loss \(fixed(found.loss, 4))"] + remarks).joined(separator: "  "))
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    keptLines() + bestLines(best) + [
      "Try next: \(command) predict \(run) \(Self.example)", "          \(command) evaluate \(run)",
    ]
  }

  /// The best validation loss, where there was any.
  private func bestLines(_ best: Double?) -> [String] {
    guard let best else { return [] }
    return ["Best validation loss: \(fixed(best, 4))" + (quality(of: best).map { " (\($0))" } ?? "")]
  }
}

// MARK: - Options

/// What every recipe on text can be told.
protocol TextOptions: RecipeOptions {
  /// The preset that was asked for.
  var preset: Preset? { get }
  /// The text that was asked for.
  var corpus: String? { get }
  /// Passes over the text.
  var epochs: ByPreset<Int> { get }
  /// Epochs without a better validation loss after which to stop; 0 for never.
  var patience: Int { get }
  /// The data set that the full preset learns from.
  var dataset: String { get }
}

extension TextOptions {
  /// The preset given, or the one that the data at hand allow.
  public var chosenPreset: Preset? {
    preset ?? (corpus != nil || Files.exists(DataFolder.folder(of: dataset)) ? .full : .quick)
  }

  /// Where the text is.
  var place: String { corpus ?? (chosenPreset == .quick ? Corpus.sample : DataFolder.folder(of: dataset)) }
  /// What a reader is told of that.
  var placeName: String { place == Corpus.sample ? "the sample" : place }

  /// Checks the ranges of what all have.
  func validateText() throws {
    try require("--epochs", self[\.epochs], in: 1...10_000)
    try require("--patience", patience, in: 0...Int.max)
  }
}

extension ArgumentHelp {
  /// The help of `--preset`.
  static func textPreset(
    _ sample: String = "the beginning of a novel that", full: String, present: String? = nil
  ) -> ArgumentHelp {
    ArgumentHelp(
      """
      quick: seconds on \(sample) is part of the program; full: \(full) (default: full with --corpus or with \
      \(present ?? full) in KASANE_DATA, else quick).
      """)
  }
  /// The help of `--preset` of recipes on pairs.
  static var pairPreset: ArgumentHelp {
    """
    quick: seconds on problems that are drawn at random; full: the whole thing (default: full with --source or with the \
    full task's data set in KASANE_DATA, else quick).
    """
  }
  /// The help of `--source-pieces`.
  static var sourcePieces: ArgumentHelp {
    "Model of SentencePiece whose pieces sources are made of; the run keeps a copy."
  }
  /// The help of `--target-pieces`.
  static var targetPieces: ArgumentHelp { "The same of targets, which may be the same model." }
  /// The help of `--patience`.
  static var patience: ArgumentHelp {
    "Epochs without a better validation loss after which to stop (0: never)."
  }
  /// The help of `--corpus`.
  static var corpus: ArgumentHelp {
    "Text file, plain or gzip, folder of such files, data set in KASANE_DATA, or sample (default: by the preset)."
  }
}

extension Option where Value == String? {
  /// An option that says where a text is.
  init(textOf flag: String, _ help: ArgumentHelp) {
    var help = help
    help.valueName = "file"
    self.init(help: help, completion: .file(), transform: textLocation(flag))
  }
}

extension Option where Value == String? {
  /// An option that names a model of SentencePiece.
  init(pieces help: ArgumentHelp) {
    var help = help
    help.valueName = "file"
    self.init(help: help, completion: .file(extensions: ["model"]))
  }
}

/// The options of an evaluation by a text.
public struct TextEvaluationOptions: ParsableArguments {
  @Option(
    textOf: "--data",
    "Text file or folder to judge by (default: the part of the run's corpus that was not learned from).")
  public var data: String?

  /// The text that the run was judged by.
  public init() {}
}
