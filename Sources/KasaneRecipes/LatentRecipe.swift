// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData
import KasaneModels

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A recipe that learns to turn grey images into few numbers and back. What such recipes have in common is here: images,
/// epochs and the pictures that show what was learned.
protocol LatentRecipe: Recipe
where Model: LatentModel, Options: LatentOptions, PredictionOptions == PictureOptions {
  /// The options of the run.
  var options: Options { get }
  /// The seed of everything random.
  var seed: UInt64 { get }
  /// The images, once they were read.
  var data: LatentData? { get set }
  /// Rows and columns of an image and the network for them, once they are known.
  var network: SizedModel<Model>? { get set }
  /// A network for images of a size with the weights that it begins with.
  func newNetwork(_ size: ImageSize) -> Model
  /// The loss of a batch `[batch, height * width]`, one number.
  func loss(_ x: Tensor, using random: inout RandomGenerator) -> Tensor
  /// What the network makes of images.
  func judge(_ images: GreyImages, using random: inout RandomGenerator) -> LatentJudgement
  /// What an input becomes before the network sees it; nil where it sees it as it is.
  func disturbed(_ x: Tensor, using random: inout RandomGenerator) -> Tensor?
}

/// Rows and columns of an image.
struct ImageSize: Codable, Equatable {
  let height, width: Int
}

/// A network and the size of the images that it is for.
struct SizedModel<Model> {
  let size: ImageSize
  let model: Model
}

/// Images to learn from and images to judge by.
struct LatentData {
  let training: GreyImages
  let validation: GreyImages
  var batches: ShuffledBatches
}

/// How good a network is on images that it does not learn from.
struct LatentJudgement {
  /// What epochs are compared by: the lower, the better.
  let loss: Double
  /// What was measured, by name.
  let metrics: [String: Double]
  /// The same for a reader.
  let text: String
}

enum LatentStream {
  static let weights: UInt64 = 0, order: UInt64 = 1, training: UInt64 = 2, judgement: UInt64 = 3,
    pictures: UInt64 = 4
}

/// What every recipe on images without classes can be told, as options.
public struct LatentTrainingOptions: RecipeOptions {
  @Option(
    help: """
      quick: seconds on the sample that is part of the program; full: 20 epochs on MNIST (default: full with --data \
      or MNIST in KASANE_DATA, else quick).
      """)
  public var preset: Preset?
  @Option(
    help: ArgumentHelp(
      "Folder with MNIST's four IDX files or with PNG and JPEG files, one IDX file of images, or sample (default: by the preset).",
      valueName: "path"), completion: .file(), transform: imagesLocation("--data"))
  public var data: String?
  @Option(help: "Height and width that images of PNG and JPEG files get (4 to 1024; default: their own).")
  public var side: Int?
  @Option(help: "Passes over the training images (1 to 10000).")
  public var epochs = 20
  @Option(help: "Images in one iteration (1 to 65536).")
  public var batch = ByPreset(quick: 25, full: 128)
  @Option(help: "Step size of Adam (above 0).")
  public var learningRate = ByPreset(quick: 0.003, full: 0.001)
  @Option(help: "Epochs without a better loss after which to stop (0: never).")
  public var patience = 0

  /// The defaults.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    if let side { try require("--side", side, in: 4...1024) }
    try require("--epochs", epochs, in: 1...10_000)
    try require("--batch", self[\.batch], in: 1...65536)
    try requireLearningRate("--learning-rate", self[\.learningRate])
    try require("--patience", patience, in: 0...Int.max)
  }

  /// The preset given, or the one that the data at hand allow.
  public var chosenPreset: Preset? {
    preset ?? (data != nil || DigitImages.has(.train, in: DigitImages.defaultFolder) ? .full : .quick)
  }

  /// Where the images are.
  var place: String { data ?? (chosenPreset == .quick ? DigitImages.sample : DigitImages.defaultFolder) }
}

