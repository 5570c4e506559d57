// SPDX-License-Identifier: Apache-2.0

/// One step of long short-term memory as it was first published (Hochreiter and Schmidhuber 1997, section 4), without a
/// forget gate; the functions are tanh throughout, as in Greff et al. (2017), whose "NFG" it is:
///
///     i = sigmoid(x W_i + h(t-1) U_i + b_i)       what is let in
///     g = tanh(x W_g + h(t-1) U_g + b_g)          what there is to let in
///     o = sigmoid(x W_o + h(t-1) U_o + b_o)       what is shown
///     c(t) = c(t-1) + i * g
///     h(t) = o * tanh(c(t))
///
/// The gates lie in the order i, g, o along the last axis of the weights.
public struct OriginalLSTMCell: GatedCell {
  /// W, `[inputs, 3 * hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, 3 * hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[3 * hidden]`.
  public let bias: Parameter?

  /// A cell with random weights, drawn gate by gate, and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, initializer: Initializer = .glorotUniform,
    recurrentInitializer: Initializer = .orthogonal, using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer.gates(3, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(3, hidden, hidden, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [3 * hidden])) : nil
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    let parts = sums(projected, state?.hidden).split(into: 3, axis: -1)
    let (i, g, o) = (sigmoid(parts[0]), tanh(parts[1]), sigmoid(parts[2]))
    var cell = i * g
    if let state { cell = state.cell + cell }
    return LSTMState(hidden: o * tanh(cell), cell: cell)
  }

  /// All steps of sequences, by the engine's primitive of the LSTM: without a forget gate is with one that stands open.
  public func run(
    _ x: Tensor, from state: LSTMState?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    func withoutForgetting(_ weight: Tensor) -> Tensor {
      insertingForgetGate(weight, Tensor(zeros: [weight.shape[0], hidden], dtype: weight.dtype))
    }
    let weight = inputWeight.value
    // In single and in double precision the sigmoid of 40 is 1.
    let open = Tensor(repeating: 40, shape: [hidden]).cast(to: weight.dtype)
    let bias = bias?.value ?? Tensor(zeros: [3 * hidden], dtype: weight.dtype)
    return runFused(
      x, inputWeight: withoutForgetting(weight), recurrentWeight: withoutForgetting(recurrentWeight.value),
      bias: insertingForgetGate(bias, open), from: state, lengths: lengths, reversed: reversed)
  }
}

/// Weights or biases of the gates i, f, g, o, made of those of i, g, o and of f.
func insertingForgetGate(_ gates: Tensor, _ forget: Tensor) -> Tensor {
  let parts = gates.split(into: 3, axis: -1)
  return Tensor.concatenate([parts[0], forget, parts[1], parts[2]], axis: -1)
}
