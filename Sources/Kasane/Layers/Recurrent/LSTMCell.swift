// SPDX-License-Identifier: Apache-2.0

/// One step of a network of long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers et al.
/// 2000):
///
///     i = sigmoid(x W_i + h(t-1) U_i + b_i)       what is let in
///     f = sigmoid(x W_f + h(t-1) U_f + b_f)       what is kept
///     g = tanh(x W_g + h(t-1) U_g + b_g)          what there is to let in
///     o = sigmoid(x W_o + h(t-1) U_o + b_o)       what is shown
///     c(t) = f * c(t-1) + i * g
///     h(t) = o * tanh(c(t))
///
/// The gates lie in the order i, f, g, o along the last axis of the weights, as in PyTorch and Keras. The cells beside this
/// one leave parts of it out or put parts in: `ErrorCarouselCell`, `OriginalLSTMCell`, `CoupledLSTMCell`,
/// `PeepholeLSTMCell`, `LayerNormLSTMCell`, `RecurrentDropoutLSTMCell`, `VariationalLSTMCell`.
public struct LSTMCell: GatedCell {
  /// W, `[inputs, 4 * hidden]`: the transpose of PyTorch's `weight_ih`, Keras's `kernel`.
  public let inputWeight: Parameter
  /// U, `[hidden, 4 * hidden]`: the transpose of PyTorch's `weight_hh`, Keras's `recurrent_kernel`.
  public let recurrentWeight: Parameter
  /// b, `[4 * hidden]`: the sum of PyTorch's `bias_ih` and `bias_hh`, Keras's `bias`.
  public let bias: Parameter?

  /// A cell with random weights, drawn gate by gate, and, unless told otherwise, a bias.
  ///
  /// - Parameter forgetBias: The first b_f; 1 lets a cell remember from the start (Jozefowicz et al. 2015). The other
  ///   biases begin as zero.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, forgetBias: Double = 1,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer.gates(4, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(4, hidden, hidden, using: &generator))
    self.bias = bias ? gateBias([0, forgetBias, 0, 0], hidden) : nil
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    let next = lstmStep(projected, state?.hidden, state?.cell, recurrentWeight.value)
    return LSTMState(hidden: next.state, cell: next.cell)
  }

  /// All steps of sequences, by one primitive of the engine.
  public func run(
    _ x: Tensor, from state: LSTMState?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    runFused(x, from: state, lengths: lengths, reversed: reversed)
  }
}