/// The options of a recipe on images without classes, among which all have the common ones as their own.
@dynamicMemberLookup
protocol LatentOptions: RecipeOptions {
  /// What all have.
  var common: LatentTrainingOptions { get }
  var hidden: Int { get }
  var latent: Int { get }
}

extension LatentOptions {
  subscript<Value>(dynamicMember option: KeyPath<LatentTrainingOptions, Value>) -> Value {
    common[keyPath: option]
  }
  /// The common one.
  public var chosenPreset: Preset? { common.chosenPreset }

  /// Checks the ranges of the network's sizes.
  func validateSizes() throws {
    try require("--hidden", hidden, in: 1...65536)
    try require("--latent", latent, in: 1...65536)
  }
}

/// A file or a folder of images, or the sample.
func imagesLocation(_ flag: String) -> @Sendable (String) throws -> String {
  dataLocation(flag, "a file's or a folder's path", sample: DigitImages.sample)
}

extension LatentRecipe {
  /// The network, which is there once the images' size is known.
  public var model: Model { network!.model }
  /// How many iterations make a run.
  public var iterations: Int { options.epochs * (data?.batches.batchesPerEpoch ?? 0) }
  /// The option's.
  public var patience: Int? { options.patience == 0 ? nil : options.patience }
  /// What tells the images from others.
  public var dataFingerprint: String? { data?.training.fingerprint }

  func disturbed(_ x: Tensor, using random: inout RandomGenerator) -> Tensor? { nil }

  // MARK: Images

  /// Reads the images.
  public func prepare() throws {
    let place = options.place
    guard place == DigitImages.sample || Files.exists(place) else {
      throw KasaneError(
        "\(place): no such file or folder: name MNIST's folder, a file of images (IDX) or a folder of PNG and JPEG files with --data; --preset quick "
          + "learns from a sample that is part of the program")
    }
    let (training, validation) = try GreyImages.load(place, size: options.side.map { ($0, $0) })
    let size = ImageSize(height: training.height, width: training.width)
    if let network, network.size != size {
      throw KasaneError(
        "\(place): images of \(size.height) by \(size.width) pixels, \(network.size.height) by \(network.size.width) "
          + "expected")
    }
    use(size)
    data = LatentData(
      training: training, validation: validation,
      batches: ShuffledBatches(
        count: training.count, size: options[\.batch], seed: seed, stream: LatentStream.order))
  }

  private func use(_ size: ImageSize) {
    guard network == nil else { return }
    network = SizedModel(size: size, model: newNetwork(size))
  }

  private func sizePath(in run: RunFolder) -> String { run.file("image-size.json") }

  /// Keeps the images' size.
  public func keepFiles(in run: RunFolder) throws {
    let size = network!.size
    try Files.write("{\"height\": \(size.height), \"width\": \(size.width)}\n", to: sizePath(in: run))
  }

  /// Reads the images' size.
  public func recallFiles(from run: RunFolder) throws {
    let path = sizePath(in: run)
    let bytes = try Files.read(path)
    guard let size = try? JSONDecoder().decode(ImageSize.self, from: Data(bytes)),
      (1...65536).contains(size.height), (1...65536).contains(size.width), size.height * size.width <= 1 << 24
    else { throw KasaneError("\(path): damaged: height and width of the run's images expected") }
    use(size)
  }

  /// What is learned from.
  public func openingLines() -> [String] {
    guard let data else { return [] }
    let place = options.place == DigitImages.sample ? "the sample" : options.place
    let size = "\(data.training.height) by \(data.training.width) pixels"
    return [
      "Learning from \(data.training.count) images of \(place), \(size), judged by \(data.validation.count) others"
    ]
  }

  /// Images to show or to judge by, of the size that the network is for.
  func images(_ choice: ImageChoice) throws -> GreyImages {
    try images(choice.split, from: choice.data ?? options.place)
  }

