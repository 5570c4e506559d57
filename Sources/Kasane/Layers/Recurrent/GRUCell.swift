// SPDX-License-Identifier: Apache-2.0

/// One step of a network of gated recurrent units (Cho et al. 2014). With z for how much of the state is kept and r
/// for how much of it is seen:
///
///     r = sigmoid(x W_r + h(t-1) U_r + b_r)
///     z = sigmoid(x W_z + h(t-1) U_z + b_z)
///     n = tanh(x W_n + b_n + r * (h(t-1) U_n + c_n))      the reset gate after the product
///     n = tanh(x W_n + b_n + (r * h(t-1)) U_n)            the reset gate before the product
///     h(t) = (1 - z) * n + z * h(t-1)
///
/// The gates lie in the order r, z, n along the last axis of the weights, as in PyTorch; Keras has z, r, n
/// (see `RecurrentLayout`).
public struct GRUCell: GatedCell {
  /// Where the reset gate is applied.
  public typealias ResetGate = RecurrentPrimitive.ResetGate

  /// W, `[inputs, 3 * hidden]`: the transpose of PyTorch's `weight_ih`.
  public let inputWeight: Parameter
  /// U, `[hidden, 3 * hidden]`: the transpose of PyTorch's `weight_hh`.
  public let recurrentWeight: Parameter
  /// b, `[3 * hidden]`: PyTorch's `bias_ih`.
  public let bias: Parameter?
  /// What is added to the product of state and U, `[3 * hidden]`: PyTorch's `bias_hh`, of which c_n is the last third.
  /// Only where the reset gate comes after the product; before it, one bias says all.
  public let recurrentBias: Parameter?
  /// Where the reset gate is applied.
  public let resetGate: ResetGate

  /// A cell with random weights, drawn gate by gate, and, unless told otherwise, biases of zeros.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, resetGate: ResetGate = .afterProduct,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer.gates(3, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(3, hidden, hidden, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [3 * hidden])) : nil
    recurrentBias = bias && resetGate == .afterProduct ? Parameter(Tensor(zeros: [3 * hidden])) : nil
    self.resetGate = resetGate
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: Tensor?) -> Tensor {
    // The weights and the biases need the state's shape, so zeros stand for a state that is not there.
    gruStep(
      projected, state ?? zeroState(batch: projected.shape[0], dtype: projected.dtype), recurrentWeight.value,
      recurrentBias?.value, resetGate)
  }

  /// All steps of sequences, by one primitive of the engine.
  public func run(
    _ x: Tensor, from state: Tensor?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: Tensor) {
    requireSequences(x)
    return gru(
      x, inputWeight: inputWeight.value, recurrentWeight: recurrentWeight.value, bias: bias?.value,
      recurrentBias: recurrentBias?.value, initialState: state, resetGate: resetGate, lengths: lengths,
      isReversed: reversed)
  }
}
