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
/// - Returns: the states, `[batch, time, hidden]`
public func recurrent(
  _ x: Tensor, inputWeight: Tensor, recurrentWeight: Tensor, bias: Tensor? = nil, initialState: Tensor? = nil,
  activation: Activation
) -> Tensor {
  let hidden = recurrentWeight.rank == 2 ? recurrentWeight.shape[1] : -1
  precondition(
    x.rank == 3 && inputWeight.hasShape(Shape(x.shape[2], hidden))
      && recurrentWeight.hasShape(Shape(hidden, hidden)),
    "recurrent: input \(x.shape), input weight \(inputWeight.shape) and recurrent weight "
      + "\(recurrentWeight.shape) do not fit")
  precondition(
    bias.map { $0.hasShape(Shape(hidden)) } ?? true,
    "recurrent: bias of shape \(bias!.shape), not [\(hidden)]")
  precondition(
    initialState.map { $0.hasShape(Shape(x.shape[0], hidden)) } ?? true,
    "recurrent: initial state of shape \(initialState!.shape), not [\(x.shape[0]), \(hidden)]")
  // The primitive's own backward is not recorded, so where a second derivative may be asked for, and where the
  // engine has no such primitive, the layer is a composition. Over no sequences or steps it has nothing to do.
  let isEmpty = x.shape[0] == 0 || x.shape[1] == 0
  guard engine.hasFusedRecurrent(for: x, activation: activation), !Tape.isNested, !isEmpty else {
    return composedRecurrent(x, inputWeight, recurrentWeight, bias, initialState, activation)
  }
  let call = RecurrentCall(
    x: x, inputWeight: inputWeight, recurrentWeight: recurrentWeight, bias: bias, initialState: initialState,
    activation: activation)
  let states = engine.recurrent(call)
  return recorded(
    .recurrent, states, x, inputWeight, recurrentWeight, bias, initialState,
    saving: x, inputWeight, recurrentWeight, bias, initialState, states,
    integers: (Activation.allCases.firstIndex(of: activation)!, 0)
  ) { step in
    let call = RecurrentCall(
      x: step[0], inputWeight: step[1], recurrentWeight: step[2], bias: step.optional(3),
      initialState: step.optional(4), activation: Activation.allCases[step.integers.0])
    let gradients = engine.recurrentGradient(
      call, states: step[5], gradient: step.gradient, needsInput: step.needs(0), needsInitial: step.needs(4))
    if let gradient = gradients.x { step.add(gradient, to: 0) }
    step.add(gradients.inputWeight, to: 1)
    step.add(gradients.recurrentWeight, to: 2)
    if let gradient = gradients.bias { step.add(gradient, to: 3) }
    if let gradient = gradients.initialState { step.add(gradient, to: 4) }
  }
}

/// The same layer, step by step, from plain operations.
func composedRecurrent(
  _ x: Tensor, _ inputWeight: Tensor, _ recurrentWeight: Tensor, _ bias: Tensor?, _ initialState: Tensor?,
  _ activation: Activation
) -> Tensor {
  var states: [Tensor] = []
  var state = initialState
  for t in 0..<x.shape[1] {
    var u = matmul(x.select(t, axis: 1), inputWeight)
    if let state { u = u + matmul(state, recurrentWeight) }
    if let bias { u = u + bias }
    state = activation(u)
    states.append(state!)
  }
  guard !states.isEmpty else {
    return Tensor(zeros: [x.shape[0], 0, recurrentWeight.shape[1]], dtype: x.dtype)
  }
  return Tensor.stack(states, axis: 1)
}
