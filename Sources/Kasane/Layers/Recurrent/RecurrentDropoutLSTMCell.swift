// SPDX-License-Identifier: Apache-2.0

/// One step of long short-term memory with recurrent dropout (Semeniuta, Severyn and Barth 2016): in
/// training, elements of what is to be let in are dropped, at each step anew. What is remembered stays whole, so that
/// dropping does not shorten the memory.
///
///     c(t) = f * c(t-1) + i * d(g)
///
/// The rest, and the order of the gates, are those of `LSTMCell`.
public struct RecurrentDropoutLSTMCell: GatedCell {
  /// W, `[inputs, 4 * hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, 4 * hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[4 * hidden]`.
  public let bias: Parameter?
  /// The rate at which elements of g are dropped.
  public let dropout: Double

  /// A cell with random weights, drawn as those of `LSTMCell`.
  public init(
    _ inputs: Int, _ hidden: Int, dropout: Double, bias: Bool = true, forgetBias: Double = 1,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    precondition(
      dropout >= 0 && dropout <= 1, "RecurrentDropoutLSTMCell: a dropout of \(dropout), outside 0 to 1")
    inputWeight = Parameter(initializer.gates(4, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(4, hidden, hidden, using: &generator))
    self.bias = bias ? gateBias([0, forgetBias, 0, 0], hidden) : nil
    self.dropout = dropout
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    step(projected, state) { TrainingContext.dropped($0, rate: dropout) }
  }

  /// The same with another way to drop.
  func step(_ projected: Tensor, _ state: LSTMState?, drop: (Tensor) -> Tensor) -> LSTMState {
    let parts = sums(projected, state?.hidden).split(into: 4, axis: -1)
    let (i, f, g, o) = (sigmoid(parts[0]), sigmoid(parts[1]), tanh(parts[2]), sigmoid(parts[3]))
    var cell = i * drop(g)
    if let state { cell = f * state.cell + cell }
    return LSTMState(hidden: o * tanh(cell), cell: cell)
  }

  /// All steps of sequences: where nothing is dropped, by the engine's primitive of the LSTM.
  public func run(
    _ x: Tensor, from state: LSTMState?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    isTraining && dropout > 0
      ? runStepByStep(x, from: state, lengths: lengths, reversed: reversed)
      : runFused(x, from: state, lengths: lengths, reversed: reversed)
  }
}
