// SPDX-License-Identifier: Apache-2.0

/// The states of a simple recurrent network (Elman 1990) over whole sequences, as one primitive of the engine:
///
///     h(t) = f(x(t) W_in + h(t-1) W + b)
///
/// - Parameters:
///   - x: `[batch, time, inputs]`
///   - inputWeight: W_in, `[inputs, hidden]`
///   - recurrentWeight: W, `[hidden, hidden]`
///   - bias: b, `[hidden]`, or nil
///   - initialState: h(-1), `[batch, hidden]`, or nil for zeros
///   - activation: f
///   - lengths: The sequences' lengths, `[batch]`, of whole numbers; the steps beyond are padding, which is not looked at.
///     Nil where all are as long as the time axis.
///   - isReversed: Whether a sequence's last step comes first; the states stay in the order of the input.
/// - Returns: the states, `[batch, time, hidden]`, zero in the padding
public func recurrent(
  _ x: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, bias: Tensor? = nil, initialState: Tensor? = nil,
  activation: Activation, lengths: Tensor? = nil, isReversed: Bool = false
) -> Tensor {
  let call = RecurrentCall(
    cell: .simple(activation), x: x, inputWeight: inputWeight, recurrentWeight: recurrentWeight, bias: bias,
    initialState: initialState, lengths: lengths, isReversed: isReversed)
  return recurrentSequences(call.checked("recurrent"), withFinalStates: false).outputs
}

/// A network of long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers et al. 2000) over whole
/// sequences, as one primitive of the engine:
///
///     i = sigmoid(x(t) W_i + h(t-1) U_i + b_i)       what is let in
///     f = sigmoid(x(t) W_f + h(t-1) U_f + b_f)       what is kept
///     g = tanh(x(t) W_g + h(t-1) U_g + b_g)          what there is to let in
///     o = sigmoid(x(t) W_o + h(t-1) U_o + b_o)       what is shown
///     c(t) = f * c(t-1) + i * g
///     h(t) = o * tanh(c(t))
///
/// - Parameters:
///   - x: `[batch, time, inputs]`
///   - inputWeight: W, `[inputs, 4 * hidden]`: the gates in the order i, f, g, o
///   - recurrentWeight: U, `[hidden, 4 * hidden]`
///   - bias: b, `[4 * hidden]`, or nil
///   - initialState: h(-1) and c(-1), each `[batch, hidden]`, or nil for zeros
///   - lengths: The sequences' lengths, `[batch]`, of whole numbers; the steps beyond are padding, which is not looked at.
///     Nil where all are as long as the time axis.
///   - isReversed: Whether a sequence's last step comes first; the outputs stay in the order of the input.
/// - Returns: h of all steps, `[batch, time, hidden]`, zero in the padding, and h and c after each sequence's last step,
///   `[batch, hidden]`
public func lstm(
  _ x: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, bias: Tensor? = nil,
  initialState: (state: Tensor, cell: Tensor)? = nil, lengths: Tensor? = nil, isReversed: Bool = false
) -> (outputs: Tensor, finalState: Tensor, finalCell: Tensor) {
  let call = RecurrentCall(
    cell: .lstm, x: x, inputWeight: inputWeight, recurrentWeight: recurrentWeight, bias: bias,
    initialState: initialState?.state, initialCell: initialState?.cell, lengths: lengths,
    isReversed: isReversed)
  let result = recurrentSequences(call.checked("lstm"), withFinalStates: true)
  return (result.outputs, result.finalState!, result.finalCell!)
}

/// A network of gated recurrent units (Cho et al. 2014) over whole sequences, as one primitive of the engine. With z for
/// how much of the state is kept and r for how much of it is seen:
///
///     r = sigmoid(x(t) W_r + h(t-1) U_r + b_r)
///     z = sigmoid(x(t) W_z + h(t-1) U_z + b_z)
///     n = tanh(x(t) W_n + b_n + r * (h(t-1) U_n + c_n))      the reset gate after the product
///     n = tanh(x(t) W_n + b_n + (r * h(t-1)) U_n)            the reset gate before the product
///     h(t) = (1 - z) * n + z * h(t-1)
///
/// - Parameters:
///   - x: `[batch, time, inputs]`
///   - inputWeight: W, `[inputs, 3 * hidden]`: the gates in the order r, z, n
///   - recurrentWeight: U, `[hidden, 3 * hidden]`
///   - bias: b, `[3 * hidden]`, or nil
///   - recurrentBias: What is added to the product of state and U, `[3 * hidden]`, of which c_n is the last third; only
///     where the reset gate comes after the product
///   - initialState: h(-1), `[batch, hidden]`, or nil for zeros
///   - resetGate: Where the reset gate is applied
///   - lengths: The sequences' lengths, `[batch]`, of whole numbers; the steps beyond are padding, which is not looked at.
///     Nil where all are as long as the time axis.
///   - isReversed: Whether a sequence's last step comes first; the outputs stay in the order of the input.
/// - Returns: h of all steps, `[batch, time, hidden]`, zero in the padding, and h after each sequence's last step,
///   `[batch, hidden]`
public func gru(
  _ x: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, bias: Tensor? = nil,
  recurrentBias: Tensor? = nil,
  initialState: Tensor? = nil, resetGate: RecurrentPrimitive.ResetGate = .afterProduct,
  lengths: Tensor? = nil,
  isReversed: Bool = false
) -> (outputs: Tensor, finalState: Tensor) {
  precondition(
    recurrentBias == nil || resetGate == .afterProduct,
    "gru: a recurrent bias of shape \(recurrentBias?.shape ?? []), which a reset gate before the product has no use for"
  )
  let call = RecurrentCall(
    cell: .gru(resetGate), x: x, inputWeight: inputWeight, recurrentWeight: recurrentWeight, bias: bias,
    recurrentBias: recurrentBias, initialState: initialState, lengths: lengths, isReversed: isReversed)
  let result = recurrentSequences(call.checked("gru"), withFinalStates: true)
  return (result.outputs, result.finalState!)
}
