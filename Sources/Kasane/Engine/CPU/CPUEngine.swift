// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// The processor: oneDNN for large products, Kasane's own vectorised kernels for the rest.
struct CPUEngine: Engine {
  var description: String { "cpu, oneDNN \(String(cString: cdnn_version()))" }

  func fill(_ target: Tensor, with value: Double) { ks_fill(target.object, value) }

  func copy(_ x: Tensor, into target: Tensor) { ks_copy(target.object, x.object) }

  func scalar(_ x: Tensor) -> Double { ks_scalar(x.object) }

  // MARK: The recurrent layer

  func hasFusedRecurrent(for x: Tensor, activation: Activation) -> Bool {
    x.dtype == .float32 && activation.recurrentPrimitive != nil
  }

  func recurrent(_ call: RecurrentCall) -> Tensor {
    let call = call.contiguous()
    let states = Tensor(
      unsetWithShape: Shape(call.x.shape[0], call.x.shape[1], call.recurrentWeight.shape[0]), dtype: .float32)
    var task = ks_recurrent(call, states: states)
    ks_recurrent_forward(&task)
    withExtendedLifetime(call) {}
    return states
  }

  func recurrentGradient(
    _ call: RecurrentCall, states: Tensor, gradient: Tensor, needsInput: Bool, needsInitial: Bool
  ) -> RecurrentGradients {
    let call = call.contiguous()
    let gradient = gradient.contiguous()
    let (inputs, hidden) = (call.x.shape[2], call.recurrentWeight.shape[0])
    let deltas = Tensor(unsetLike: states)
    let scratch = Tensor(unsetWithShape: Shape(hidden, hidden + inputs), dtype: .float32)
    let result = RecurrentGradients(
      x: needsInput ? Tensor(unsetLike: call.x) : nil, inputWeight: Tensor(unsetLike: call.inputWeight),
      recurrentWeight: Tensor(unsetLike: call.recurrentWeight), bias: call.bias.map(Tensor.init(unsetLike:)),
      initialState: needsInitial ? call.initialState.map(Tensor.init(unsetLike:)) : nil)
    var task = ks_recurrent(call, states: states)
    task.gradient = UnsafePointer(gradient.floats)
    task.deltas = deltas.floats
    task.transposed = scratch.floats
    task.x_gradient = result.x?.floats
    task.input_weight_gradient = result.inputWeight.floats
    task.recurrent_weight_gradient = result.recurrentWeight.floats
    task.bias_gradient = result.bias?.floats
    task.initial_gradient = result.initialState?.floats
    ks_recurrent_backward(&task)
    withExtendedLifetime((call, gradient, deltas, scratch)) {}
    return result
  }
}

extension Tensor {
  var floats: UnsafeMutablePointer<Float> {
    object.pointee.data!.assumingMemoryBound(to: Float.self)
  }
}

extension RecurrentCall {
  fileprivate func contiguous() -> RecurrentCall {
    RecurrentCall(
      x: x.contiguous(), inputWeight: inputWeight.contiguous(), recurrentWeight: recurrentWeight.contiguous(),
      bias: bias?.contiguous(), initialState: initialState?.contiguous(), activation: activation)
  }
}

extension Activation {
  /// The activation as the fused recurrent layer knows it: those whose derivative is a function of their value.
  fileprivate var recurrentPrimitive: UnaryPrimitive? {
    switch self {
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .relu: .relu
    default: nil
    }
  }
}

extension ks_recurrent {
  fileprivate init(_ call: RecurrentCall, states: Tensor) {
    guard let primitive = call.activation.recurrentPrimitive else {
      preconditionFailure("recurrent: no fused layer with \(call.activation)")
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