  private func images(_ split: DigitImages.Split, from place: String) throws -> GreyImages {
    let size = network!.size
    let images = try GreyImages.load(split, of: place, size: (size.height, size.width))
    guard images.height == size.height, images.width == size.width else {
      throw KasaneError(
        "\(place): images of \(images.height) by \(images.width) pixels, \(size.height) by \(size.width) expected"
      )
    }
    return images
  }

  // MARK: Training

  /// One iteration, and a judgement after the last of an epoch.
  public func step(_ iteration: Int, reporting: Bool) -> TrainingStep {
    let x = data!.training.batch(data!.batches.indices(at: iteration))
    // No layer of these networks behaves otherwise in training.
    var random = self.random
    let (loss, gradients) = valueWithGradient(at: model) { _ in self.loss(x, using: &random) }
    self.random = random
    optimizer.update(model, along: gradients)

    var step = TrainingStep(loss: loss.scalar)
    let (epoch, place) = iteration.quotientAndRemainder(dividingBy: data!.batches.batchesPerEpoch)
    let head = "epoch \(epoch + 1)/\(options.epochs)"
    var lines: [String] = []
    if reporting { lines.append("\(head)  iteration \(iteration)  loss \(fixed(step.loss, 4))") }
    if place == data!.batches.batchesPerEpoch - 1 {
      let found = judged(data!.validation)
      step.judgement = found.loss
      step.metrics = found.metrics
      lines.append("\(head)  \(found.text)")
    }
    step.text = lines.isEmpty ? nil : lines.joined(separator: "\n")
    return step
  }

  /// What the network makes of images, by random numbers that are the same each time.
  func judged(_ images: GreyImages) -> LatentJudgement {
    var random = RandomGenerator(seed: seed, stream: LatentStream.judgement)
    return judge(images, using: &random)
  }

  /// How well it went, and what to try next.
  public func closingLines(run: String, command: String, best: Double?) -> [String] {
    guard let data else { return [] }
    return [
      "Of images not learned from: \(judged(data.validation).text)",
      "Try next: \(command) predict \(run) reconstructions",
      "          \(command) predict \(run) samples", "          \(command) evaluate \(run)",
    ]
  }
}

extension LatentRecipe {
  /// What comes back of some images that are not learned from.
  public func exhibits(in language: Language) throws -> [Exhibit] {
    let images = try images(.test, from: options.place)
    let places = 0..<min(12, images.count)
    let x = images.batch(places)
    var random = RandomGenerator(seed: seed, stream: LatentStream.pictures)
    let seen = disturbed(x, using: &random)
    let y = model.inputs(of: model.codes(of: seen ?? x))
    var codes = RandomGenerator(seed: seed, stream: LatentStream.pictures)
    let drawn = model.inputs(of: Tensor(normal: [12, model.latentCount], using: &codes))
    func pictures(_ rows: Tensor) -> String {
      let pixels = (255 * rows).cast(to: .uint8)
      return figure(
        of: (0..<rows.shape[0]).map {
          PictureWithWords(pixels: pixels.select($0).elements(as: UInt8.self), words: "")
        },
        size: network!.size.width)
    }
    return [
      Exhibit(
        "reconstructions", title: language("Reconstructions", "再構成"),
        caption: language(
          "Images that are not learned from, and after them what comes back of each.",
          "学習に使っていない画像と、それぞれの再構成です。"),
        .figure(pictures(Tensor.concatenate([x, y], axis: 0)))),
      Exhibit(
        "samples", title: language("Samples", "サンプル"),
        caption: language(
          "Images of codes drawn from the standard normal distribution.", "標準正規分布から引いた符号を復号した画像です。"),
        .figure(pictures(drawn))),
    ]
  }
}

extension GreyImages {
  /// The images, some at a time.
  var parts: [Range<Int>] { stride(from: 0, to: count, by: 1000).map { $0..<min($0 + 1000, count) } }
}

extension LatentModel {
  /// The codes of all images, `[count, latent]`.
  func codes(of images: GreyImages) -> Tensor {
    Tensor.concatenate(images.parts.map { codes(of: images.batch($0)) }, axis: 0)
  }
}
