// SPDX-License-Identifier: Apache-2.0

/// One step of long short-term memory whose gates see what the cell remembers, through peepholes (Gers and Schmidhuber
/// 2000; Gers, Schraudolph and Schmidhuber 2002), which helps where intervals must be told:
///
///     i = sigmoid(x W_i + h(t-1) U_i + p_i * c(t-1) + b_i)       what is let in
///     f = sigmoid(x W_f + h(t-1) U_f + p_f * c(t-1) + b_f)       what is kept
///     g = tanh(x W_g + h(t-1) U_g + b_g)                         what there is to let in
///     c(t) = f * c(t-1) + i * g
///     o = sigmoid(x W_o + h(t-1) U_o + p_o * c(t) + b_o)         what is shown
///     h(t) = o * tanh(c(t))
///
/// The gates lie in the order i, f, g, o along the last axis of the weights.
public struct PeepholeLSTMCell: GatedCell {
  /// W, `[inputs, 4 * hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, 4 * hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[4 * hidden]`.
  public let bias: Parameter?
  /// p_i, `[hidden]`: each unit's gate sees that unit alone.
  public let inputPeephole: Parameter
  /// p_f, `[hidden]`.
  public let forgetPeephole: Parameter
  /// p_o, `[hidden]`.
  public let outputPeephole: Parameter

  /// A cell with random weights, drawn gate by gate, and, unless told otherwise, a bias.
  ///
  /// - Parameters:
  ///   - forgetBias: The first b_f. The other biases begin as zero.
  ///   - peepholeInitializer: How the peepholes are drawn; with zeros the cell begins as an `LSTMCell`.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, forgetBias: Double = 1,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    peepholeInitializer: Initializer = .zeros, using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer.gates(4, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(4, hidden, hidden, using: &generator))
    self.bias = bias ? gateBias([0, forgetBias, 0, 0], hidden) : nil
    inputPeephole = Parameter(peepholeInitializer([hidden], using: &generator))
    forgetPeephole = Parameter(peepholeInitializer([hidden], using: &generator))
    outputPeephole = Parameter(peepholeInitializer([hidden], using: &generator))
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    let parts = sums(projected, state?.hidden).split(into: 4, axis: -1)
    var cell: Tensor
    if let state {
      let i = sigmoid(parts[0] + inputPeephole.value * state.cell)
      let f = sigmoid(parts[1] + forgetPeephole.value * state.cell)
      cell = f * state.cell + i * tanh(parts[2])
    } else {
      cell = sigmoid(parts[0]) * tanh(parts[2])
    }
    let o = sigmoid(parts[3] + outputPeephole.value * cell)
    return LSTMState(hidden: o * tanh(cell), cell: cell)
  }
}
