// SPDX-License-Identifier: Apache-2.0

internal import CKernels
import Synchronization

/// What one recorded operation left for the backward pass.
struct Node {
  var operation: Operation
  var firstEdge: Int32
  var edgeCount: Int32
  var firstSaved: Int32
  var savedCount: Int32
  var integers: (Int, Int)
  /// The shape of the operation's value: a gradient that arrives broadcast is summed to it.
  var shape: Shape
  var pullback: Pullback
}

/// Turns the gradient of an operation's value into the gradients of its inputs.
typealias Pullback = (borrowing PullbackStep) -> Void

/// The record of the operations of one thread, in the order in which they ran.
///
/// A node is a record in a flat table; the inputs of all nodes and the tensors they save lie in two more. The
/// tables keep their memory from one scope to the next, and a pullback that captures nothing is only a
/// function's address, so recording an operation allocates nothing. Scopes nest: an inner scope is a stretch of
/// the same tape, and its backward pass is recorded like any other computation while an outer scope is open,
/// which is how second derivatives come about.
final class Tape: @unchecked Sendable {
  @exclusivity(unchecked) private(set) var scope: UInt32 = 0
  @exclusivity(unchecked) private(set) var depth = 0
  @exclusivity(unchecked) var isRecording = false
  /// Whether a backward pass over this tape is under way.
  @exclusivity(unchecked) var isPropagating = false
  /// Who is told of the layers that run, where a summary is being made.
  @exclusivity(unchecked) var recorder: SummaryRecorder?
  /// The first node of the backward pass under way.
  @exclusivity(unchecked) var passMark = 0

  let nodes = Table<Node>()
  let edges = Table<Int32>()
  let saved = Table<Tensor?>()
  /// The gradients under way in a backward pass, one place a node.
  let adjoints = Table<Tensor?>()
  /// Whether the gradient at that place is a sum that this pass made.
  let sums = Table<Bool>()
  /// The watched parameters' tensors, innermost scope last.
  let leaves = Table<Leaf>()
  /// Where in `leaves` a parameter's innermost one is, by the parameter's number; -1 for none.
  private let leafOfParameter = Table<Int32>()
  @exclusivity(unchecked) var spareGradients: GradientStore?
  /// What the pass under way knows of watched tables by rows; empty in most passes.
  @exclusivity(unchecked) var rowParts: [RowPart] = []
  /// Boxes of leaves that are no longer in use.
  private let spareLeaves = Table<TensorBox>()

  /// The tape whose backward pass runs a checkpointed block again, which this one records.
  @exclusivity(unchecked) private(set) var parent: Tape?
  @exclusivity(unchecked) private var spareChild: Tape?
  /// The parent's nodes that this tape's operations use.
  let captures = Table<Capture>()

  struct Capture {
    let tape: Tape
    let node: Int32
  }

  struct RowPart {
    let node: Int
    let indices: Tensor
    let values: Tensor
  }

  struct Leaf {
    /// Not counted: the model that a scope is opened for holds its parameters.
    private let unkept: Unmanaged<Parameter>
    var parameter: Parameter { unkept.takeUnretainedValue() }
    let tensor: Tensor
    /// The outer scope's leaf of the same parameter, or -1.
    let outer: Int32

    init(parameter: Parameter, tensor: Tensor, outer: Int32) {
      (unkept, self.tensor, self.outer) = (.passUnretained(parameter), tensor, outer)
    }
  }

  // MARK: The thread's tape

  private static let lastScope = Atomic<UInt32>(0)

  /// The thread's own tape, which stays with it from one scope to the next, or nil before the first.
  private static var resident: Tape? {
    guard let pointer = ks_thread_tape() else { return nil }
    return Unmanaged<Tape>.fromOpaque(pointer).takeUnretainedValue()
  }

  /// The thread's tape while a scope is open.
  static var current: Tape? {
    guard let tape = resident, tape.depth > 0 else { return nil }
    return tape
  }

  /// The thread's tape while operations are to be recorded on it.
  static var recording: Tape? {
    guard let tape = current, tape.isRecording else { return nil }
    return tape
  }

  /// Whether more than one gradient scope is open, so that backward passes must be differentiable.
  static var isNested: Bool { (current?.depth ?? 0) > 1 }

  /// Whether the thread is in a backward pass.
  static var isInBackwardPass: Bool { current?.isPropagating ?? false }

