// SPDX-License-Identifier: Apache-2.0

internal import CKernels

// A simple layer so small that one call of a kernel is all that it may cost.

extension RecurrentCall {
  /// Whether the products are no work for a library.
  var isSmall: Bool {
    isPlain && initialCell == nil && x.dtype == .float32
      && x.elementCount / max(x.shape[2], 1) * hidden * (hidden + x.shape[2]) <= 1 << 15
  }
}

extension CPUEngine {
  func smallRecurrent(_ call: RecurrentCall) -> Tensor {
    guard call.isContiguous else { return smallRecurrent(call.contiguous()) }
    let states = Tensor(
      unsetWithShape: Shape(call.x.shape[0], call.x.shape[1], call.recurrentWeight.shape[0]), dtype: .float32)
    var task = ks_recurrent(call, states: states)
    ks_recurrent_forward(&task)
    withExtendedLifetime(call) {}
    return states
  }

  func smallRecurrentGradient(
    _ call: RecurrentCall, states: Tensor, gradient: Tensor, _ wanted: RecurrentWishes
  ) -> RecurrentGradients {
    guard call.isContiguous else {
      return smallRecurrentGradient(call.contiguous(), states: states, gradient: gradient, wanted)
    }
    let gradient = gradient.contiguous()
    let (inputs, hidden) = (call.x.shape[2], call.recurrentWeight.shape[0])
    let deltas = Tensor(unsetLike: states)
    let scratch = Tensor(unsetWithShape: Shape(hidden, hidden + inputs), dtype: .float32)
    var result = RecurrentGradients()
    if wanted.contains(.input) { result.x = Tensor(unsetLike: call.x) }
    if wanted.contains(.weights) {
      result.inputWeight = Tensor(unsetLike: call.inputWeight)
      result.recurrentWeight = Tensor(unsetLike: call.recurrentWeight)
      result.bias = call.bias.map(Tensor.init(unsetLike:))
    }
    if wanted.contains(.initialStates) {
      result.initialState = call.initialState.map(Tensor.init(unsetLike:))
    }
    var task = ks_recurrent(call, states: states)
    task.gradient = UnsafePointer(gradient.floats)
    task.deltas = deltas.floats
    task.transposed = scratch.floats
    task.x_gradient = result.x?.floats
    task.input_weight_gradient = result.inputWeight?.floats
    task.recurrent_weight_gradient = result.recurrentWeight?.floats
    task.bias_gradient = result.bias?.floats
    task.initial_gradient = result.initialState?.floats
    ks_recurrent_backward(&task)
    withExtendedLifetime((call, gradient, deltas, scratch)) {}
    return result
  }
}

extension ks_recurrent {
  fileprivate init(_ call: RecurrentCall, states: Tensor) {
    guard case .simple(let activation) = call.cell, let primitive = activation.recurrentPrimitive else {
      preconditionFailure("recurrent: no small layer of \(call.cell)")
    }
    self.init(
      batch: Int64(call.x.shape[0]), steps: Int64(call.x.shape[1]), inputs: Int64(call.x.shape[2]),
      hidden: Int64(call.recurrentWeight.shape[0]), activation: primitive.rawValue, x: call.x.floats,
      input_weight: call.inputWeight.floats, recurrent_weight: call.recurrentWeight.floats,
      bias: call.bias?.floats, initial: call.initialState?.floats, states: states.floats, gradient: nil,
      deltas: nil, x_gradient: nil, input_weight_gradient: nil, recurrent_weight_gradient: nil,
      bias_gradient: nil, initial_gradient: nil, transposed: nil)
  }
}
