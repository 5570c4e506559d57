// SPDX-License-Identifier: Apache-2.0

/// One step of a recurrent network: from an input and the state before to the state after.
public protocol RecurrentCell: Module {
  /// What is handed from one step to the next.
  associatedtype State: Sendable

  /// The size of an input.
  var inputs: Int { get }
  /// The size of an output.
  var hidden: Int { get }

  /// The part of a step that needs no state, for one step or for all of them at once: maps `[..., inputs]` to
  /// `[..., gates * hidden]`.
  func project(_ x: Tensor) -> Tensor
  /// The rest of a step; the state before is zero when nil.
  func step(_ projected: Tensor, _ state: State?) -> State
  /// The output `[batch, hidden]` that a state shows.
  func output(of state: State) -> Tensor
  /// The state of zeros.
  func zeroState(batch: Int, dtype: DType) -> State

  /// How many tensors make a state.
  static var tensorsPerState: Int { get }
  /// The tensors of a state, each `[batch, hidden]`.
  static func tensors(of state: State) -> [Tensor]
  /// The state of tensors in the same order.
  static func state(of tensors: ArraySlice<Tensor>) -> State

  /// All steps of sequences: the outputs `[batch, time, hidden]` for an input `[batch, time, inputs]`, and the state
  /// after the last step. Reversed, the last step comes first; outputs stay in the order of the input. Steps beyond a
  /// sequence's length, one of `lengths`, `[batch]`, are padding: they leave the state as it was and show zeros.
  func run(
    _ x: Tensor, from state: State?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: State)
}

extension RecurrentCell {
  /// The next state from an input `[batch, inputs]` and the state before, zero when nil.
  public func callAsFunction(_ x: Tensor, _ state: State?) -> State { step(project(x), state) }

  /// All steps of sequences that are all as long as the time axis.
  public func run(
    _ x: Tensor, from state: State?, reversed: Bool
  ) -> (outputs: Tensor, finalState: State) {
    run(x, from: state, lengths: nil, reversed: reversed)
  }

  /// Step by step: for cells of which the engine has no primitive.
  public func run(
    _ x: Tensor, from state: State?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: State) {
    runStepByStep(x, from: state, lengths: lengths, reversed: reversed)
  }

  /// In bfloat16 that is what the inputs' product is computed in, and the outputs are rounded to; states, which are sums
  /// over many steps, stay float32.
  func runStepByStep(
    _ x: Tensor, from state: State?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: State) {
    requireSequences(x)
    let padded = lengths.map { withoutPadding(x, lengths: $0, "\(Self.self)") }
    let projected = project(padded?.x ?? x)
    guard x.isToBeLowered else { return steps(projected, from: state, padded?.lengths, reversed) }
    let wide = state.map { Self.state(of: Self.tensors(of: $0).map { $0.cast(to: .float32) }[...]) }
    let (outputs, finalState) = withPrecision(.float32) {
      steps(projected.cast(to: .float32), from: wide, padded?.lengths, reversed)
    }
    return (outputs.cast(to: .bfloat16), finalState)
  }

  /// A reversed run goes through the padding first, in which nothing happens.
  private func steps(
    _ projected: Tensor, from state: State?, _ lengths: Tensor?, _ reversed: Bool
  ) -> (outputs: Tensor, finalState: State) {
    let (batch, count) = (projected.shape[0], projected.shape[1])
    var state = state ?? zeroState(batch: batch, dtype: projected.dtype)
    guard count > 0 else {
      return (Tensor(zeros: [batch, 0, hidden], dtype: projected.dtype), state)
    }
    let inputs = projected.unstacked(axis: 1)
    var outputs = inputs
    for t in reversed ? Array((0..<count).reversed()) : Array(0..<count) {
      let next = step(inputs[t], state)
      outputs[t] = output(of: next)
      guard let lengths else {
        state = next
        continue
      }
      let isWithin = withoutGradient { (lengths .> Double(t)).reshaped(to: [batch, 1]) }
      outputs[t] = Tensor.where(isWithin, outputs[t], 0)
      let chosen = zip(Self.tensors(of: next), Self.tensors(of: state)).map {
        Tensor.where(isWithin, $0, $1)
      }
      state = Self.state(of: chosen[...])
    }
    return (Tensor.stack(outputs, axis: 1), state)
  }

  func requireSequences(_ x: Tensor) {
    precondition(
      x.rank == 3 && x.shape[2] == inputs,
      "\(Self.self): an input of shape \(x.shape), not [batch, time, \(inputs)]")
  }
}

extension RecurrentCell where State == Tensor {
  /// The state itself.
  public func output(of state: Tensor) -> Tensor { state }
  /// Zeros, `[batch, hidden]`.
  public func zeroState(batch: Int, dtype: DType) -> Tensor { Tensor(zeros: [batch, hidden], dtype: dtype) }

  /// One.
  public static var tensorsPerState: Int { 1 }
  /// The state itself.
  public static func tensors(of state: Tensor) -> [Tensor] { [state] }
  /// The tensor itself.
  public static func state(of tensors: ArraySlice<Tensor>) -> Tensor { tensors.first! }
}

/// A cell whose gates lie side by side along the last axis: sums of a product of the input, a product of the state, and
/// a bias.
public protocol GatedCell: RecurrentCell {
  /// `[inputs, gates * hidden]`.
  var inputWeight: Parameter { get }
  /// `[hidden, gates * hidden]`.
  var recurrentWeight: Parameter { get }
  /// `[gates * hidden]`.
  var bias: Parameter? { get }
}

extension GatedCell {
  /// Features of an input.
  public var inputs: Int { inputWeight.shape[0] }
  /// Features of the state.
  public var hidden: Int { recurrentWeight.shape[0] }

  /// What depends on the inputs alone, for all steps at once.
  public func project(_ x: Tensor) -> Tensor {
    let product = matmul(x, inputWeight.value)
    guard let bias else { return product }
    return product + bias.value
  }

  /// The gates' sums: the projected input, and the product of the hidden state before, where there is one.
  func sums(_ projected: Tensor, _ hiddenState: Tensor?) -> Tensor {
    guard let hiddenState else { return projected }
    return projected + matmul(hiddenState, recurrentWeight.value)
  }
}

extension Initializer {
  /// A weight `[inputs, gates * hidden]` whose gates are each drawn as a weight of their own.
  func gates(
    _ count: Int, _ inputs: Int, _ hidden: Int, using generator: inout RandomGenerator
  ) -> Tensor {
    var parts: [Tensor] = []
    for _ in 0..<count { parts.append(self(inputs, hidden, using: &generator)) }
    return Tensor.concatenate(parts, axis: 1)
  }
}

/// The first bias of gates, each filled with a number of its own.
func gateBias(_ values: [Double], _ hidden: Int) -> Parameter {
  Parameter(Tensor.concatenate(values.map { Tensor(repeating: $0, shape: [hidden]) }))
}
