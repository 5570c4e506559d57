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
  /// One state in the sequences where `condition`, `[batch, 1]`, is true, the other elsewhere.
  func choose(_ condition: Tensor, _ a: State, _ b: State) -> State
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

  /// Step by step. A reversed run goes through the padding first, in which nothing happens.
  public func run(
    _ x: Tensor, from state: State?, lengths: Tensor?, reversed: Bool
  ) -> (outputs: Tensor, finalState: State) {
    requireSequences(x)
    let (batch, count) = (x.shape[0], x.shape[1])
    precondition(
      lengths == nil || lengths!.hasShape(Shape(batch)),
      "\(Self.self): lengths of shape \(lengths?.shape ?? []), not [\(batch)]")
    var state = state ?? zeroState(batch: batch, dtype: x.dtype)
    guard count > 0 else { return (Tensor(zeros: [batch, 0, hidden], dtype: x.dtype), state) }
    let steps = project(x).unstacked(axis: 1)
    var outputs = steps
    for t in reversed ? Array((0..<count).reversed()) : Array(0..<count) {
      let next = step(steps[t], state)
      outputs[t] = output(of: next)
      guard let lengths else {
        state = next
        continue
      }
      let isWithin = withoutGradient { (lengths .> Double(t)).reshaped(to: [batch, 1]) }
      outputs[t] = Tensor.where(isWithin, outputs[t], 0)
      state = choose(isWithin, next, state)
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
  /// The one tensor's rows or the other's.
  public func choose(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    Tensor.where(condition, a, b)
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
