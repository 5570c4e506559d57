// SPDX-License-Identifier: Apache-2.0

/// One step of long short-term memory with variational dropout (Gal and Ghahramani 2016, with one mask for all
/// gates): in training, elements of the input and of the hidden state are dropped, in a sequence the same ones at every
/// step. With masks z_x and z_h, whose elements are 0 or 1 / (1 - rate):
///
///     i, f, g, o = (x * z_x) W + (h(t-1) * z_h) U + b
///
/// The rest, and the order of the gates, are those of `LSTMCell`.
public struct VariationalLSTMCell: GatedCell {
  /// W, `[inputs, 4 * hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, 4 * hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[4 * hidden]`.
  public let bias: Parameter?
  /// The rate at which elements of the input are dropped.
  public let inputDropout: Double
  /// The rate at which elements of the hidden state are dropped.
  public let stateDropout: Double
  /// z_x, `[batch, inputs]`; nil where nothing of the input is dropped.
  public private(set) var inputMask: Tensor?
  /// z_h, `[batch, hidden]`; nil where nothing of the state is dropped.
  public private(set) var stateMask: Tensor?

  /// A cell with random weights, drawn as those of `LSTMCell`.
  public init(
    _ inputs: Int, _ hidden: Int, inputDropout: Double, stateDropout: Double, bias: Bool = true,
    forgetBias: Double = 1, initializer: Initializer = .glorotUniform,
    recurrentInitializer: Initializer = .orthogonal, using generator: inout RandomGenerator
  ) {
    for rate in [inputDropout, stateDropout] {
      precondition(rate >= 0 && rate <= 1, "VariationalLSTMCell: a dropout of \(rate), outside 0 to 1")
    }
    inputWeight = Parameter(initializer.gates(4, inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer.gates(4, hidden, hidden, using: &generator))
    self.bias = bias ? gateBias([0, forgetBias, 0, 0], hidden) : nil
    (self.inputDropout, self.stateDropout) = (inputDropout, stateDropout)
  }

  /// This cell with the masks of a batch of sequences, drawn anew, or in use without masks. `run` asks for it; who goes
  /// step by step asks for it where the sequences begin, and takes all steps with what it gives.
  public func withMasks(batch: Int, dtype: DType = .float32) -> VariationalLSTMCell {
    func mask(_ features: Int, _ rate: Double) -> Tensor? {
      isTraining && rate > 0
        ? TrainingContext.dropped(Tensor(ones: [batch, features], dtype: dtype), rate: rate) : nil
    }
    return withMasks(input: mask(inputs, inputDropout), state: mask(hidden, stateDropout))
  }

  /// This cell with the given masks.
  func withMasks(input: Tensor?, state: Tensor?) -> VariationalLSTMCell {
    var cell = self
    (cell.inputMask, cell.stateMask) = (input, state)
    return cell
  }

  /// What depends on the inputs alone, for one step, `[batch, inputs]`, or for all at once, `[batch, time, inputs]`.
  public func project(_ x: Tensor) -> Tensor {
    let product = matmul(masked(x), inputWeight.value)
    guard let bias else { return product }
    return product + bias.value
  }

  private func masked(_ x: Tensor) -> Tensor {
    guard let inputMask else { return x }
    return x * (x.rank == 3 ? inputMask.expanded(axis: 1) : inputMask)
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    var hidden = state?.hidden
    if let shown = hidden, let stateMask { hidden = shown * stateMask }
    let next = lstmStep(projected, hidden, state?.cell, recurrentWeight.value)
    return LSTMState(hidden: next.state, cell: next.cell)
  }

  /// All steps of sequences: where nothing of the state is dropped, by the engine's primitive of the LSTM. Masks are drawn
  /// unless the cell has some.
  public func run(
    _ x: Tensor, from state: LSTMState?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    let hasMasks = inputMask != nil || stateMask != nil
    let cell = hasMasks ? self : withMasks(batch: x.shape[0], dtype: x.dtype)
    return cell.stateMask == nil
      ? cell.runFused(cell.masked(x), from: state, lengths: lengths, reversed: reversed)
      : cell.runStepByStep(x, from: state, lengths: lengths, reversed: reversed)
  }
}
