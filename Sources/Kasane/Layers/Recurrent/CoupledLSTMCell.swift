// SPDX-License-Identifier: Apache-2.0

/// One step of long short-term memory whose input gate and forget gate are coupled (Greff et al. 2017, "CIFG"): as much
/// is forgotten as is let in, as in a gated recurrent unit.
///
///     i = sigmoid(x W_i + h(t-1) U_i + b_i)       what is let in
///     g = tanh(x W_g + h(t-1) U_g + b_g)          what there is to let in
///     o = sigmoid(x W_o + h(t-1) U_o + b_o)       what is shown
///     c(t) = (1 - i) * c(t-1) + i * g
///     h(t) = o * tanh(c(t))
///
/// The gates lie in the order i, g, o along the last axis of the weights.
public struct CoupledLSTMCell: GatedCell {
  /// W, `[inputs, 3 * hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, 3 * hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[3 * hidden]`.
  public let bias: Parameter?

  /// A cell with random weights, drawn gate by gate, and, unless told otherwise, a bias.
  ///
  /// - Parameter inputBias: The first b_i; -1 lets a cell remember from the start, as an `LSTMCell`'s forget bias of 1
  ///   does. The other biases begin as zero.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, inputBias: Double = -1,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer.gates(3, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(3, hidden, hidden, using: &generator))
    self.bias = bias ? gateBias([inputBias, 0, 0], hidden) : nil
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    let parts = sums(projected, state?.hidden).split(into: 3, axis: -1)
    let (i, g, o) = (sigmoid(parts[0]), tanh(parts[1]), sigmoid(parts[2]))
    var cell = i * g
    if let state { cell = (1 - i) * state.cell + cell }
    return LSTMState(hidden: o * tanh(cell), cell: cell)
  }

  /// All steps of sequences, by the engine's primitive of the LSTM: 1 - sigmoid(a) is sigmoid(-a), so the forget gate's
  /// weights are the input gate's with the other sign.
  public func run(
    _ x: Tensor, from state: LSTMState?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    func coupled(_ gates: Tensor) -> Tensor {
      insertingForgetGate(gates, -gates.split(into: 3, axis: -1)[0])
    }
    return runFused(
      x, inputWeight: coupled(inputWeight.value), recurrentWeight: coupled(recurrentWeight.value),
      bias: (bias?.value).map(coupled), from: state, lengths: lengths, reversed: reversed)
  }
}