  /// Runs `body` in a new gradient scope of this thread.
  static func withScope<Result>(_ body: (Tape, _ mark: Int) throws -> Result) rethrows -> Result {
    let tape = resident ?? make()
    if tape.depth == 0 { tape.open() }
    return try tape.nest(body)
  }

  /// Begins an outermost scope. The gradients of the one before go now where nobody holds them, rather than lie
  /// beside those to come.
  private func open() {
    scope = Self.lastScope.add(1, ordering: .relaxed).newValue
    if isKnownUniquelyReferenced(&spareGradients) { spareGradients!.entries.removeAll(keepingCapacity: true) }
  }

  private static func make() -> Tape {
    let tape = Tape()
    ks_set_thread_tape(Unmanaged.passRetained(tape).toOpaque(), releaseTape)
    return tape
  }

  private func nest<Result>(_ body: (Tape, Int) throws -> Result) rethrows -> Result {
    let wasRecording = isRecording
    let leafMark = leaves.count
    depth += 1
    isRecording = true
    defer {
      depth -= 1
      isRecording = wasRecording
      if depth == 0 { clear() }
      unwatch(downTo: leafMark)
    }
    return try body(self, nodes.count)
  }

  private func clear() {
    nodes.removeAll()
    edges.removeAll()
    saved.removeAll()
    if captures.count > 0 { captures.removeAll() }
    if !rowParts.isEmpty { rowParts.removeAll() }
  }

  /// Runs `body` with another tape, empty but for the scope that it opens, in this one's place. What belongs to this
  /// tape stays differentiable there: its gradients come here at once, in the order in which they arise.
  func withChild(_ body: (Tape) -> Void) {
    let child = spareChild ?? Tape()
    spareChild = nil
    child.parent = self
    child.scope = Self.lastScope.add(1, ordering: .relaxed).newValue
    ks_set_thread_tape(Unmanaged.passUnretained(child).toOpaque(), releaseTape)
    child.nest { tape, _ in body(tape) }
    ks_set_thread_tape(Unmanaged.passUnretained(self).toOpaque(), releaseTape)
    child.parent = nil
    spareChild = child
  }

  // MARK: Recording

  func isTracked(_ tensor: Tensor) -> Bool { tensor.object.pointee.scope == scope }

  /// Whether a tensor is on this tape or on one that this one's gradients go on to.
  func holds(_ tensor: Tensor) -> Bool { isTracked(tensor) || parent?.holds(tensor) ?? false }

  private func place(_ output: Tensor, _ node: consuming Node) {
    output.object.pointee.node = Int32(nodes.count)
    output.object.pointee.scope = scope
    nodes.append(node)
  }

  func record(
    _ operation: Operation, _ output: Tensor,
    _ inputs: (Tensor?, Tensor?, Tensor?, Tensor?, Tensor?), inputCount: Int32,
    saving kept: (Tensor?, Tensor?, Tensor?, Tensor?, Tensor?, Tensor?), savedCount: Int32,
    integers: (Int, Int), pullback: @escaping Pullback
  ) {
    let firstEdge = edges.count
    edges.append(edge(of: inputs.0))
    if inputCount > 1 { edges.append(edge(of: inputs.1)) }
    if inputCount > 2 {
      edges.append(edge(of: inputs.2))
      edges.append(edge(of: inputs.3))
      edges.append(edge(of: inputs.4))
    }
    var tracked = false
    for index in firstEdge..<edges.count where edges[index] != Self.noEdge { tracked = true }
    guard tracked else {
      edges.removeLast(edges.count - firstEdge)
      return
    }
    let firstSaved = saved.count
    if savedCount > 0 { saved.append(kept.0) }
    if savedCount > 1 { saved.append(kept.1) }
    if savedCount > 2 {
      saved.append(kept.2)
      saved.append(kept.3)
      saved.append(kept.4)
      saved.append(kept.5)
    }
    place(
      output,
      Node(
        operation: operation, firstEdge: Int32(firstEdge), edgeCount: Int32(edges.count - firstEdge),
        firstSaved: Int32(firstSaved), savedCount: Int32(saved.count - firstSaved), integers: integers,
        shape: output.shape, pullback: pullback))
  }

