// SPDX-License-Identifier: Apache-2.0

/// What a pullback is given: the gradient of the operation's value and what the operation saved.
struct PullbackStep: ~Copyable {
  private unowned(unsafe) let tape: Tape
  private let node: Int
  /// The gradient of the loss by the operation's value.
  let gradient: Tensor
  /// Whether nobody else holds that gradient, so that its parts may be handed on as such.
  let ownsGradient: Bool

  init(tape: Tape, node: Int, gradient: consuming Tensor, ownsGradient: Bool) {
    self.tape = tape
    self.ownsGradient = ownsGradient
    self.node = node
    self.gradient = gradient
  }

  /// A saved tensor.
  subscript(index: Int) -> Tensor { tape.savedTensor(node, index)! }
  /// A saved tensor that may be absent.
  func optional(_ index: Int) -> Tensor? { tape.savedTensor(node, index) }
  /// The whole numbers that the operation saved.
  var integers: (Int, Int) { tape.integers(node) }
  /// The number of the operation's inputs.
  var inputCount: Int { tape.edgeCount(node) }
  /// Whether the gradient of an input is wanted.
  func needs(_ input: Int) -> Bool { tape.edge(node, input) != Int(Tape.noEdge) }

  /// Adds to the gradient of an input; the value is not computed where nobody wants it.
  func add(_ value: @autoclosure () -> Tensor, to input: Int) {
    let target = tape.edge(node, input)
    if target >= 0 {
      tape.accumulate(value(), at: target)
    } else if target < Int(Tape.noEdge) {
      tape.accumulateOutside(value(), at: target)
    }
  }

  /// Adds to the gradient of an input what nobody else holds, or holds a part of: more may be added to it in place.
  /// `make` is given what has arrived at the input already where that is of this kind, and returns it with the gradient
  /// added in place; else it returns the gradient itself. It is not called where nobody wants the gradient.
  func addOwn(to input: Int, _ make: (_ sum: Tensor?) -> Tensor) {
    let target = tape.edge(node, input)
    if target != Int(Tape.noEdge) { tape.accumulateOwn(at: target, make) }
  }

  /// Adds to the gradient of an input a tensor that nobody else holds, or a part that nobody else holds of one.
  func addOwn(part: @autoclosure () -> Tensor, to input: Int) {
    addOwn(to: input) { sum in
      guard let sum else { return part() }
      let value = part()
      guard sum.isContiguous else { return sum + value }
      engine.accumulate(value, into: sum)
      return sum
    }
  }

  /// Adds a gradient of which most elements are zero: `change` adds the others in place to the sum of what has
  /// arrived at the input, which nobody else sees and is zero still where the flag says so. Where the backward pass
  /// is recorded itself, the whole gradient `value` is added instead.
  func addInPlace(
    to input: Int, shape: Shape, else value: @autoclosure () -> Tensor,
    _ change: (_ sum: Tensor, _ isZero: Bool) -> Void
  ) {
    let target = tape.edge(node, input)
    guard target != Int(Tape.noEdge) else { return }
    if tape.isRecording {
      add(value(), to: input)
    } else {
      tape.accumulateInPlace(at: target, shape: shape, dtype: gradient.dtype, change)
    }
  }

  /// Sees to it that the pullback of an input's operation runs: where nothing has arrived at the input, zeros do. Returns
  /// whether that was so.
  func reach(_ input: Int, shape: Shape) -> Bool {
    let target = tape.edge(node, input)
    return target != Int(Tape.noEdge) && tape.reach(target, shape: shape, dtype: gradient.dtype)
  }

  /// Whether the gradient of an input, a table, is kept as rows: the table is a parameter, and nobody can ask for the
  /// derivative of the gradient.
  func keepsRows(_ input: Int) -> Bool {
    let target = tape.edge(node, input)
    return target != Int(Tape.noEdge) && tape.keepsRows(at: target)
  }

  /// Adds to the gradient of a table that keeps rows: `values` [count, width] at the rows `indices` [count], int64, in
  /// which a row may occur more than once.
  func addRows(_ values: Tensor, at indices: Tensor, to input: Int) {
    tape.accumulateRows(values, indices, at: tape.edge(node, input))
  }

  /// Runs `body` with another tape in place of the step's own; see `Tape.withChild`.
  func withChildTape(_ body: (Tape) -> Void) { tape.withChild(body) }
}

/// Puts an operation on the thread's tape where a gradient scope is open and an input is part of it, and returns
/// the operation's value.
///
/// The pullback should capture nothing: what it needs is passed through `saving` and `integers` and read back
/// from its step, so that recording allocates nothing.
@inline(__always)
func recorded(
  _ operation: Operation, _ output: Tensor, _ a: Tensor, saving s0: Tensor? = nil, _ s1: Tensor? = nil,
  integers: (Int, Int) = (0, 0), pullback: @escaping Pullback
) -> Tensor {
  if let tape = Tape.recording {
    tape.record(
      operation, output, (a, nil, nil, nil, nil), inputCount: 1, saving: (s0, s1, nil, nil, nil, nil),
      savedCount: s1 != nil ? 2 : s0 != nil ? 1 : 0, integers: integers, pullback: pullback)
  }
  return output
}

/// The same for an operation with two inputs.
@inline(__always)
func recorded(
  _ operation: Operation, _ output: Tensor, _ a: Tensor, _ b: Tensor, saving s0: Tensor? = nil,
  _ s1: Tensor? = nil, integers: (Int, Int) = (0, 0), pullback: @escaping Pullback
) -> Tensor {
  if let tape = Tape.recording {
    tape.record(
      operation, output, (a, b, nil, nil, nil), inputCount: 2, saving: (s0, s1, nil, nil, nil, nil),
      savedCount: s1 != nil ? 2 : s0 != nil ? 1 : 0, integers: integers, pullback: pullback)
  }
  return output
}

/// The same for an operation with up to five inputs, of which some may be absent.
func recorded(
  _ operation: Operation, _ output: Tensor, _ a: Tensor, _ b: Tensor, _ c: Tensor, _ d: Tensor?, _ e: Tensor?,
  saving s0: Tensor? = nil, _ s1: Tensor? = nil, _ s2: Tensor? = nil, _ s3: Tensor? = nil,
  _ s4: Tensor? = nil, _ s5: Tensor? = nil, integers: (Int, Int) = (0, 0), pullback: @escaping Pullback
) -> Tensor {
  if let tape = Tape.recording {
    tape.record(
      operation, output, (a, b, c, d, e), inputCount: 5, saving: (s0, s1, s2, s3, s4, s5), savedCount: 6,
      integers: integers, pullback: pullback)
  }
  return output
}

/// The same for an operation with any number of inputs.
func recorded(
  _ operation: Operation, _ output: Tensor, inputs: [Tensor], saving kept: [Tensor] = [],
  integers: (Int, Int) = (0, 0), pullback: @escaping Pullback
) -> Tensor {
  Tape.recording?.record(
    operation, output, inputs: inputs, saving: kept, integers: integers, pullback: pullback)
  return output
}
