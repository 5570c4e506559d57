// SPDX-License-Identifier: Apache-2.0

/// In training, each element made zero with a probability and the others scaled to keep the mean (Srivastava et al.
/// 2014); in use, the input itself. Training is what runs in `withTraining`.
public struct Dropout: Layer {
  /// The probability that an element is dropped.
  public let rate: Double

  /// A layer that drops at the given rate.
  public init(_ rate: Double) {
    precondition(rate >= 0 && rate <= 1, "Dropout: a rate of \(rate), outside 0 to 1")
    self.rate = rate
  }

  /// Maps a tensor to one of the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported { TrainingContext.dropped(x, rate: rate) }
  }
}

/// In training, whole channels made zero with a probability and the others scaled to keep the mean (Tompson et al.
/// 2015), which suits images and sequences whose neighbouring elements say much the same; in use, the input itself.
public struct SpatialDropout: Layer {
  /// The probability that a channel is dropped.
  public let rate: Double

  /// A layer that drops at the given rate.
  public init(_ rate: Double) {
    precondition(rate >= 0 && rate <= 1, "SpatialDropout: a rate of \(rate), outside 0 to 1")
    self.rate = rate
  }

  /// Maps `[batch, ..., channels]` to the same shape; each channel of each image or sequence is kept or dropped as one.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      guard let context = TrainingContext.current, rate > 0 else { return x }
      return spatialDropout(x, rate: rate, using: &context.random)
    }
  }
}

extension TrainingContext {
  /// In training, elements dropped at a rate; in use, the input itself.
  static func dropped(_ x: Tensor, rate: Double) -> Tensor {
    guard let current, rate > 0 else { return x }
    return dropout(x, rate: rate, using: &current.random)
  }
}
