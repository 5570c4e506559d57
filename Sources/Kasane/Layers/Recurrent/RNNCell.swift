// SPDX-License-Identifier: Apache-2.0

/// One step of a simple recurrent network (Elman 1990): `z(t) = f(x(t) W_in + z(t-1) W + b)`.
public struct RNNCell: GatedCell {
  /// W_in, `[inputs, hidden]`: the transpose of PyTorch's `weight_ih`.
  public let inputWeight: Parameter
  /// W, `[hidden, hidden]`: the transpose of PyTorch's `weight_hh`.
  public let recurrentWeight: Parameter
  /// b, `[hidden]`: the sum of PyTorch's `bias_ih` and `bias_hh`.
  public let bias: Parameter?
  /// f.
  public let activation: Activation

  /// A cell with random weights and, unless told otherwise, a bias of zeros.
  ///
  /// - Parameter recurrentInitializer: How W is drawn; as W_in when nil.
  public init(
    _ inputs: Int, _ hidden: Int, activation: Activation = .tanh, bias: Bool = true,
    initializer: Initializer = .xavier, recurrentInitializer: Initializer? = nil,
    using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer(inputs, hidden, using: &generator))
    recurrentWeight = Parameter((recurrentInitializer ?? initializer)(hidden, hidden, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [hidden])) : nil
    self.activation = activation
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: Tensor?) -> Tensor {
    simpleStep(projected, state, recurrentWeight.value, activation)
  }

  /// All steps of sequences, by one primitive of the engine.
  public func run(
    _ x: Tensor, from state: Tensor?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: Tensor) {
    requireSequences(x)
    let call = RecurrentCall(
      cell: .simple(activation), x: x, inputWeight: inputWeight.value, recurrentWeight: recurrentWeight.value,
      bias: bias?.value, initialState: state, lengths: lengths, isReversed: reversed
    ).checked("\(Self.self)")
    guard lengths == nil, x.shape[1] > 0 else {
      let result = recurrentSequences(call, withFinalStates: true)
      return (result.outputs, result.finalState!)
    }
    let states = recurrentSequences(call, withFinalStates: false).outputs
    return (states, states.select(reversed ? 0 : -1, axis: 1))
  }

  /// The states `[batch, time, hidden]` for an input `[batch, time, inputs]`, starting from zeros.
  public func states(_ x: Tensor) -> Tensor {
    recurrent(
      x, inputWeight: inputWeight.value, recurrentWeight: recurrentWeight.value, bias: bias?.value,
      activation: activation)
  }
}
