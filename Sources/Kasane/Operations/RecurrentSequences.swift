// SPDX-License-Identifier: Apache-2.0

// What `recurrent`, `lstm` and `gru` have in common: a layer's call checked, computed and put on the tape.

/// What arrived at a layer's final states in a backward pass, until the layer's own pullback asks for it.
private final class FinalGradients {
  var state: Tensor?
  var cell: Tensor?
  /// Nothing has arrived at the outputs.
  var hasNoOutputs = false
}

/// The outputs of a layer, and its final states where they are wanted. In bfloat16 those are the products over all steps,
/// of the inputs and of the weights' and inputs' gradients, and, where the engine gains by it, each step's product of the
/// state. States, which are sums over many steps, stay as wide as the weights from one step to the next, and the outputs are
/// rounded once at the end.
func recurrentSequences(_ given: RecurrentCall, withFinalStates: Bool) -> RecurrentResult {
  let isLowered =
    given.x.isToBeLowered && given.inputWeight.dtype == .float32 && given.recurrentWeight.dtype == .float32
  let isNarrow = given.x.dtype.isNarrow || given.initialState?.dtype.isNarrow == true
  var call = isNarrow ? given.inTypeOfWeights(andInput: !isLowered) : given
  // The primitive's own backward is not recorded, so where a second derivative may be asked for, and where the engine has
  // no such primitive, the layer is a composition. Over no sequences or steps it has nothing to do.
  let isEmpty = call.x.shape[0] == 0 || call.x.shape[1] == 0 || call.hidden == 0
  guard !isEmpty, !Tape.isNested,
    engine.hasFusedRecurrent(for: call.cell, dtype: isLowered ? .float32 : call.x.dtype)
  else {
    return composedSequences(call)
  }
  if isLowered { call.x = call.x.lowered() }
  let isRecording = Tape.recording != nil
  var result = engine.recurrent(call, forGradient: isRecording, withFinalStates: withFinalStates)
  if isRecording { record(call, of: given.x, result) }
  if isLowered { result.outputs = result.outputs.cast(to: .bfloat16) }
  return result
}

/// - Parameter x: What the call's input was before it was rounded.
private func record(_ call: RecurrentCall, of x: Tensor, _ result: RecurrentResult) {
  if call.isPlain && result.finalState == nil {
    // The short way, which takes no memory.
    _ = recorded(
      .recurrent, result.outputs, x, call.inputWeight, call.recurrentWeight, call.bias,
      call.initialState,
      saving: call.x, call.inputWeight, call.recurrentWeight, call.bias, call.initialState, result.outputs,
      integers: (call.cell.code, Int(x.object.pointee.dtype))
    ) { step in
      let call = RecurrentCall(
        cell: RecurrentPrimitive(code: step.integers.0), x: step[0], inputWeight: step[1],
        recurrentWeight: step[2], bias: step.optional(3), initialState: step.optional(4))
      var wanted = RecurrentWishes.weights
      if step.needs(0) { wanted.insert(.input) }
      if step.needs(4) { wanted.insert(.initialStates) }
      let gradients = engine.recurrentGradient(
        call, RecurrentResult(outputs: step[5]), RecurrentResultGradients(outputs: step.gradient),
        wanted: wanted)
      if let gradient = gradients.x { step.add(gradient.cast(to: inputType(step.integers.1)), to: 0) }
      step.add(gradients.inputWeight!, to: 1)
      step.add(gradients.recurrentWeight!, to: 2)
      if let gradient = gradients.bias { step.add(gradient, to: 3) }
      if let gradient = gradients.initialState { step.add(gradient, to: 4) }
    }
    return
  }
  var inputs = [x, call.inputWeight, call.recurrentWeight]
  var kept = [call.x, call.inputWeight, call.recurrentWeight, result.outputs]
  var present = 0
  func keep(_ tensor: Tensor?, _ place: Int) {
    guard let tensor else { return }
    kept.append(tensor)
    present |= 1 << place
    if place < 4 { inputs.append(tensor) }
  }
  keep(call.bias, 0)
  keep(call.recurrentBias, 1)
  keep(call.initialState, 2)
  keep(call.initialCell, 3)
  keep(call.lengths, 4)
  keep(result.gates, 5)
  keep(result.cells, 6)
  if call.isReversed { present |= 1 << 7 }
  let integers = (call.cell.code, present | Int(x.object.pointee.dtype) << 8)
  guard let finalState = result.finalState else {
    _ = recorded(.recurrent, result.outputs, inputs: inputs, saving: kept, integers: integers) {
      pullBack($0, nil)
    }
    return
  }
  // An operation has one value, so the final states are operations of the outputs, whose gradients wait beside the tape.
  let arrived = FinalGradients()
  _ = recorded(.recurrent, result.outputs, inputs: inputs, saving: kept, integers: integers) {
    pullBack($0, arrived)
  }
  let shape = result.outputs.shape
  _ = recorded(.recurrentState, finalState, result.outputs) { step in
    arrived.state = step.gradient
    if step.reach(0, shape: shape) { arrived.hasNoOutputs = true }
  }
  guard let finalCell = result.finalCell else { return }
  _ = recorded(.recurrentState, finalCell, result.outputs) { step in
    arrived.cell = step.gradient
    if step.reach(0, shape: shape) { arrived.hasNoOutputs = true }
  }
}

