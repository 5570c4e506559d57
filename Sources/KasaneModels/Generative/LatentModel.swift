// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A network that turns inputs between 0 and 1, such as the pixels of grey images, into few numbers and back.
public protocol LatentModel: Module {
  /// How many numbers stand for an input.
  var latentCount: Int { get }
  /// The codes `[batch, latent]` of inputs `[batch, inputs]`.
  func codes(of x: Tensor) -> Tensor
  /// The inputs `[batch, inputs]`, each from 0 to 1, that codes `[batch, latent]` stand for.
  func inputs(of z: Tensor) -> Tensor
}
