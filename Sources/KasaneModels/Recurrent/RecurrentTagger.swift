// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A recurrent network with an answer between 0 and 1 at every step:
///
///     u(t) = x(t) W_in + z(t-1) W + b      z(t) = f(u(t))
///     v(t) = z(t) W_out + c                y(t) = sigmoid(v(t))
public struct RecurrentTagger: Layer {
  /// W_in, W, b and f.
  public let cell: RNNCell
  /// W_out and c.
  public let output: Linear

  /// A network with random weights and, where asked for, biases of zero.
  public init(
    inputs: Int, hidden: Int, outputs: Int, activation: Activation, bias: Bool, initializer: Initializer,
    using generator: inout RandomGenerator
  ) {
    cell = RNNCell(
      inputs, hidden, activation: activation, bias: bias, initializer: initializer, using: &generator)
    output = Linear(hidden, outputs, bias: bias, initializer: initializer, using: &generator)
  }

  /// The answers `[batch, time, outputs]` to `[batch, time, inputs]`: the whole sequence in one primitive.
  public func callAsFunction(_ x: Tensor) -> Tensor { sigmoid(output(cell.states(x))) }

  /// The answer `[batch, outputs]` of one step, and the state after it.
  public func step(_ x: Tensor, state: Tensor?) -> (answer: Tensor, state: Tensor) {
    let state = cell(x, state)
    return (sigmoid(output(state)), state)
  }
}
