// SPDX-License-Identifier: Apache-2.0

/// One step of long short-term memory with layer normalisation (Ba, Kiros and Hinton 2016, equations 20 to 22). LN
/// takes mean and deviation over all its elements, those of the four gates together:
///
///     i, f, g, o = LN(x W) * a_x + LN(h(t-1) U) * a_h + b
///     c(t) = sigmoid(f) * c(t-1) + sigmoid(i) * tanh(g)
///     h(t) = sigmoid(o) * tanh(LN(c(t)) * a_c + b_c)
///
/// The paper gives each normalisation a shift of its own; those of the gates occur only as a sum with b, and b is that
/// sum. The gates lie in the order i, f, g, o along the last axis of the weights.
public struct LayerNormLSTMCell: GatedCell {
  /// W, `[inputs, 4 * hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, 4 * hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[4 * hidden]`.
  public let bias: Parameter?
  /// Of the input's product; a_x is its weight, `[4 * hidden]`.
  public let inputNorm: LayerNorm
  /// Of the state's product; a_h is its weight, `[4 * hidden]`.
  public let recurrentNorm: LayerNorm
  /// Of what is remembered; a_c and b_c are its weight and bias, `[hidden]`.
  public let cellNorm: LayerNorm

  /// A cell with random weights, drawn gate by gate, scales of one and, unless told otherwise, a bias.
  ///
  /// - Parameters:
  ///   - forgetBias: The first b_f. The other biases begin as zero.
  ///   - epsilon: What is added to variances.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, forgetBias: Double = 1, epsilon: Double = 1e-5,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer.gates(4, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(4, hidden, hidden, using: &generator))
    self.bias = bias ? gateBias([0, forgetBias, 0, 0], hidden) : nil
    inputNorm = LayerNorm(4 * hidden, epsilon: epsilon, bias: false)
    recurrentNorm = LayerNorm(4 * hidden, epsilon: epsilon, bias: false)
    cellNorm = LayerNorm(hidden, epsilon: epsilon)
  }

  /// What depends on the inputs alone, for all steps at once.
  public func project(_ x: Tensor) -> Tensor {
    let product = inputNorm(matmul(x, inputWeight.value))
    guard let bias else { return product }
    return product + bias.value
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    var gates = projected
    if let state { gates = gates + recurrentNorm(matmul(state.hidden, recurrentWeight.value)) }
    let parts = gates.split(into: 4, axis: -1)
    var cell = sigmoid(parts[0]) * tanh(parts[2])
    if let state { cell = sigmoid(parts[1]) * state.cell + cell }
    return LSTMState(hidden: sigmoid(parts[3]) * tanh(cellNorm(cell)), cell: cell)
  }
}
