// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane
import KasaneData
public import KasaneModels

extension VariationalAutoencoder.Likelihood: ExpressibleByArgument {}

/// A variational autoencoder learns what images look like: it draws new ones, and says how likely one is.
public final class VariationalAutoencoding: LatentRecipe {
  /// The name on the command line.
  public static let name = "vae"
  /// What it is, in one line.
  public static let summary = "A variational autoencoder learns to draw images of digits from noise (MNIST)."
  /// What `predict` takes after the run.
  public static let predictionUsage = LatentPicture.usage

  /// The options of a run.
  public struct Options: LatentOptions {
    @OptionGroup public var common: LatentTrainingOptions
    @Option(help: "Units of the hidden layers (1 to 65536).")
    public var hidden = 400
    @Option(help: "Latent variables (1 to 65536).")
    public var latent = 20
    @Option(help: "Distribution of a pixel: probability of white, or normal with one learned variance.")
    public var decoder = VariationalAutoencoder.Likelihood.bernoulli
    @Option(help: "What the divergence from the prior counts beside the reconstruction (0 or more).")
    public var beta = 1.0

    /// The defaults.
    public init() {}

    /// Checks the ranges.
    public func validate() throws {
      try validateSizes()
      try requireNotNegative("--beta", beta)
    }
  }

  /// The options of an evaluation.
  public struct EvaluationOptions: ParsableArguments {
    @OptionGroup public var images: ImageChoice
    @Option(
      help: """
        Samples of the latent variables for each image that the log-likelihood is estimated with (0 to 100000; 0: no \
        estimate).
        """)
    public var samples = 64

    /// The images that the run was judged by.
    public init() {}

    /// Checks the ranges.
    public func validate() throws { try require("--samples", samples, in: 0...100_000) }
  }

  /// The options of a prediction.
  public typealias PredictionOptions = PictureOptions

  /// The type of the network.
  public typealias Model = VariationalAutoencoder

  let options: Options
  let seed: UInt64
  var data: LatentData?
  var network: SizedModel<VariationalAutoencoder>?
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

  func newNetwork(_ size: ImageSize) -> VariationalAutoencoder {
    var weights = RandomGenerator(seed: seed, stream: LatentStream.weights)
    return VariationalAutoencoder(
      inputs: size.height * size.width, hidden: options.hidden, latent: options.latent,
      likelihood: options.decoder, using: &weights)
  }

  func loss(_ x: Tensor, using random: inout RandomGenerator) -> Tensor {
    model.loss(x, beta: options.beta, using: &random) / Double(x.shape[0])
  }

  func judge(_ images: GreyImages, using random: inout RandomGenerator) -> LatentJudgement {
    var (reconstruction, divergence) = (0.0, 0.0)
    for part in images.parts {
      let bound = model.bound(images.batch(part), using: &random)
      reconstruction += bound.reconstruction.sum().scalar
      divergence += bound.divergence.sum().scalar
    }
    reconstruction /= Double(images.count)
    divergence /= Double(images.count)
    let bound = reconstruction + divergence
    return LatentJudgement(
      loss: reconstruction + options.beta * divergence,
      metrics: [
        "validation_negative_elbo": bound, "validation_reconstruction": reconstruction,
        "validation_kl": divergence,
      ],
      text: "negative ELBO \(fixed(bound, 2)) nats  reconstruction \(fixed(reconstruction, 2))  KL "
        + fixed(divergence, 2))
  }

  // MARK: After training

  /// The bound on fresh images, its parts, and the estimate of their log-likelihood, in lines.
  public func evaluate(_ evaluation: EvaluationOptions) throws -> [String] {
    let images = try images(evaluation.images)
    var lines = ["\(images.count) images: \(judged(images).text)"]
    guard evaluation.samples > 0 else { return lines }
    var random = RandomGenerator(seed: seed, stream: LatentStream.judgement)
    var sum = 0.0
    for part in images.parts {
      sum +=
        model.logLikelihood(images.batch(part), samples: evaluation.samples, using: &random).sum().scalar
    }
    lines.append(
      "Log-likelihood: \(fixed(sum / Double(images.count), 2)) nats, estimated with \(evaluation.samples) samples for "
        + "each image (importance-weighted, a lower bound)")
    return lines
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
