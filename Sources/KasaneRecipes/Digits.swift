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

/// A convolutional network learns to read handwritten digits: MNIST's, a sample of which is part of the program.
public final class Digits: Recipe {
  /// The name on the command line.
  public static let name = "digits"
  /// What it is, in one line.
  public static let summary = "A convolutional network learns to read handwritten digits (MNIST)."
  /// What `predict` takes after the run.
  public static let predictionUsage =
    "a file of images (IDX) or the word sample, and an index, such as sample 0"

  // MARK: Options

  /// How the gradient is followed.
  public enum Method: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Adam.
    case adam
    /// Gradient descent with Nesterov's momentum of 0.9.
    case sgd
  }

  /// The options of a run.
  public struct Options: RecipeOptions {
    @Option(
      help: """
        quick: seconds on the sample that is part of the program; full: 10 epochs on MNIST (default: full with --data \
        or MNIST in KASANE_DATA, else quick).
        """)
    public var preset: Preset?
    @Option(
      help: ArgumentHelp(
        "Folder with MNIST's four IDX files, or sample (default: sample in quick, KASANE_DATA/mnist in full).",
        valueName: "folder"), completion: .directory, transform: location)
    public var data: String?
    @Option(help: "Passes over the training images (1 to 10000).")
    public var epochs = ByPreset(quick: 20, full: 10)
    @Option(help: "Images in one iteration (1 to 10000).")
    public var batch = ByPreset(quick: 25, full: 100)
    @Option(help: "Optimizer.")
    public var optimizer = Method.adam
    @Option(help: "Largest step size (above 0); it rises to it, then falls to 0.")
    public var learningRate = 0.003
    @Option(help: "Part of the last layer's inputs that are dropped in training (0 or more, below 1).")
    public var dropout = 0.5
    @Option(help: "Pixels by which training images are moved at random (0 to 8).")
    public var shift = 2

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try require("--epochs", self[\.epochs], in: 1...10_000)
      try require("--batch", self[\.batch], in: 1...10_000)
      try requireLearningRate("--learning-rate", learningRate)
      try require("--dropout", dropout, in: 0..<1)
      try require("--shift", shift, in: 0...8)
    }

    /// The preset given, or the one that the data at hand allow.
    public var chosenPreset: Preset? {
      preset ?? (data != nil || DigitImages.has(.train, in: DigitImages.defaultFolder) ? .full : .quick)
    }

    /// Where the data are.
    var folder: String {
      data ?? (chosenPreset == .quick ? DigitImages.sample : DigitImages.defaultFolder)
    }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @Option(
      help: ArgumentHelp(
        "Folder with IDX files of the same shape, or sample (default: that of the training).",
        valueName: "folder"),
      completion: .directory, transform: location)
    public var data: String?
    @Option(help: "Which of the folder's images: test (t10k-...) or train (train-...).")
    public var split = DigitImages.Split.test

    /// The images that the run was judged by.
    public init() {}
  }

  /// A folder of digits, or the sample.
  private static let location = dataLocation("--data", "a folder's path", sample: DigitImages.sample)

  // MARK: Data

  /// Mean and standard deviation of MNIST's training pixels.
  private static let (mean, deviation) = (0.1307, 0.3081)
  private static let scaling = ImageDataset.Scaling.standardised(mean: mean, deviation: deviation)

  /// What the iterations learn from and are judged by.
  private struct Data {
    let training: ImageDataset
    let validation: ImageDataset
    let fingerprint: String
    var batches: ShuffledBatches
  }

  private var data: Data?

  /// Reads the data.
  public func prepare() throws {
    let folder = options.folder
    guard folder == DigitImages.sample || Files.exists(folder) else {
      throw KasaneError(
        "\(folder): no such folder: put \(DigitImages.expectedNames.joined(separator: ", ")) there, or name their "
          + "folder with --data; --preset quick learns from a sample that is part of the program"
          + DataFolder.hint(for: folder))
    }
    let training = try DigitImages.load(.train, from: folder)
    data = Data(
      training: training, validation: try DigitImages.load(.test, from: folder),
      fingerprint: training.fingerprint,
      batches: ShuffledBatches(
        count: training.count, size: options[\.batch], seed: seed, stream: Stream.order))
  }

  /// What tells the training data from others.
  public var dataFingerprint: String? { data?.fingerprint }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data else { return [] }
    let folder = options.folder == DigitImages.sample ? "the sample" : options.folder
    let line =
      "Learning from \(data.training.count) images of \(folder), judged by \(data.validation.count) others"
    guard options.preset == nil, options.chosenPreset == .quick else { return [line] }
    return [
      "No MNIST in \(DigitImages.defaultFolder) and no --data: taking --preset quick", line,
    ]
  }

  // MARK: The network and its training

  private enum Stream {
    static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2
  }

  /// The network.
  public let model: DigitClassifier
  /// What trains it.
  public let optimizer: any Optimizer
  /// What the iterations draw.
  public var random: RandomGenerator
  private let options: Options
  private let seed: UInt64
  private var lastJudgement: ConfusionMatrix?

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    self.options = options
    self.seed = seed
    var weights = RandomGenerator(seed: seed, stream: Stream.weights)
    model = DigitClassifier(dropout: options.dropout, using: &weights)
    random = RandomGenerator(seed: seed, stream: Stream.training)
    switch options.optimizer {
    case .adam: optimizer = Adam(learningRate: options.learningRate)
    case .sgd: optimizer = SGD(learningRate: options.learningRate, momentum: 0.9, isNesterov: true)
    }
  }

  /// How many iterations make a run.
  public var iterations: Int { options[\.epochs] * (data?.batches.batchesPerEpoch ?? 0) }

  /// Up in a straight line in the first tenth of the iterations, then down to 0 along a cosine.
  private var schedule: Schedule {
    let warmUp = iterations / 10
    return .cosine(from: options.learningRate, to: 0, steps: iterations - warmUp)
      .afterWarmUp(steps: warmUp, from: 0.1)
  }

  /// One iteration: forward, backward, update.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let indices = data!.batches.indices(at: iteration)
    // Moved images and dropped inputs are drawn from one generator, which checkpoints save.
    var random = self.random
    let (images, labels) = data!.training.batch(
      indices, scaling: Self.scaling, shiftedBy: options.shift, using: &random)
    let (loss, gradients) = withTraining(using: &random) {
      valueWithGradient(at: model) { model in crossEntropy(model(images), labels) }
    }
    self.random = random
    optimizer.learningRate = schedule(iteration)
    optimizer.update(model, along: gradients)

    var step = TrainingStep(loss: loss.scalar)
    let (epoch, batch) = iteration.quotientAndRemainder(dividingBy: data!.batches.batchesPerEpoch)
    var lines: [String] = []
    if reporting {
      lines.append(
        "epoch \(epoch + 1)/\(options[\.epochs])  iteration \(iteration)  loss \(fixed(step.loss, 4))")
    }
    if batch == data!.batches.batchesPerEpoch - 1 {
      let (matrix, loss, _) = judge(data!.validation)
      lastJudgement = matrix
      step.metrics = ["validation_accuracy": matrix.accuracy, "validation_loss": loss]
      lines.append(
        "epoch \(epoch + 1)/\(options[\.epochs])  validation accuracy \(fixed(100 * matrix.accuracy, 2)) %  "
          + "loss \(fixed(loss, 4))")
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }

  // MARK: After training

  /// The network's answers to all images, the same against their labels, and the mean loss.
  private func judge(_ dataset: ImageDataset) -> (matrix: ConfusionMatrix, loss: Double, answers: [Int]) {
    var matrix = ConfusionMatrix(classCount: dataset.classCount)
    var (loss, all) = (0.0, [Int]())
    for start in stride(from: 0, to: dataset.count, by: 250) {
      let indices = start..<min(start + 250, dataset.count)
      let (images, labels) = dataset.batch(indices, scaling: Self.scaling)
      let logits = model(images)
      loss += crossEntropy(logits, labels).scalar * Double(indices.count)
      let answers = logits.argmax(axis: 1).elements(as: Int64.self)
      for (label, answer) in zip(labels.elements(as: Int64.self), answers) {
        matrix.add(label: Int(label), answer: Int(answer))
        all.append(Int(answer))
      }
    }
    return (matrix, loss / Double(dataset.count), all)
  }

  /// The probabilities of the classes, `[batch, 10]`, given images `[batch, 28, 28, 1]` of pixels from 0 to 1.
  func probabilities(of images: Tensor) -> Tensor { softmax(model((images - Self.mean) / Self.deviation)) }

  private static func share(_ matrix: ConfusionMatrix) -> String {
    "\(matrix.right) of \(matrix.total) (\(fixed(100 * matrix.accuracy, 2)) %)"
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    guard let data else { return [] }
    let matrix = lastJudgement ?? judge(data.validation).matrix
    return [
      "Images right, of those not learned from: \(Self.share(matrix))",
      "Try next: \(command) predict \(run) sample 0",
      "          \(command) evaluate \(run)",
    ]
  }

  /// How much of fresh data is right, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let dataset = try DigitImages.load(evaluation.split, from: evaluation.data ?? options.folder)
    let (matrix, loss, _) = judge(dataset)
    return ["Images right: \(Self.share(matrix))", "Mean loss: \(fixed(loss, 4))", ""] + matrix.table
  }

  /// The answer to what the words name, in lines.
  public func predict(_ words: [String]) throws -> [String] {
    guard words.count == 2 else {
      throw KasaneError("predict: \(words.count) words, \(Self.predictionUsage) expected")
    }
    let (images, labels) = try Self.images(in: words[0])
    let count = images.shape[0]
    guard let index = Int(words[1]), (0..<count).contains(index) else {
      throw KasaneError(
        "predict: \(words[1]) is no image of \(words[0]), an index from 0 to \(count - 1) expected")
    }
    let dataset = ImageDataset(
      images: images, labels: Tensor(labels ?? [Int](repeating: 0, count: count)),
      classCount: DigitImages.classCount)
    let logits = model(dataset.batch([index], scaling: Self.scaling).images)
    let probabilities = softmax(logits).elements(as: Float.self)
    let answer = probabilities.indices.max { probabilities[$0] < probabilities[$1] }!

    let picture = drawing(
      of: images.select(index).elements(as: UInt8.self), height: dataset.height, width: dataset.width)
    let margin = (picture.count - probabilities.count) / 2
    let lines = picture.enumerated().map { row, line in
      guard probabilities.indices.contains(row - margin) else { return line }
      let digit = row - margin
      let share = Double(probabilities[digit])
      let percent = fixed(100 * share, 2)
      let padding = String(repeating: " ", count: 6 - percent.count)
      return "\(line)   \(digit)  \(padding)\(percent) %  \(bar(share, width: 20))"
    }
    let verdict = labels.map { $0[index] == answer ? "  (right)" : "  (wrong: it is \($0[index]))" } ?? ""
    return lines.map { String($0.reversed().drop { $0 == " " }.reversed()) } + ["Answer: \(answer)\(verdict)"]
  }

  /// The confusion matrix of the images that the run was judged by, and some that it reads wrongly.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    let dataset = try DigitImages.load(.test, from: options.folder)
    let (matrix, _, answers) = judge(dataset)
    let labels = dataset.labels.elements(as: Int.self)
    let wrong = labels.indices.filter { answers[$0] != labels[$0] }
    let exhibits = matrix.exhibits(classes: (0..<dataset.classCount).map(String.init), in: language)
    guard !wrong.isEmpty else { return exhibits }
    let shown = wrong.prefix(24).map { index in
      PictureWithWords(
        pixels: dataset.images.select(index).elements(as: UInt8.self),
        words: language(
          "\(labels[index]), read as \(answers[index])", "\(labels[index]) を \(answers[index]) と読む"))
    }
    return exhibits + [
      Exhibit(
        "wrong-digits", title: language("Wrongly read digits", "読み違えた数字"),
        caption: language(
          "The first \(shown.count) of \(wrong.count) images that are read as another digit than they show.",
          "違う数字と読まれた \(wrong.count) 枚のうち、最初の \(shown.count) 枚です。"),
        .figure(figure(of: shown, size: dataset.width)))
    ]
  }

  /// The images of a file and, where a file of labels lies beside it, their labels.
  private static func images(in file: String) throws -> (images: Tensor, labels: [Int]?) {
    if file == DigitImages.sample && !Files.exists(file) {
      let dataset = try DigitImages.load(.test, from: file)
      return (dataset.images, dataset.labels.elements(as: Int.self))
    }
    let (size, classCount) = (DigitImages.size, DigitImages.classCount)
    guard let labels = DigitImages.labelsPath(beside: file) else {
      return (try ImageDataset.readImages(file, height: size, width: size), nil)
    }
    let dataset = try ImageDataset(
      imagesPath: file, labelsPath: labels, height: size, width: size, classCount: classCount)
    return (dataset.images, dataset.labels.elements(as: Int.self))
  }
}

extension DigitImages.Split: ExpressibleByArgument {}
