// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A densely connected network (Huang et al. 2017, table 1), DenseNet-121 unless told otherwise: within a block every
/// layer sees what all the layers before it made.
///
///     [batch, 224, 224, 3]  convolution 7 x 7, 64 channels, stride 2         [batch, 112, 112, 64]
///                           maximum 3 x 3, stride 2                          [batch, 56, 56, 64]
///                           blocks of 6, 12, 24 and 16 layers, and between
///                           them transitions, halving image and channels     [batch, 7, 7, 1024]
///                           normalise, relu, average, linear                 [batch, 1000]
///
/// Images of other sizes are taken too.
public struct DenseNet: Layer {
  /// A layer of a block: the new features that it makes of those so far.
  public struct DenseLayer: Layer {
    /// The normalisation of what comes in, before the first convolution.
    public let normalization: BatchNorm
    /// Single pixels, to four times as many channels as the layer makes, normalised.
    public let reduce: ConvolutionNorm
    /// 3 x 3, to the new features.
    public let spatial: Convolution2D

    init(_ inputs: Int, growth: Int, using generator: inout RandomGenerator) {
      normalization = BatchNorm(inputs)
      reduce = ConvolutionNorm(inputs, 4 * growth, kernelSize: 1, activation: .relu, using: &generator)
      spatial = Convolution2D(
        4 * growth, growth, kernelSize: 3, padding: .explicit(1), bias: false, using: &generator)
    }

    /// Maps the features so far, `[batch, height, width, inputs]`, to new ones, `[batch, height, width, growth]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
      reported { spatial(reduce(normalization(x, activation: .relu))) }
    }
  }

  /// What lies between two blocks: half the channels, height and width.
  public struct Transition: Layer {
    /// The normalisation of what comes in.
    public let normalization: BatchNorm
    /// Single pixels, to half the channels.
    public let reduce: Convolution2D

    init(_ inputs: Int, using generator: inout RandomGenerator) {
      normalization = BatchNorm(inputs)
      reduce = Convolution2D(inputs, inputs / 2, kernelSize: 1, bias: false, using: &generator)
    }

    /// Maps `[batch, height, width, inputs]` to `[batch, height / 2, width / 2, inputs / 2]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
      reported { averagePool2D(reduce(normalization(x, activation: .relu)), size: 2) }
    }
  }

  /// The first convolution.
  public let stem: ConvolutionNorm
  /// The layers of each block.
  public let blocks: [[DenseLayer]]
  /// What follows each block but the last.
  public let transitions: [Transition]
  /// The normalisation of the last block's features.
  public let normalization: BatchNorm
  /// From the features' averages to a number for each class.
  public let output: Linear

  /// A network with random weights.
  ///
  /// - Parameters:
  ///   - classCount: How many classes there are.
  ///   - depths: How many layers each block has: `[6, 12, 24, 16]` for DenseNet-121, `[6, 12, 32, 32]` for DenseNet-169
  ///     and `[6, 12, 48, 32]` for DenseNet-201.
  ///   - growth: How many channels each layer adds, the paper's k; the first convolution makes twice as many.
  ///   - generator: Where the weights are drawn from.
  public init(
    classCount: Int = 1000, depths: [Int] = [6, 12, 24, 16], growth: Int = 32,
    using generator: inout RandomGenerator
  ) {
    var channels = 2 * growth
    stem = ConvolutionNorm(
      3, channels, kernelSize: 7, stride: 2, padding: .explicit(3), activation: .relu, using: &generator)
    var blocks: [[DenseLayer]] = []
    var transitions: [Transition] = []
    for (index, depth) in depths.enumerated() {
      var layers: [DenseLayer] = []
      for _ in 0..<depth {
        layers.append(DenseLayer(channels, growth: growth, using: &generator))
        channels += growth
      }
      blocks.append(layers)
      guard index < depths.count - 1 else { continue }
      transitions.append(Transition(channels, using: &generator))
      channels /= 2
    }
    (self.blocks, self.transitions) = (blocks, transitions)
    normalization = BatchNorm(channels)
    output = Linear(channels, classCount, using: &generator)
  }

  /// The logits `[batch, classes]` of images `[batch, height, width, 3]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    var features = maxPool2D(stem(images), size: 3, stride: 2, padding: .explicit(1))
    for (index, block) in blocks.enumerated() {
      features = Self.features(of: block, features)
      if index < transitions.count { features = transitions[index](features) }
    }
    return output(globalAveragePool2D(normalization(features, activation: .relu)))
  }

  private static func features(of block: [DenseLayer], _ x: Tensor) -> Tensor {
    let new = block.reduce(0) { $0 + $1.spatial.weight.shape[3] }
    var features = FeatureStack(x, capacity: x.shape[3] + new)
    for layer in block { features.append(layer(features.value)) }
    return features.value
  }
}
