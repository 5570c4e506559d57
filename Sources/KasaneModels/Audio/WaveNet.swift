// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A network that predicts the next sample of a wave from all before it (van den Oord et al. 2016, "WaveNet: A generative
/// model for raw audio"): causal convolutions, each looking twice as far back as the one before, with gated units,
/// residual connections, and a connection from each layer to the output.
///
/// Samples are quantised to levels, by mu-law companding in the paper.
public struct WaveNet: Module {
  /// One layer (figure 4).
  public struct Block: Module {
    /// From `[batch, time, channels]` to both halves of the gated unit, causal, of kernel size 2.
    public let dilated: Convolution1D
    /// To what is added to the layer's input.
    public let residual: Linear
    /// To what goes to the output.
    public let skip: Linear

    /// A layer with random weights.
    public init(
      channels: Int, skipChannels: Int, dilation: Int, initializer: Initializer,
      using generator: inout RandomGenerator
    ) {
      dilated = Convolution1D(
        channels, 2 * channels, kernelSize: 2, padding: .causal, dilation: dilation, initializer: initializer,
        using: &generator)
      residual = Linear(channels, channels, initializer: initializer, using: &generator)
      skip = Linear(channels, skipChannels, initializer: initializer, using: &generator)
    }

    /// The next layer's input `[batch, time, channels]`, and what goes to the output, `[batch, time, skipChannels]`.
    public func callAsFunction(_ x: Tensor) -> (next: Tensor, skip: Tensor) {
      let y = gatedTanh(dilated(x))
      return (x + residual(y), skip(y))
    }
  }

  /// From a sample's level to channels: a convolution of kernel size 1 over one-hot vectors.
  public let input: Linear
  /// The layers.
  public let blocks: [Block]
  /// From the sum of what the layers give, rectified, to as many channels.
  public let hidden: Linear
  /// From these to the logits of the levels.
  public let output: Linear

  /// A network with random weights. The dilations double from 1 on, layer by layer, and begin anew after `cycle` layers.
  public init(
    levels: Int = 256, channels: Int = 64, skipChannels: Int = 128, layers: Int = 20, cycle: Int = 10,
    initializer: Initializer = .xavier, using generator: inout RandomGenerator
  ) {
    input = Linear(levels, channels, initializer: initializer, using: &generator)
    blocks = (0..<layers).map { layer in
      Block(
        channels: channels, skipChannels: skipChannels, dilation: 1 << (layer % cycle),
        initializer: initializer,
        using: &generator)
    }
    hidden = Linear(
      skipChannels, skipChannels, activation: .relu, initializer: initializer, using: &generator)
    output = Linear(skipChannels, levels, initializer: initializer, using: &generator)
  }

  /// The logits `[batch, time, levels]` of the sample after each one. Samples are levels `[batch, time]`, whole numbers,
  /// or one-hot vectors, or any mixture of levels, `[batch, time, levels]`.
  public func callAsFunction(_ samples: Tensor) -> Tensor {
    // The product of one-hot vectors with a matrix is a choice of the matrix's rows.
    var x =
      samples.dtype.isFloatingPoint
      ? input(samples) : embedding(input.weight.value, samples) + input.bias!.value
    var sum: Tensor?
    for block in blocks {
      let (next, skip) = block(x)
      x = next
      sum = sum.map { $0 + skip } ?? skip
    }
    return output(hidden(relu(sum ?? Tensor(zeros: x.shape))))
  }

  /// The cross-entropy of each sample given those before it, the mean over levels `[batch, time]`.
  public func loss(_ samples: Tensor) -> Tensor {
    let time = samples.shape[1]
    // The last sample predicts one that is not there.
    let logits = self(samples.sliced(0..<time - 1, axis: 1))
    return crossEntropy(logits, samples.sliced(1..<time, axis: 1))
  }
}
