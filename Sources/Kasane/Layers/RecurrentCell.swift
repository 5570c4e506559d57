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
  /// All steps of sequences: the outputs `[batch, time, hidden]` for an input `[batch, time, inputs]`, and the state
  /// after the last step. Reversed, the last step comes first; outputs stay in the order of the input.
  func run(_ x: Tensor, from state: State?, reversed: Bool) -> (outputs: Tensor, finalState: State)
}

extension RecurrentCell {
  /// The next state from an input `[batch, inputs]` and the state before, zero when nil.
  public func callAsFunction(_ x: Tensor, _ state: State?) -> State { step(project(x), state) }

  /// Step by step.
  public func run(
    _ x: Tensor, from state: State?, reversed: Bool
  ) -> (outputs: Tensor, finalState: State) {
    requireSequences(x)
    let batch = x.shape[0]
    guard x.shape[1] > 0 else {
      let state = state ?? zeroState(batch: batch, dtype: x.dtype)
      return (Tensor(zeros: [batch, 0, hidden], dtype: x.dtype), state)
    }
    var steps = project(x).unstacked(axis: 1)
    if reversed { steps.reverse() }
    var state = state
    var outputs: [Tensor] = []
    for projected in steps {
      let next = step(projected, state)
      outputs.append(output(of: next))
      state = next
    }
    if reversed { outputs.reverse() }
    return (Tensor.stack(outputs, axis: 1), state!)
  }

  func requireSequences(_ x: Tensor) {
    precondition(
      x.rank == 3 && x.shape[2] == inputs,
      "\(Self.self): an input of shape \(x.shape), not [batch, time, \(inputs)]")
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
