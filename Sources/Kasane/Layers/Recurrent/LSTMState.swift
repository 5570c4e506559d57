// SPDX-License-Identifier: Apache-2.0

/// What an LSTM hands from one step to the next.
public struct LSTMState: Sendable {
  /// h, what the cell shows, `[batch, hidden]`.
  public var hidden: Tensor
  /// c, what the cell remembers, `[batch, hidden]`.
  public var cell: Tensor

  /// The given state.
  public init(hidden: Tensor, cell: Tensor) { (self.hidden, self.cell) = (hidden, cell) }

  /// The same state, through which no gradient flows: with what the next stretch of a long sequence begins.
  public func detached() -> LSTMState { LSTMState(hidden: hidden.detached(), cell: cell.detached()) }
}

extension RecurrentCell where State == LSTMState {
  /// h.
  public func output(of state: LSTMState) -> Tensor { state.hidden }

  /// Zeros for both.
  public func zeroState(batch: Int, dtype: DType) -> LSTMState {
    let zeros = Tensor(zeros: [batch, hidden], dtype: dtype)
    return LSTMState(hidden: zeros, cell: zeros)
  }

  /// Two.
  public static var tensorsPerState: Int { 2 }
  /// h and c.
  public static func tensors(of state: LSTMState) -> [Tensor] { [state.hidden, state.cell] }
  /// The state of h and c.
  public static func state(of tensors: ArraySlice<Tensor>) -> LSTMState {
    LSTMState(hidden: tensors.first!, cell: tensors.last!)
  }
}

extension GatedCell where State == LSTMState {
  /// All steps by the engine's primitive of the LSTM, with weights that its gates i, f, g and o follow from.
  func runFused(
    _ x: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, bias: Tensor?, from state: LSTMState?,
    lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    requireSequences(x)
    let (outputs, hidden, cell) = lstm(
      x, inputWeight: inputWeight, recurrentWeight: recurrentWeight, bias: bias,
      initialState: state.map { ($0.hidden, $0.cell) }, lengths: lengths, isReversed: reversed)
    return (outputs, LSTMState(hidden: hidden, cell: cell))
  }

  /// The same with the cell's own weights, which are those of the four gates.
  func runFused(
    _ x: Tensor, from state: LSTMState?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: LSTMState) {
    runFused(
      x, inputWeight: inputWeight.value, recurrentWeight: recurrentWeight.value, bias: bias?.value,
      from: state, lengths: lengths, reversed: reversed)
  }
}
