// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

/// An autoencoder learns to say in few numbers what an image shows.
public final class Autoencoding: LatentRecipe {
  /// The name on the command line.
  public static let name = "autoencoder"
  /// What it is, in one line.
  public static let summary =
    "An autoencoder, plain, denoising or convolutional, squeezes images of digits (MNIST)."
  /// What `predict` takes after the run.
  public static let predictionUsage = LatentPicture.usage

  /// The kinds of autoencoder.
  public enum Kind: String, CaseIterable, Codable, Sendable, ExpressibleByArgument {
    /// Dense layers that give back what they see.
    case plain
    /// Dense layers that see noise and give back what was there before it.
    case denoising
    /// Convolutions that give back what they see.
    case convolutional
  }

  /// The networks of the kinds.
  public enum Network: LatentModel {
    /// Of dense layers.
    case dense(Autoencoder)
    /// Of convolutions.
    case convolutional(ConvolutionalAutoencoder)

    /// How many numbers stand for an image.
    public var latentCount: Int {
      switch self {
      case .dense(let network): network.latentCount
      case .convolutional(let network): network.latentCount
      }
    }
    /// The codes of images.
    public func codes(of x: Tensor) -> Tensor {
      switch self {
      case .dense(let network): network.codes(of: x)
      case .convolutional(let network): network.codes(of: x)
      }
    }
    /// The logits of the images that codes stand for.
    func decode(_ z: Tensor) -> Tensor {
      switch self {
      case .dense(let network): network.decode(z)
      case .convolutional(let network): network.decode(z)
      }
    }
    /// The images that codes stand for.
    public func inputs(of z: Tensor) -> Tensor { sigmoid(decode(z)) }
  }

  /// The options of a run.
  public struct Options: LatentOptions {
    @OptionGroup public var common: LatentTrainingOptions
    @Option(help: "Kind of the autoencoder.")
    public var kind = Kind.plain
    @Option(
      help: "Part of the pixels that are black in what a denoising autoencoder sees (0 or more, below 1).")
    public var noise = 0.5
    @Option(
      help:
        "Units of the hidden layers (1 to 65536); of the first convolution with --kind convolutional 1/25 of it."
    )
    public var hidden = 400
    @Option(help: "Numbers that stand for an image (1 to 65536).")
    public var latent = 20

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try validateSizes()
      try require("--noise", noise, in: 0..<1)
    }
  }

  /// The options of an evaluation.
  public typealias EvaluationOptions = ImageChoice
  /// The options of a prediction.
  public typealias PredictionOptions = PictureOptions

  /// The type of the network.
  public typealias Model = Network

  let options: Options
  let seed: UInt64
  var data: LatentData?
  var network: SizedModel<Network>?
  /// What trains it.
  public let optimizer: any Optimizer
  /// What the iterations draw.
  public var random: RandomGenerator

  /// The system in its initial state.
  public init(_ options: Options, seed: UInt64) throws {
    (self.options, self.seed) = (options, seed)
    optimizer = Adam(learningRate: options[\.learningRate])
    random = RandomGenerator(seed: seed, stream: LatentStream.training)
  }

  func newNetwork(_ size: ImageSize) -> Network {
    var weights = RandomGenerator(seed: seed, stream: LatentStream.weights)
    if options.kind == .convolutional {
      return .convolutional(
        ConvolutionalAutoencoder(
          height: size.height, width: size.width, channels: max(1, options.hidden / 25),
          latent: options.latent, using: &weights))
    }
    return .dense(
      Autoencoder(
        inputs: size.height * size.width, hidden: options.hidden, latent: options.latent, using: &weights))
  }

  /// The input with some of the pixels black (Vincent 2008, section 2.3).
  func disturbed(_ x: Tensor, using random: inout RandomGenerator) -> Tensor? {
    guard options.kind == .denoising else { return nil }
    return Tensor.where(Tensor(uniform: x.shape, using: &random) .< options.noise, 0, x)
  }

  /// The cross-entropy of the pixels, summed over an image, and its mean over the batch.
  func loss(_ x: Tensor, using random: inout RandomGenerator) -> Tensor {
    let seen = disturbed(x, using: &random) ?? x
    let logits = model.decode(model.codes(of: seen))
    return binaryCrossEntropy(logits: logits, x, reduction: .sum) / Double(x.shape[0])
  }

  func judge(_ images: GreyImages, using random: inout RandomGenerator) -> LatentJudgement {
    var (loss, error) = (0.0, 0.0)
    for part in images.parts {
      let x = images.batch(part)
      let seen = disturbed(x, using: &random) ?? x
      let logits = model.decode(model.codes(of: seen))
      loss += binaryCrossEntropy(logits: logits, x, reduction: .sum).scalar
      error += meanSquaredError(sigmoid(logits), x).scalar * Double(part.count)
    }
    loss /= Double(images.count)
    error /= Double(images.count)
    return LatentJudgement(
      loss: loss, metrics: ["validation_loss": loss, "validation_squared_error": error],
      text: "cross-entropy \(fixed(loss, 2)) nats  squared error of a pixel \(fixed(error, 5))")
  }

  // MARK: After training

  /// How well fresh images are given back, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let images = try images(evaluation)
    return ["\(images.count) images: \(judged(images).text)"]
  }

  /// Makes the picture that the words name.
  public func predict(_ words: [String]) throws -> [String] {
    try predict(words, with: try PictureOptions.parse([]))
  }

  /// Makes the picture that the words name.
  public func predict(_ words: [String], with options: PictureOptions) throws -> [String] {
    try picture(words, options)
  }
}
