// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A residual network of bottlenecks (He et al. 2016, table 1), ResNet-50 unless told otherwise.
///
///     [batch, 224, 224, 3]  convolution 7 x 7, 64 channels, stride 2          [batch, 112, 112, 64]
///                           maximum 3 x 3, stride 2                           [batch, 56, 56, 64]
///                           3, 4, 6 and 3 bottlenecks, the stages halving     [batch, 7, 7, 2048]
///                           average, linear                                   [batch, 1000]
///
/// Where a stage halves the image, the 3 x 3 convolution does so rather than the first of single pixels, which would leave
/// out three pixels of four. Images of other sizes are taken too.
public struct ResNet: Layer {
  /// Convolutions of 1 x 1, 3 x 3 and 1 x 1 whose result is added to their input.
  public struct Bottleneck: Layer {
    /// From the input to fewer channels.
    public let reduce: ConvolutionNorm
    /// The 3 x 3 convolution, in steps of the stride.
    public let spatial: ConvolutionNorm
    /// To four times as many channels; the sum and its rectifier belong to it.
    public let expand: ConvolutionNorm
    /// What makes the input's shape agree with the result's, where it does not.
    public let shortcut: ConvolutionNorm?

    init(_ inputs: Int, width: Int, stride: Int, using generator: inout RandomGenerator) {
      let outputs = width * 4
      reduce = ConvolutionNorm(inputs, width, kernelSize: 1, activation: .relu, using: &generator)
      spatial = ConvolutionNorm(
        width, width, kernelSize: 3, stride: Size2D(stride), padding: .explicit(1), activation: .relu,
        using: &generator)
      expand = ConvolutionNorm(width, outputs, kernelSize: 1, activation: .relu, using: &generator)
      shortcut =
        inputs == outputs && stride == 1
        ? nil : ConvolutionNorm(inputs, outputs, kernelSize: 1, stride: Size2D(stride), using: &generator)
    }

    /// Maps `[batch, height, width, inputs]` to `[batch, height / stride, width / stride, 4 * width]`.
    public func callAsFunction(_ x: Tensor) -> Tensor {
      reported { expand(spatial(reduce(x)), adding: shortcut.map { $0(x) } ?? x) }
    }
  }

  /// The first convolution.
  public let stem: ConvolutionNorm
  /// The bottlenecks of each stage.
  public let stages: [[Bottleneck]]
  /// From the features' averages to a number for each class.
  public let output: Linear

  /// A network with random weights.
  ///
  /// - Parameters:
  ///   - classCount: How many classes there are.
  ///   - depths: How many bottlenecks each stage has: `[3, 4, 6, 3]` for ResNet-50, `[3, 4, 23, 3]` for ResNet-101 and
  ///     `[3, 8, 36, 3]` for ResNet-152.
  ///   - width: The channels of the first convolution and of the first stage's 3 x 3 ones, which double from stage to
  ///     stage.
  ///   - generator: Where the weights are drawn from.
  public init(
    classCount: Int = 1000, depths: [Int] = [3, 4, 6, 3], width: Int = 64,
    using generator: inout RandomGenerator
  ) {
    stem = ConvolutionNorm(
      3, width, kernelSize: 7, stride: 2, padding: .explicit(3), activation: .relu, using: &generator)
    var inputs = width
    var stages: [[Bottleneck]] = []
    for (stage, depth) in depths.enumerated() {
      let width = width << stage
      var bottlenecks: [Bottleneck] = []
      for index in 0..<depth {
        let stride = stage > 0 && index == 0 ? 2 : 1
        bottlenecks.append(Bottleneck(inputs, width: width, stride: stride, using: &generator))
        inputs = width * 4
      }
      stages.append(bottlenecks)
    }
    self.stages = stages
    output = Linear(inputs, classCount, using: &generator)
  }

  /// The logits `[batch, classes]` of images `[batch, height, width, 3]`.
  public func callAsFunction(_ images: Tensor) -> Tensor {
    var features = maxPool2D(stem(images), size: 3, stride: 2, padding: .explicit(1))
    for stage in stages { features = stage.reduce(features) { x, bottleneck in bottleneck(x) } }
    return output(globalAveragePool2D(features))
  }
}
