// SPDX-License-Identifier: Apache-2.0

// One step of each recurrent cell, and whole sequences of them, from plain operations: what the fused primitives are held
// against, and what runs where there are none. `projected` is the input's product with its bias.

/// f(x(t) W_in + h(t-1) W + b).
func simpleStep(
  _ projected: Tensor, _ state: Tensor?, _ recurrentWeight: Tensor, _ activation: Activation
) -> Tensor {
  guard let state else { return activation(projected) }
  return activation(projected + matmul(state, recurrentWeight))
}

/// The state and the cell after a step; see `lstm`.
func lstmStep(
  _ projected: Tensor, _ state: Tensor?, _ cell: Tensor?, _ recurrentWeight: Tensor
) -> (state: Tensor, cell: Tensor) {
  var gates = projected
  if let state { gates = gates + matmul(state, recurrentWeight) }
  let parts = gates.split(into: 4, axis: -1)
  let (i, f, g, o) = (sigmoid(parts[0]), sigmoid(parts[1]), tanh(parts[2]), sigmoid(parts[3]))
  var next = i * g
  if let cell { next = f * cell + next }
  return (o * tanh(next), next)
}

/// The state after a step; see `gru`.
func gruStep(
  _ projected: Tensor, _ state: Tensor, _ recurrentWeight: Tensor, _ recurrentBias: Tensor?,
  _ resetGate: RecurrentPrimitive.ResetGate
) -> Tensor {
  let inputs = projected.split(into: 3, axis: -1)
  let (z, n): (Tensor, Tensor)
  switch resetGate {
  case .afterProduct:
    var product = matmul(state, recurrentWeight)
    if let recurrentBias { product = product + recurrentBias }
    let parts = product.split(into: 3, axis: -1)
    let r = sigmoid(inputs[0] + parts[0])
    z = sigmoid(inputs[1] + parts[1])
    n = tanh(inputs[2] + r * parts[2])
  case .beforeProduct:
    let weights = recurrentWeight.split(into: 3, axis: -1)
    let r = sigmoid(inputs[0] + matmul(state, weights[0]))
    z = sigmoid(inputs[1] + matmul(state, weights[1]))
    n = tanh(inputs[2] + matmul(r * state, weights[2]))
  }
  return n + z * (state - n)
}

/// A whole layer step by step. A reversed one goes through the padding first, in which nothing happens, so each sequence
/// begins with its own last step. In bfloat16 that is what the inputs' product is computed in, and the outputs are rounded
/// to.
func composedSequences(_ call: RecurrentCall) -> RecurrentResult {
  guard call.x.isToBeLowered, call.recurrentWeight.dtype == .float32 else {
    return composedSteps(call, projected: matmul(call.x, call.inputWeight))
  }
  let projected = matmul(call.x, call.inputWeight).cast(to: .float32)
  var result = withPrecision(.float32) { composedSteps(call, projected: projected) }
  result.outputs = result.outputs.cast(to: .bfloat16)
  return result
}

private func composedSteps(_ call: RecurrentCall, projected: Tensor) -> RecurrentResult {
  let (batch, count, hidden) = (call.x.shape[0], call.x.shape[1], call.hidden)
  func zeros() -> Tensor { Tensor(zeros: [batch, hidden], dtype: projected.dtype) }
  var (state, cell) = (call.initialState, call.initialCell)
  var outputs = [Tensor?](repeating: nil, count: count)
  let projected = call.bias.map { projected + $0 } ?? projected
  for step in 0..<count {
    let t = call.isReversed ? count - 1 - step : step
    let input = projected.select(t, axis: 1)
    var next: (state: Tensor, cell: Tensor?)
    switch call.cell {
    case .simple(let activation):
      next = (simpleStep(input, state, call.recurrentWeight, activation), nil)
    case .lstm:
      next = lstmStep(input, state, cell, call.recurrentWeight)
    case .gru(let resetGate):
      // The weights and the biases need the state's shape, so zeros stand for a state that is not there.
      next = (gruStep(input, state ?? zeros(), call.recurrentWeight, call.recurrentBias, resetGate), nil)
    }
    outputs[t] = next.state
    if let lengths = call.lengths {
      let isWithin = withoutGradient { (lengths .> Double(t)).reshaped(to: [batch, 1]) }
      outputs[t] = Tensor.where(isWithin, next.state, 0)
      next.state = Tensor.where(isWithin, next.state, state ?? zeros())
      next.cell = next.cell.map { Tensor.where(isWithin, $0, cell ?? zeros()) }
    }
    (state, cell) = next
  }
  return RecurrentResult(
    outputs: count == 0
      ? Tensor(zeros: [batch, 0, hidden], dtype: projected.dtype)
      : Tensor.stack(outputs.map { $0! }, axis: 1),
    finalState: state ?? zeros(), finalCell: call.cell == .lstm ? cell ?? zeros() : nil)
}
