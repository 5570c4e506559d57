// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A variational autoencoder of dense layers (Kingma and Welling 2014, appendix C) with rectified units: an encoder that
/// gives mean and variance of a normal distribution over latent variables, and a decoder that gives a distribution of
/// the inputs, which lie between 0 and 1.
public struct VariationalAutoencoder: Module, LatentModel {
  /// The distribution of the inputs, given the latent variables.
  public enum Likelihood: String, CaseIterable, Codable, Sendable {
    /// Each input is the probability of a 1 (appendix C.1).
    case bernoulli
    /// Each input is normally distributed (appendix C.2), all with one variance, which is learned: one for each input
    /// would fall without end where an input never changes (Rybkin, Daniilidis and Levine 2021).
    case gaussian
  }

  /// The parts of the negated lower bound of the evidence, `[batch]` each, in nats.
  public struct Bound {
    /// The negated logarithm of the probability of the input, or of its density.
    public let reconstruction: Tensor
    /// The divergence KL(q(z|x) || p(z)) of the latent variables' distribution from the standard normal one.
    public let divergence: Tensor
  }

  /// From `[batch, inputs]` to `[batch, hidden]`.
  public let encoderHidden: Linear
  /// From `[batch, hidden]` to the means and logarithms of variances, `[batch, 2 * latent]`.
  public let encoderOutput: Linear
  /// From `[batch, latent]` to `[batch, hidden]`.
  public let decoderHidden: Linear
  /// From `[batch, hidden]` to logits `[batch, inputs]`.
  public let decoderOutput: Linear
  /// The logarithm of the inputs' variance, `[1]`; nil where they are no normal variables.
  public let logVariance: Parameter?

  /// A network with random weights.
  public init(
    inputs: Int = 784, hidden: Int = 400, latent: Int = 20, likelihood: Likelihood = .bernoulli,
    initializer: Initializer = .xavier, using generator: inout RandomGenerator
  ) {
    encoderHidden = Linear(inputs, hidden, initializer: initializer, using: &generator)
    encoderOutput = Linear(hidden, 2 * latent, initializer: initializer, using: &generator)
    decoderHidden = Linear(latent, hidden, initializer: initializer, using: &generator)
    decoderOutput = Linear(hidden, inputs, initializer: initializer, using: &generator)
    logVariance = likelihood == .gaussian ? Parameter(Tensor(zeros: [1])) : nil
  }

  /// How many latent variables there are.
  public var latentCount: Int { decoderHidden.weight.shape[0] }

  /// Mean and logarithm of the variance of the latent variables, `[batch, latent]` each, given `[batch, inputs]`.
  public func encode(_ x: Tensor) -> (mean: Tensor, logVariance: Tensor) {
    let moments = encoderOutput(relu(encoderHidden(x))).split(into: 2, axis: 1)
    return (moments[0], moments[1])
  }

  /// The logits `[batch, inputs]` of latent variables `[batch, latent]`.
  public func decode(_ z: Tensor) -> Tensor { decoderOutput(relu(decoderHidden(z))) }

  /// The means of the latent variables.
  public func codes(of x: Tensor) -> Tensor { encode(x).mean }

  /// The expected inputs.
  public func inputs(of z: Tensor) -> Tensor { sigmoid(decode(z)) }

  /// The negated logarithm of p(x|z) of each input, `[batch, inputs]`.
  private func surprise(_ logits: Tensor, _ x: Tensor) -> Tensor {
    guard let logVariance = logVariance?.value else {
      return binaryCrossEntropy(logits: logits, x, reduction: .none)
    }
    let distance = square(x - sigmoid(logits)) * exp(-logVariance)
    // log(2 pi)
    return 0.5 * (distance + logVariance + 1.8378770664093453)
  }

  /// The noise of one sample of the latent variables of each of `[batch, inputs]`.
  private func noise(for x: Tensor, using generator: inout RandomGenerator) -> Tensor {
    Tensor(normal: [x.shape[0], latentCount], using: &generator)
  }

  /// The negated lower bound of the evidence of each of `[batch, inputs]`, with one sample of the latent variables
  /// (equation 10): the mean and, for each deviation, as much as `noise` `[batch, latent]` says.
  public func bound(_ x: Tensor, noise: Tensor) -> Bound {
    let (mean, logVariance) = encode(x)
    let z = mean + noise * exp(0.5 * logVariance)
    let divergence = -0.5 * (1 + logVariance - square(mean) - exp(logVariance)).sum(axes: [1])
    return Bound(reconstruction: surprise(decode(z), x).sum(axes: [1]), divergence: divergence)
  }

  /// The same with noise from the standard normal distribution.
  public func bound(_ x: Tensor, using generator: inout RandomGenerator) -> Bound {
    bound(x, noise: noise(for: x, using: &generator))
  }

  /// The negated lower bound of the evidence, summed over the batch (equation 10 with one sample): the surprise at the
  /// reconstruction, and the divergence of the latent variables' distribution from the standard normal one, which counts
  /// `beta` times (Higgins 2017).
  public func loss(_ x: Tensor, beta: Double = 1, using generator: inout RandomGenerator) -> Tensor {
    let bound = bound(x, using: &generator)
    return bound.reconstruction.sum() + beta * bound.divergence.sum()
  }

  /// A lower bound of log p(x) of each of `[batch, inputs]`, in nats, `[batch]`: the logarithm of the mean of
  /// p(x, z) / q(z|x) over `samples` draws from q(z|x) (Burda, Grosse and Salakhutdinov 2016, equation 8). It rises with
  /// the number of samples, towards log p(x).
  public func logLikelihood(_ x: Tensor, samples: Int, using generator: inout RandomGenerator) -> Tensor {
    precondition(samples > 0, "logLikelihood: \(samples) samples, 1 or more expected")
    let (mean, logVariance) = encode(x)
    let logWeights = (0..<samples).map { _ -> Tensor in
      let noise = noise(for: x, using: &generator)
      let z = mean + noise * exp(0.5 * logVariance)
      // The constants of both normal densities of z cancel.
      let prior = -0.5 * square(z).sum(axes: [1])
      let posterior = -0.5 * (square(noise) + logVariance).sum(axes: [1])
      return prior - posterior - surprise(decode(z), x).sum(axes: [1])
    }
    return Tensor.stack(logWeights).logSumExp(axes: [0]) - log(Tensor(Float(samples)))
  }
}
