// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

extension CPUEngine {
  func hasFusedRecurrent(for cell: RecurrentPrimitive, dtype: DType) -> Bool {
    if case .simple(let activation) = cell, activation.recurrentPrimitive == nil { return false }
    return dtype == .float32
  }

  /// The products of all inputs are one product; what is left of a step is its state's.
  func recurrent(_ call: RecurrentCall, forGradient: Bool, withFinalStates: Bool) -> RecurrentResult {
    if call.isSmall && !withFinalStates { return RecurrentResult(outputs: smallRecurrent(call)) }
    let call = call.contiguous()
    let (batch, hidden) = (call.x.shape[0], call.hidden)
    let gates = product(call.x, call.operand(call.inputWeight), transposing: .none)
    let states = Shape(batch, call.x.shape[1], hidden)
    var isSimple = false
    if case .simple = call.cell { isSimple = true }
    let outputs = isSimple ? gates : Tensor(unsetWithShape: states, dtype: .float32)
    var result = RecurrentResult(outputs: outputs)
    if withFinalStates {
      result.finalState = Tensor(unsetWithShape: Shape(batch, hidden), dtype: .float32)
      if call.cell == .lstm {
        result.finalCell = Tensor(unsetWithShape: Shape(batch, hidden), dtype: .float32)
      }
    }
    if forGradient && !isSimple {
      result.gates = gates
      if call.cell != .gru(.beforeProduct) { result.cells = Tensor(unsetWithShape: states, dtype: .float32) }
    }
    var task = ks_sequences(call, gates: gates, outputs: outputs, cells: result.cells)
    task.keeps = forGradient && !isSimple
    task.final_state = result.finalState?.floats
    task.final_cell = result.finalCell?.floats
    Self.check(ks_sequences_forward(&task))
    withExtendedLifetime((call, gates)) {}
    return result
  }

  func recurrentGradient(
    _ call: RecurrentCall, _ result: RecurrentResult, _ gradients: RecurrentResultGradients,
    wanted: RecurrentWishes
  ) -> RecurrentGradients {
    if call.isSmall, gradients.finalState == nil, let gradient = gradients.outputs {
      return smallRecurrentGradient(call, states: result.outputs, gradient: gradient, wanted)
    }
    let call = call.contiguous()
    let outer = (
      outputs: gradients.outputs?.contiguous(), state: gradients.finalState?.contiguous(),
      cell: gradients.finalCell?.contiguous()
    )
    let hidden = call.hidden
    let gates = result.gates ?? result.outputs
    var task = ks_sequences(call, gates: gates, outputs: result.outputs, cells: result.cells)
    // The products over all steps read them in bfloat16; only a gate before the product is applied to them first.
    task.narrow = task.half && call.cell != .gru(.beforeProduct)
    let type: DType = task.narrow ? .bfloat16 : .float32
    let deltas = Tensor(unsetWithShape: gates.shape, dtype: type)
    let isAfter = call.cell == .gru(.afterProduct)
    let recurrentDeltas = isAfter ? Tensor(unsetLike: deltas) : deltas
    let previous =
      wanted.contains(.weights) ? Tensor(unsetWithShape: result.outputs.shape, dtype: type) : nil
    var found = RecurrentGradients()
    if wanted.contains(.initialStates) {
      found.initialState = call.initialState.map(Tensor.init(unsetLike:))
      found.initialCell = call.initialCell.map(Tensor.init(unsetLike:))
    }
    let transposed =
      task.half ? nil : withoutGradient { call.recurrentWeight.transposed() }.contiguous()
    task.transposed = transposed.map { UnsafePointer($0.floats) }
    task.gradient = outer.outputs.map { UnsafePointer($0.floats) }
    task.final_gradient = outer.state.map { UnsafePointer($0.floats) }
    task.final_cell_gradient = outer.cell.map { UnsafePointer($0.floats) }
    task.deltas = deltas.data
    task.recurrent_deltas = isAfter ? recurrentDeltas.data : nil
    task.previous = previous?.data
    task.initial_gradient = found.initialState?.floats
    task.initial_cell_gradient = found.initialCell?.floats
    Self.check(ks_sequences_backward(&task))
    withExtendedLifetime((call, outer, transposed, gates, deltas, recurrentDeltas, previous)) {}
    let operand = call.operand(deltas)
    if wanted.contains(.input) {
      found.x = product(operand, call.operand(call.inputWeight), transposing: .right)
    }
    guard let previous else { return found }
    found.inputWeight = product(call.x, operand, transposing: .left)
    found.recurrentWeight = product(
      call.operand(previous), isAfter ? call.operand(recurrentDeltas) : operand, transposing: .left)
    if call.cell == .gru(.beforeProduct) {
      // What the last gate's weight has seen of the state came through the reset gate.
      func gate(_ index: Int, of x: Tensor) -> Tensor {
        withoutGradient { x.sliced(index * hidden..<(index + 1) * hidden, axis: x.rank - 1) }
      }
      let seen = binary(.multiply, previous, gate(0, of: gates))
      let seenByLast = product(
        call.operand(seen), call.operand(gate(2, of: deltas).contiguous()), transposing: .left)
      copy(seenByLast, into: gate(2, of: found.recurrentWeight!))
    }
    if call.bias != nil { found.bias = columnSums(deltas) }
    if call.recurrentBias != nil { found.recurrentBias = columnSums(recurrentDeltas) }
    return found
  }

