// SPDX-License-Identifier: Apache-2.0

/// An affine map of the last axis, with an activation where one is given: `f(x W + b)`.
public struct Linear: Layer {
  /// W, `[inputs, outputs]`: the transpose of PyTorch's, Keras's as it is.
  public let weight: Parameter
  /// b, `[outputs]`.
  public let bias: Parameter?
  /// f, or nil for the identity.
  public let activation: Activation?

  /// A layer with a random weight and, unless told otherwise, a bias of zeros.
  ///
  /// - Parameters:
  ///   - activation: what becomes of each element of the result
  ///   - biasInitializer: how the bias is drawn, by the weight's fans
  public init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, activation: Activation? = nil,
    initializer: Initializer = .xavier,
    biasInitializer: Initializer = .zeros, using generator: inout RandomGenerator
  ) {
    self.activation = activation
    weight = Parameter(initializer(inputs, outputs, using: &generator))
    self.bias =
      bias
      ? Parameter(biasInitializer([outputs], fanIn: inputs, fanOut: outputs, using: &generator)) : nil
  }

  /// Maps `[..., inputs]` to `[..., outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported { linear(x, weight.value, bias: bias?.value, activation: activation) }
  }
}