  /// `always` records an operation also where no input is seen to be part of the scope.
  func record(
    _ operation: Operation, _ output: Tensor, inputs: [Tensor], saving kept: [Tensor] = [],
    always: Bool = false,
    integers: (Int, Int) = (0, 0), pullback: @escaping Pullback
  ) {
    let firstEdge = edges.count
    var tracked = always
    for input in inputs {
      let edge = edge(of: input)
      if edge != Self.noEdge { tracked = true }
      edges.append(edge)
    }
    guard tracked else {
      edges.removeLast(edges.count - firstEdge)
      return
    }
    let firstSaved = saved.count
    for tensor in kept { saved.append(tensor) }
    place(
      output,
      Node(
        operation: operation, firstEdge: Int32(firstEdge), edgeCount: Int32(inputs.count),
        firstSaved: Int32(firstSaved), savedCount: Int32(kept.count), integers: integers, shape: output.shape,
        pullback: pullback))
  }

  /// The edge to a constant.
  static let noEdge: Int32 = -1

  /// The node of a tensor; below `noEdge` where it is one of the parent's.
  func edge(of tensor: Tensor?) -> Int32 {
    guard let tensor else { return Self.noEdge }
    if isTracked(tensor) { return tensor.object.pointee.node }
    return parent == nil ? Self.noEdge : capture(tensor)
  }

  private func capture(_ tensor: Tensor) -> Int32 {
    var ancestor = parent
    while let tape = ancestor {
      if tape.isTracked(tensor) {
        captures.append(Capture(tape: tape, node: tensor.object.pointee.node))
        return Self.noEdge - Int32(captures.count)
      }
      ancestor = tape.parent
    }
    return Self.noEdge
  }

  // MARK: Leaves

  /// A reference to the tensor at which a gradient is wanted. In a nested scope it is recorded as the tensor's
  /// own value, so that outer gradients flow through.
  func makeLeaf(_ tensor: Tensor) -> Tensor { makeLeaf(tensor, isParameter: false) }

  private func makeLeaf(_ tensor: Tensor, isParameter: Bool) -> Tensor {
    let leaf = tensor.alias(in: spareLeaves.popLast())
    let outer = edge(of: tensor)
    let firstEdge = edges.count
    edges.append(outer)
    place(
      leaf,
      Node(
        operation: .leaf, firstEdge: Int32(firstEdge), edgeCount: 1, firstSaved: Int32(saved.count),
        savedCount: 0, integers: (depth, isParameter ? 1 : 0), shape: leaf.shape,
        pullback: { step in step.add(step.gradient, to: 0) }))
    return leaf
  }

  /// Makes a leaf of a parameter, once in a scope, whose leaves begin at `firstLeaf`.
  func watch(_ parameter: Parameter, firstLeaf: Int) {
    let number = Int(parameter.number)
    while leafOfParameter.count <= number { leafOfParameter.append(-1) }
    let outer = leafOfParameter[number]
    guard outer < firstLeaf else { return }
    let source = outer >= 0 ? leaves[Int(outer)].tensor : parent?.leaf(of: parameter) ?? parameter.storage
    let tensor = makeLeaf(source, isParameter: true)
    leafOfParameter[number] = Int32(leaves.count)
    leaves.append(Leaf(parameter: parameter, tensor: tensor, outer: outer))
  }

  private func unwatch(downTo mark: Int) {
    while leaves.count > mark {
      let last = leaves.count - 1
      leafOfParameter[Int(leaves[last].parameter.number)] = leaves[last].outer
      var box = leaves.popLast()!.tensor.box
      // A parameter is changed in place only while nobody else refers to its elements.
      guard isKnownUniquelyReferenced(&box) else { continue }
      box.forgetOwner()
      spareLeaves.append(box)
    }
  }

  func leaf(of parameter: Parameter) -> Tensor? {
    let number = Int(parameter.number)
    let index = number < leafOfParameter.count ? leafOfParameter[number] : -1
    return index < 0 ? parent?.leaf(of: parameter) : leaves[Int(index)].tensor
  }

  // MARK: What a summary sees

  var nodeCount: Int { nodes.count }
  func operation(_ node: Int) -> Operation { nodes[node].operation }
  func shape(_ node: Int) -> Shape { nodes[node].shape }
  func optionalSaved(_ node: Int, _ index: Int) -> Tensor? {
    index < nodes[node].savedCount ? savedTensor(node, index) : nil
  }
}

private func releaseTape(_ tape: UnsafeMutableRawPointer?) {
  if let tape { Unmanaged<Tape>.fromOpaque(tape).release() }
}
