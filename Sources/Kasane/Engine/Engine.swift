// SPDX-License-Identifier: Apache-2.0

/// Functions of one tensor, element by element.
public enum UnaryPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_unary_operation`.
  case negate, square, squareRoot, exponential, logarithm, tanh, sigmoid, relu
}

/// Functions of two tensors, element by element, with broadcasting.
public enum BinaryPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_binary_operation`.
  case add, subtract, multiply, divide
  /// Gradient and value of the activation to the gradient of its input.
  case tanhGradient, sigmoidGradient, reluGradient
}

/// A whole recurrent layer; see `recurrent`.
public struct RecurrentCall {
  let x: Tensor
  let inputWeight: Tensor
  let recurrentWeight: Tensor
  let bias: Tensor?
  let initialState: Tensor?
  let activation: Activation
}

/// The gradients of a recurrent layer by its inputs.
public struct RecurrentGradients {
  let x: Tensor?
  let inputWeight: Tensor
  let recurrentWeight: Tensor
  let bias: Tensor?
  let initialState: Tensor?
}

/// The seam: everything numeric passes through these primitives. An engine sees checked shapes and never the
/// tape; operations, layers and models never see what an engine does.
public protocol Engine: Sendable {
  /// The engine's name and its libraries' versions.
  var description: String { get }

  /// A function of each element.
  func unary(_ primitive: UnaryPrimitive, _ x: Tensor) -> Tensor
  /// A function of each pair of elements. Traps where the shapes do not broadcast.
  func binary(_ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor
  /// Adds `value` to `total` in place; both of one shape and type.
  func accumulate(_ value: Tensor, into total: Tensor)
  /// The sum over the axes where `shape`, of the same rank, has size 1.
  func sum(_ x: Tensor, to shape: Shape) -> Tensor
  /// The matrix product over the last two axes, the others broadcast. With a transposition, all axes but the last
  /// of each operand count as one: [..., k] by [n, k] gives [..., n], [..., m] by [..., n] gives [m, n].
  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor
  /// Half the summed squared differences.
  func halfSquaredError(_ a: Tensor, _ b: Tensor) -> Tensor
  /// One step of gradient descent: parameter -= rate * gradient, in place.
  func descend(_ parameter: Tensor, along gradient: Tensor, rate: Double)

  /// Whether `recurrent` and its gradient can be called for such an input.
  func hasFusedRecurrent(for x: Tensor) -> Bool
  /// The states of a recurrent layer.
  func recurrent(_ call: RecurrentCall) -> Tensor
  /// The gradients of a recurrent layer from the gradient of its states.
  func recurrentGradient(
    _ call: RecurrentCall, states: Tensor, gradient: Tensor, needsInput: Bool, needsInitial: Bool
  ) -> RecurrentGradients
}

extension Engine {
  /// False: the layer is composed from plain operations.
  public func hasFusedRecurrent(for x: Tensor) -> Bool { false }
  /// Never called while `hasFusedRecurrent` is false.
  public func recurrent(_ call: RecurrentCall) -> Tensor { fatalError("\(self): no recurrent primitive") }
  /// Never called while `hasFusedRecurrent` is false.
  public func recurrentGradient(
    _ call: RecurrentCall, states: Tensor, gradient: Tensor, needsInput: Bool, needsInitial: Bool
  ) -> RecurrentGradients { fatalError("\(self): no recurrent primitive") }
}

/// The engine in use.
public let engine: any Engine = CPUEngine()