  /// A product over all steps: of float32, or of bfloat16 with a result of float32.
  private func product(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
    a.dtype == .float32
      ? matrixProduct(a, b, transposing: transposing)
      : matrixProduct(a, b, transposing: transposing, resultType: .float32)
  }

  private static func check(_ status: Int32) {
    precondition(status >= 0, "out of memory: no room for the states of a recurrent layer")
    precondition(status == 0, "recurrent: oneDNN status \(status)")
  }
}

extension RecurrentCall {
  /// A tensor of float32 as the products over all steps take it.
  fileprivate func operand(_ tensor: Tensor) -> Tensor { x.dtype == .bfloat16 ? tensor.lowered() : tensor }

  var isContiguous: Bool {
    func lies(_ tensor: Tensor?) -> Bool { tensor?.isContiguous ?? true }
    return x.isContiguous && inputWeight.isContiguous && recurrentWeight.isContiguous && lies(bias)
      && lies(recurrentBias) && lies(initialState) && lies(initialCell)
  }

  func contiguous() -> RecurrentCall {
    RecurrentCall(
      cell: cell, x: x.contiguous(), inputWeight: inputWeight.contiguous(),
      recurrentWeight: recurrentWeight.contiguous(), bias: bias?.contiguous(),
      recurrentBias: recurrentBias?.contiguous(), initialState: initialState?.contiguous(),
      initialCell: initialCell?.contiguous(), lengths: lengths, isReversed: isReversed)
  }
}

extension Activation {
  /// The activation as the fused recurrent layer knows it: those whose derivative is a function of their value.
  var recurrentPrimitive: UnaryPrimitive? {
    switch self {
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .relu: .relu
    default: nil
    }
  }
}

extension ks_sequences {
  fileprivate init(_ call: RecurrentCall, gates: Tensor, outputs: Tensor, cells: Tensor?) {
    let (kind, function): (ks_cell, Int32)
    switch call.cell {
    case .simple(let activation): (kind, function) = (KS_SIMPLE_CELL, activation.recurrentPrimitive!.rawValue)
    case .lstm: (kind, function) = (KS_LSTM_CELL, 0)
    case .gru(.afterProduct): (kind, function) = (KS_GRU_CELL, 0)
    case .gru(.beforeProduct): (kind, function) = (KS_GRU_BEFORE_CELL, 0)
    }
    self.init(
      cell: Int32(kind.rawValue), activation: function, batch: Int64(call.x.shape[0]),
      steps: Int64(call.x.shape[1]), hidden: Int64(call.hidden), reversed: call.isReversed, half: false,
      lengths: call.lengths.map {
        UnsafePointer($0.object.pointee.data!.assumingMemoryBound(to: Int64.self))
      }, weight: call.recurrentWeight.floats, bias: call.bias?.floats,
      recurrent_bias: call.recurrentBias?.floats,
      initial: call.initialState?.floats, initial_cell: call.initialCell?.floats, keeps: false,
      gates: gates.floats, cells: cells?.floats, outputs: outputs.floats, final_state: nil, final_cell: nil,
      gemm: { cdnn_sgemm($0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) }, transposed: nil,
      gradient: nil, final_gradient: nil, final_cell_gradient: nil, narrow: false, deltas: nil,
      recurrent_deltas: nil, previous: nil, initial_gradient: nil, initial_cell_gradient: nil)
    half = call.x.dtype == .bfloat16 && ks_sequences_half(&self)
  }
}
