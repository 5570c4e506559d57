// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// The latent variable of a turn (Serban et al. 2017, section 3): normally distributed given what was said before, the
/// prior, and given the turn itself too, the posterior.
public struct TurnLatent: Module {
  /// A normal distribution of independent variables.
  public struct Normal: Sendable {
    /// The means, `[..., latent]`.
    public let mean: Tensor
    /// The logarithms of the variances, `[..., latent]`.
    public let logVariance: Tensor

    /// A distribution by its moments.
    public init(mean: Tensor, logVariance: Tensor) { (self.mean, self.logVariance) = (mean, logVariance) }

    /// A draw: the mean and, for each deviation, as much as the noise says (Kingma and Welling 2014, section 2.4).
    public func draw(_ noise: Tensor) -> Tensor { mean + noise * exp(0.5 * logVariance) }

    /// KL(self || prior) in nats, `[...]`: half the sum over the variables of
    /// log(s_p / s_q) + (s_q + (m_q - m_p)^2) / s_p - 1, with the variances s.
    public func divergence(from prior: Normal) -> Tensor {
      let distance = square(mean - prior.mean) * exp(-prior.logVariance)
      let ratio = logVariance - prior.logVariance
      return 0.5 * (exp(ratio) + distance - ratio - 1).sum(axes: [-1])
    }
  }

  /// From contexts `[turns, context]` to what the prior is read from.
  public let priorHidden: Linear
  /// From that to means and logarithms of variances, `[turns, 2 * latent]`.
  public let priorOutput: Linear
  /// From contexts and meanings of the turn, `[turns, context + meaning]`, to what the posterior is read from.
  public let posteriorHidden: Linear
  /// From that to means and logarithms of variances, `[turns, 2 * latent]`.
  public let posteriorOutput: Linear
  /// From contexts and latent variables, `[turns, context + latent]`, to what a turn's words are foretold from (Zhao,
  /// Zhao and Eskenazi 2017, section 4.2); nil where that is not asked.
  public let bagHidden: Linear?
  /// From that to the words, `[turns, vocabulary]`.
  public let bagOutput: Linear?

  /// Networks with random weights.
  ///
  /// - Parameter words: the size of the vocabulary where the turn's words shall be foretold, else nil
  public init(
    context: Int, meaning: Int, hidden: Int, latent: Int, words: Int?, using generator: inout RandomGenerator
  ) {
    priorHidden = Linear(context, hidden, activation: .tanh, using: &generator)
    priorOutput = Linear(hidden, 2 * latent, using: &generator)
    posteriorHidden = Linear(context + meaning, hidden, activation: .tanh, using: &generator)
    posteriorOutput = Linear(hidden, 2 * latent, using: &generator)
    bagHidden = words.map { _ in
      Linear(context + latent, hidden, activation: .tanh, using: &generator)
    }
    bagOutput = words.map { Linear(hidden, $0, using: &generator) }
  }

  /// How many latent variables a turn has.
  public var count: Int { priorOutput.weight.shape[1] / 2 }

  /// What a turn may mean before it is said, given `[turns, context]`.
  public func prior(_ contexts: Tensor) -> Normal { Self.normal(priorOutput(priorHidden(contexts))) }

  /// What a turn means once it is said, given `[turns, context]` and the turn's `[turns, meaning]`.
  public func posterior(_ contexts: Tensor, _ meanings: Tensor) -> Normal {
    Self.normal(posteriorOutput(posteriorHidden(Tensor.concatenate([contexts, meanings], axis: 1))))
  }

  private static func normal(_ moments: Tensor) -> Normal {
    let parts = moments.split(into: 2, axis: 1)
    return Normal(mean: parts[0], logVariance: parts[1])
  }

  /// The logarithms of the words' probabilities whatever their order, `[turns, vocabulary]`, given contexts and latent
  /// variables, `[turns, context + latent]`.
  func bag(_ given: Tensor) -> Tensor? {
    guard let bagHidden, let bagOutput else { return nil }
    return logSoftmax(bagOutput(bagHidden(given)))
  }
}