private func pullBack(_ step: borrowing PullbackStep, _ arrived: FinalGradients?) {
  let (code, present) = step.integers
  var next = 4
  func place(_ bit: Int) -> Int {
    guard present & 1 << bit != 0 else { return -1 }
    next += 1
    return next - 1
  }
  let places = (0..<7).map(place)
  func kept(_ bit: Int, _ step: borrowing PullbackStep) -> Tensor? {
    places[bit] < 0 ? nil : step[places[bit]]
  }
  let call = RecurrentCall(
    cell: RecurrentPrimitive(code: code), x: step[0], inputWeight: step[1], recurrentWeight: step[2],
    bias: kept(0, step), recurrentBias: kept(1, step), initialState: kept(2, step),
    initialCell: kept(3, step),
    lengths: kept(4, step), isReversed: present & 1 << 7 != 0)
  let result = RecurrentResult(outputs: step[3], gates: kept(5, step), cells: kept(6, step))
  // The inputs' numbers: those behind the third have the places of what is kept, one lower.
  func input(_ bit: Int) -> Int { places[bit] < 0 ? -1 : places[bit] - 1 }
  func needs(_ bit: Int, _ step: borrowing PullbackStep) -> Bool {
    places[bit] >= 0 && step.needs(input(bit))
  }
  var wanted: RecurrentWishes = []
  if step.needs(0) { wanted.insert(.input) }
  if step.needs(1) || step.needs(2) || needs(0, step) || needs(1, step) { wanted.insert(.weights) }
  if needs(2, step) || needs(3, step) { wanted.insert(.initialStates) }
  let hasOutputs = !(arrived?.hasNoOutputs ?? false)
  let gradients = engine.recurrentGradient(
    call, result,
    RecurrentResultGradients(
      outputs: hasOutputs ? step.gradient : nil, finalState: arrived?.state, finalCell: arrived?.cell),
    wanted: wanted)
  func add(_ gradient: Tensor?, _ input: Int, _ step: borrowing PullbackStep) {
    if let gradient, input >= 0 { step.add(gradient, to: input) }
  }
  add(gradients.x?.cast(to: inputType(present >> 8)), 0, step)
  add(gradients.inputWeight, 1, step)
  add(gradients.recurrentWeight, 2, step)
  add(gradients.bias, input(0), step)
  add(gradients.recurrentBias, input(1), step)
  add(gradients.initialState, input(2), step)
  add(gradients.initialCell, input(3), step)
}

private func inputType(_ number: Int) -> DType { DType(rawValue: UInt8(truncatingIfNeeded: number))! }

extension DType {
  fileprivate var isNarrow: Bool { self == .bfloat16 || self == .float16 }
}

extension RecurrentCall {
  /// This call with half-width states, and inputs too, as wide as the weights: sums over many steps need the digits.
  fileprivate func inTypeOfWeights(andInput: Bool) -> RecurrentCall {
    var call = self
    let dtype = recurrentWeight.dtype
    if andInput { call.x = x.cast(to: dtype) }
    call.initialState = initialState?.cast(to: dtype)
    call.initialCell = initialCell?.cast(to: dtype)
    return call
  }

  /// This call, found to fit, with the lengths as an engine takes them.
  func checked(_ operation: String) -> RecurrentCall {
    let hidden = recurrentWeight.rank == 2 ? recurrentWeight.shape[0] : -1
    let width = cell.gateCount * hidden
    precondition(
      x.rank == 3 && inputWeight.hasShape(Shape(x.shape[2], width))
        && recurrentWeight.hasShape(Shape(hidden, width)),
      "\(operation): input \(x.shape), input weight \(inputWeight.shape) and recurrent weight "
        + "\(recurrentWeight.shape) do not fit")
    // Calls instead of loops over lists, each of which would be an allocation in every small layer.
    func require(_ name: StaticString, _ tensor: Tensor?, _ shape: Shape) {
      guard let tensor else { return }
      precondition(tensor.hasShape(shape), "\(operation): \(name) of shape \(tensor.shape), not \(shape)")
    }
    require("bias", bias, Shape(width))
    require("recurrent bias", recurrentBias, Shape(width))
    require("initial state", initialState, Shape(x.shape[0], hidden))
    require("initial cell", initialCell, Shape(x.shape[0], hidden))
    guard let lengths else { return self }
    var call = self
    let padded = withoutPadding(x, lengths: lengths, operation)
    (call.x, call.lengths) = padded
    return call
  }
}

/// A padded input `[batch, time, inputs]` with zeros in the padding, and its lengths, found to fit, as an engine takes
/// them. Whatever stands in the padding, NaN included, must not reach the weights' gradients.
func withoutPadding(_ x: Tensor, lengths: Tensor, _ operation: String) -> (x: Tensor, lengths: Tensor) {
  precondition(
    (lengths.dtype == .int32 || lengths.dtype == .int64) && lengths.hasShape(Shape(x.shape[0])),
    "\(operation): lengths of shape \(lengths.shape), \(lengths.dtype), not [\(x.shape[0])] of whole numbers"
  )
  let wide = withoutGradient { lengths.cast(to: .int64) }.contiguous()
  wide.withElements(of: Int.self) { numbers in
    for number in numbers {
      precondition(
        number >= 0 && number <= x.shape[1], "\(operation): a length of \(number) in \(x.shape[1]) steps")
    }
  }
  let isWithin = withoutGradient {
    Tensor.arange(x.shape[1]).reshaped(to: [1, -1, 1]) .< wide.reshaped(to: [-1, 1, 1])
  }
  return (Tensor.where(isWithin, x, 0), wide)
}
