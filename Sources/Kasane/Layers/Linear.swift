// SPDX-License-Identifier: Apache-2.0

/// An affine map of the last axis: `x W + b`.
public struct Linear: Layer {
  /// W, `[inputs, outputs]`: the transpose of PyTorch's, Keras's as it is.
  public let weight: Parameter
  /// b, `[outputs]`.
  public let bias: Parameter?

  /// A layer with a random weight and, unless told otherwise, a bias of zeros.
  ///
  /// - Parameter biasInitializer: How the bias is drawn, by the weight's fans.
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, initializer: Initializer = .xavier,
    biasInitializer: Initializer = .zeros, using generator: inout RandomGenerator
  ) {
    weight = Parameter(initializer(inputs, outputs, using: &generator))
    self.bias =
      bias
      ? Parameter(biasInitializer([outputs], fanIn: inputs, fanOut: outputs, using: &generator)) : nil
  }

  /// Maps `[..., inputs]` to `[..., outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      let product = matmul(x, weight.value)
      guard let bias else { return product }
      return product + bias.value
    }
  }
}
