// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// MobileNet, an image classifier for small machines (Howard et al. 2017, table 1): each 3 x 3 convolution is taken apart
/// into one that looks at each channel alone and one of single pixels that mixes the channels.
///
///     [batch, 224, 224, 3]  convolution 3 x 3, 32 channels, stride 2               [batch, 112, 112, 32]
///                           13 blocks, 64 to 1,024 channels, four of them halving  [batch, 7, 7, 1024]
///                           average, linear                                        [batch, 1000]
///
/// Every convolution is followed by batch normalisation and a rectifier. Images of other sizes are taken too.
public struct MobileNetV1: Layer {
  /// A separable convolution, normalised after either half.
  public struct Block: Layer {
    /// The 3 x 3 convolution of each channel alone.
    public let depthwise: ConvolutionNorm
    /// The convolution of single pixels.
    public let pointwise: ConvolutionNorm

    init(_ inputs: Int, _ outputs: Int, stride: Int, using generator: inout RandomGenerator) {
      depthwise = ConvolutionNorm(
        inputs, inputs, kernelSize: 3, stride: Size2D(stride), padding: .explicit(1), groups: inputs,
        activation: .relu, using: &generator)
      pointwise = ConvolutionNorm(inputs, outputs, kernelSize: 1, activation: .relu, using: &generator)
    }

    /// Maps `[batch, height, width, inputs]` to as many `outputs` channels, of half the height and width, rounded up,
    /// where the stride is 2.
    public func callAsFunction(_ x: Tensor) -> Tensor { reported { pointwise(depthwise(x)) } }
  }

  /// The first convolution.
  public let stem: ConvolutionNorm
  /// The separable convolutions.
  public let blocks: [Block]
  /// From the features' averages to a number for each class.
  public let output: Linear

  /// A network with random weights.
  ///
  /// - Parameter width: What the channels' numbers are multiplied by, the paper's alpha; at least 8 channels are left.
  public init(classCount: Int = 1000, width: Double = 1, using generator: inout RandomGenerator) {
    func channels(_ count: Int) -> Int { max(8, Int((Double(count) * width).rounded())) }
    let plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    let steps = plan + [(Int, Int)](repeating: (512, 1), count: 5) + [(1024, 2), (1024, 1)]
    stem = ConvolutionNorm(
      3, channels(32), kernelSize: 3, stride: 2, padding: .explicit(1), activation: .relu, using: &generator)
    var inputs = channels(32)
    var blocks: [Block] = []
    for (outputs, stride) in steps {
      blocks.append(Block(inputs, channels(outputs), stride: stride, using: &generator))
      inputs = channels(outputs)
    }
    self.blocks = blocks
    output = Linear(inputs, classCount, using: &generator)
  }

  /// The logits `[batch, classes]` of images `[batch, height, width, 3]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    let features = blocks.reduce(stem(images)) { x, block in block(x) }
    return output(globalAveragePool2D(features))
  }
}
