// SPDX-License-Identifier: Apache-2.0

/// Batch normalisation (Ioffe and Szegedy 2015) of the last axis: of `[batch, features]`, sequences and images alike.
///
/// In training each channel is normalised by its mean and variance in the batch, and running values of both are kept;
/// in use by the running values.
public struct BatchNorm: Layer {
  /// The scale, `[channels]`.
  public let weight: Parameter?
  /// The shift, `[channels]`.
  public let bias: Parameter?
  /// The running mean, `[channels]`.
  public let runningMean: Parameter
  /// The running unbiased variance, `[channels]`.
  public let runningVariance: Parameter
  /// The weight of a batch's statistics in the running ones.
  public let momentum: Double
  /// What is added to the variance.
  public let epsilon: Double

  /// A layer that starts from the identity, without scale and shift where it is not affine.
  public init(_ channels: Int, momentum: Double = 0.1, epsilon: Double = 1e-5, isAffine: Bool = true) {
    weight = isAffine ? Parameter(Tensor(ones: [channels])) : nil
    bias = isAffine ? Parameter(Tensor(zeros: [channels])) : nil
    runningMean = Parameter(Tensor(zeros: [channels]), isTrainable: false)
    runningVariance = Parameter(Tensor(ones: [channels]), isTrainable: false)
    (self.momentum, self.epsilon) = (momentum, epsilon)
  }

  /// Maps `[..., channels]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, adding: nil, activation: nil) }

  /// The same and what follows it, done in one pass over memory: the sum with `residual`, of the shape of `x`, and an
  /// activation.
  public func callAsFunction(_ x: Tensor, adding residual: Tensor? = nil, activation: Activation?) -> Tensor {
    guard let training = TrainingContext.current else {
      return batchNormalization(
        x, mean: statistics(runningMean, for: x), variance: statistics(runningVariance, for: x),
        scale: weight?.value, shift: bias?.value, epsilon: epsilon, adding: residual, activation: activation)
    }
    let found = normalizedByBatch(x, weight?.value, bias?.value, epsilon, residual, activation)
    if !training.isRecomputing && x.elementCount > 0 {
      takeNote(of: found.mean, found.variance, count: x.elementCount / x.shape[x.rank - 1])
    }
    return found.value
  }

  private func statistics(_ running: Parameter, for x: Tensor) -> Tensor {
    running.value.cast(to: x.dtype.statisticsType)
  }

  /// The estimate of the variance from `count` elements is unbiased with `count - 1` in the denominator; of a single
  /// one there is none.
  private func takeNote(of mean: Tensor, _ variance: Tensor, count: Int) {
    let correction = Double(count) / Double(max(count - 1, 1))
    withoutGradient {
      for (running, found, factor) in [
        (runningMean, mean, momentum),
        (runningVariance, variance, momentum * correction),
      ] {
        let kept = running.value * (1 - momentum)
        running.assign(kept + found.cast(to: kept.dtype) * factor)
      }
    }
  }
}
