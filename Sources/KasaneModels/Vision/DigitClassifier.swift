// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A small convolutional network for images of digits, in the line of LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998) with
/// what came after it: rectified units, batch normalisation and dropout.
///
///     [batch, 28, 28, 1]  convolution 3 x 3, 32 channels, pool 2 x 2, normalise, relu  [batch, 14, 14, 32]
///                         convolution 3 x 3, 64 channels, pool 2 x 2, normalise, relu  [batch, 7, 7, 64]
///                         convolution 3 x 3, 64 channels, normalise, relu              [batch, 7, 7, 64]
///                         dropout, linear                                              [batch, 10]
public struct DigitClassifier: Layer {
  /// A convolution and what follows it.
  public struct Block: Layer {
    /// The kernel moves over the whole image; the normalisation has a shift, so there is no bias.
    public let convolution: Convolution2D
    /// The normalisation, at the size after pooling: a quarter of the work.
    public let normalization: BatchNorm
    private let isPooled: Bool

    init(_ inputs: Int, _ outputs: Int, isPooled: Bool, using generator: inout RandomGenerator) {
      convolution = Convolution2D(
        inputs, outputs, kernelSize: 3, padding: .same, bias: false, using: &generator)
      normalization = BatchNorm(outputs)
      self.isPooled = isPooled
    }

    /// Maps `[batch, height, width, inputs]` to as many `outputs` channels, of half the height and width where pooled.
    public func callAsFunction(_ x: Tensor) -> Tensor {
      let y = convolution(x)
      return normalization(isPooled ? maxPool2D(y, size: 2) : y, activation: .relu)
    }
  }

  /// The convolutions.
  public let blocks: [Block]
  /// What keeps the last layer from relying on single inputs.
  public let dropout: Dropout
  /// From all that the blocks found to a number for each digit.
  public let output: Linear

  /// A network with random weights.
  public init(classCount: Int = 10, dropout: Double = 0.5, using generator: inout RandomGenerator) {
    blocks = [
      Block(1, 32, isPooled: true, using: &generator), Block(32, 64, isPooled: true, using: &generator),
      Block(64, 64, isPooled: false, using: &generator),
    ]
    self.dropout = Dropout(dropout)
    output = Linear(7 * 7 * 64, classCount, using: &generator)
  }

  /// The logits `[batch, classes]` of images `[batch, 28, 28, 1]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    let features = blocks.reduce(images) { x, block in block(x) }
    return output(dropout(features.reshaped(to: [images.shape[0], -1])))
  }
}
