// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// An autoencoder (Hinton and Salakhutdinov 2006) with one hidden layer of rectified units on each side of the code. What
/// it is trained to give back need not be what it sees: the clean input of a noisy one makes it a denoising autoencoder
/// (Vincent 2008).
public struct Autoencoder: LatentModel {
  /// From `[batch, inputs]` to `[batch, hidden]`.
  public let encoderHidden: Linear
  /// From `[batch, hidden]` to codes `[batch, latent]`.
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
    encoderHidden = Linear(inputs, hidden, activation: .relu, initializer: initializer, using: &generator)
    encoderOutput = Linear(hidden, latent, initializer: initializer, using: &generator)
    decoderHidden = Linear(latent, hidden, activation: .relu, initializer: initializer, using: &generator)
    decoderOutput = Linear(hidden, inputs, initializer: initializer, using: &generator)
  }

  /// How many numbers stand for an input.
  public var latentCount: Int { decoderHidden.weight.shape[0] }

  /// The codes `[batch, latent]` of `[batch, inputs]`.
  public func codes(of x: Tensor) -> Tensor { encoderOutput(encoderHidden(x)) }

  /// The logits `[batch, inputs]` of codes `[batch, latent]`.
  public func decode(_ z: Tensor) -> Tensor { decoderOutput(decoderHidden(z)) }

  /// The inputs that codes stand for.
  public func inputs(of z: Tensor) -> Tensor { sigmoid(decode(z)) }
}

/// An autoencoder of images whose layers are convolutions of stride 2 and, on the way back, transposed ones (Masci 2011;
/// the layout of DCGAN's, Radford 2016):
///
///     [batch, height * width]  as an image of one channel
///                              convolution 3 x 3, stride 2, relu             [batch, ceil(h/2), ceil(w/2), channels]
///                              convolution 3 x 3, stride 2, relu             [batch, ceil(h/4), ceil(w/4), 2 * channels]
///                              linear                                        [batch, latent]
///     and back                 linear, relu; transposed convolutions 3 x 3, cut to the image's size
public struct ConvolutionalAutoencoder: LatentModel {
  /// The convolutions.
  public let encoderConvolutions: [Convolution2D]
  /// From all that they found to the code.
  public let encoderOutput: Linear
  /// From the code to the smallest image.
  public let decoderHidden: Linear
  /// The transposed convolutions; the last one gives logits.
  public let decoderConvolutions: [TransposedConvolution2D]
  /// Rows of an image.
  public let height: Int
  /// Columns of an image.
  public let width: Int

  /// A network with random weights.
  public init(
    height: Int = 28, width: Int = 28, channels: Int = 16, latent: Int = 20,
    using generator: inout RandomGenerator
  ) {
    (self.height, self.width) = (height, width)
    encoderConvolutions = [
      Convolution2D(1, channels, kernelSize: 3, stride: 2, padding: .same, using: &generator),
      Convolution2D(channels, 2 * channels, kernelSize: 3, stride: 2, padding: .same, using: &generator),
    ]
    let (rows, columns) = Self.smallest(height, width)
    encoderOutput = Linear(rows * columns * 2 * channels, latent, using: &generator)
    decoderHidden = Linear(
      latent, rows * columns * 2 * channels, activation: .relu, initializer: .he, using: &generator)
    decoderConvolutions = [
      TransposedConvolution2D(2 * channels, channels, kernelSize: 3, stride: 2, using: &generator),
      TransposedConvolution2D(
        channels, 1, kernelSize: 3, stride: 2, initializer: .xavier, using: &generator),
    ]
  }

  private static func smallest(_ height: Int, _ width: Int) -> (rows: Int, columns: Int) {
    ((height + 3) / 4, (width + 3) / 4)
  }

  /// How many numbers stand for an image.
  public var latentCount: Int { decoderHidden.weight.shape[0] }

  /// The codes `[batch, latent]` of images `[batch, height * width]`.
  public func codes(of x: Tensor) -> Tensor {
    let image = x.reshaped(to: [x.shape[0], height, width, 1])
    let found = encoderConvolutions.reduce(image) { relu($1($0)) }
    return encoderOutput(found.reshaped(to: [x.shape[0], -1]))
  }

  /// The logits `[batch, height * width]` of codes `[batch, latent]`.
  public func decode(_ z: Tensor) -> Tensor {
    let (rows, columns) = Self.smallest(height, width)
    var image = decoderHidden(z).reshaped(to: [z.shape[0], rows, columns, -1])
    image = relu(decoderConvolutions[0](image)[0..., 0..<(2 * rows), 0..<(2 * columns)])
    image = decoderConvolutions[1](image)[0..., 0..<height, 0..<width]
    return image.reshaped(to: [z.shape[0], height * width])
  }

  /// The images that codes stand for.
  public func inputs(of z: Tensor) -> Tensor { sigmoid(decode(z)) }
}
