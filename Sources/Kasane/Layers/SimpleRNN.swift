// SPDX-License-Identifier: Apache-2.0

/// One step of a simple recurrent network (Elman 1990): `z(t) = f(x(t) W_in + z(t-1) W + b)`.
public struct RNNCell: Module {
  /// W_in, `[inputs, hidden]`.
  public let inputWeight: Parameter
  /// W, `[hidden, hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[hidden]`.
  public let bias: Parameter?
  /// f.
  public let activation: Activation

  /// A cell with random weights and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ hidden: Int, activation: Activation = .tanh, bias: Bool = true,
    initializer: Initializer = .xavier, using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer(inputs, hidden, using: &generator))
    recurrentWeight = Parameter(initializer(hidden, hidden, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [hidden])) : nil
    self.activation = activation
  }

  /// The next state `[batch, hidden]` from an input `[batch, inputs]` and the state before, zero when nil.
  public func callAsFunction(_ x: Tensor, _ state: Tensor?) -> Tensor {
    var u = matmul(x, inputWeight.value)
    if let state { u = u + matmul(state, recurrentWeight.value) }
    if let bias { u = u + bias.value }
    return activation(u)
  }
}

/// A simple recurrent network over whole sequences, computed by one primitive of the engine.
public struct RNN: Layer {
  /// One step of it.
  public let cell: RNNCell

  /// A layer made from a cell.
  public init(_ cell: RNNCell) { self.cell = cell }

  /// The states `[batch, time, hidden]` for an input `[batch, time, inputs]`, starting from zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    recurrent(
      x, inputWeight: cell.inputWeight.value, recurrentWeight: cell.recurrentWeight.value,
      bias: cell.bias?.value, activation: cell.activation)
  }
}
