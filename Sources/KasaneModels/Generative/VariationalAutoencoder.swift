// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A variational autoencoder of dense layers (Kingma and Welling 2014, appendix C) with rectified units: an encoder that
/// gives mean and variance of a normal distribution over latent variables, and a decoder that gives a probability for
/// each input between 0 and 1.
public struct VariationalAutoencoder: Module {
  /// From `[batch, inputs]` to `[batch, hidden]`.
  public let encoderHidden: Linear
  /// From `[batch, hidden]` to the means and logarithms of variances, `[batch, 2 * latent]`.
  public let encoderOutput: Linear
  /// From `[batch, latent]` to `[batch, hidden]`.
  public let decoderHidden: Linear
  /// From `[batch, hidden]` to logits `[batch, inputs]`.
  public let decoderOutput: Linear

  /// A network with random weights.
  public init(
    inputs: Int = 784, hidden: Int = 400, latent: Int = 20, initializer: Initializer = .xavier,
    using generator: inout RandomGenerator
  ) {
    encoderHidden = Linear(inputs, hidden, initializer: initializer, using: &generator)
    encoderOutput = Linear(hidden, 2 * latent, initializer: initializer, using: &generator)
    decoderHidden = Linear(latent, hidden, initializer: initializer, using: &generator)
    decoderOutput = Linear(hidden, inputs, initializer: initializer, using: &generator)
  }

  /// Mean and logarithm of the variance of the latent variables, `[batch, latent]` each, given `[batch, inputs]`.
  public func encode(_ x: Tensor) -> (mean: Tensor, logVariance: Tensor) {
    let moments = encoderOutput(relu(encoderHidden(x))).split(into: 2, axis: 1)
    return (moments[0], moments[1])
  }

  /// The logits `[batch, inputs]` of latent variables `[batch, latent]`.
  public func decode(_ z: Tensor) -> Tensor { decoderOutput(relu(decoderHidden(z))) }

  /// The negated lower bound of the evidence, summed over the batch (equation 10 with one sample): the cross-entropy of
  /// the reconstruction and the divergence of the latent variables' distribution from the standard normal one.
  public func loss(_ x: Tensor, using generator: inout RandomGenerator) -> Tensor {
    let (mean, logVariance) = encode(x)
    let noise = Tensor(normal: mean.shape, dtype: mean.dtype, using: &generator)
    let z = mean + noise * exp(0.5 * logVariance)
    let reconstruction = binaryCrossEntropy(logits: decode(z), x, reduction: .sum)
    let divergence = (1 + logVariance - square(mean) - exp(logVariance)).sum()
    return reconstruction - 0.5 * divergence
  }
}
