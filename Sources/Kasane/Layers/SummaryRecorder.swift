// SPDX-License-Identifier: Apache-2.0

/// Watches a model run for a summary: which layers report a call, between which operations of the tape.
final class SummaryRecorder {
  struct Call {
    /// The layer's place in the model, or nil where it is none of the model's.
    let entry: Int?
    let title: String
    let parent: Int?
    /// Whether the layer's parts are not shown.
    let isOne: Bool
    /// The operations of the tape that ran in it.
    var operations: Range<Int>
    var output: Shape? = nil
  }

  let tree: ModuleTree
  private let tape: Tape
  private(set) var calls: [Call] = []
  private var open: [Int] = []

  init(_ tree: ModuleTree, on tape: Tape) {
    self.tree = tree
    self.tape = tape
  }

  /// Runs a layer that says what it is.
  func call<Caller: Module>(of module: Caller, isOne: Bool, _ body: () throws -> Tensor) rethrows -> Tensor {
    let entry = entry(of: module)
    // A layer may be announced by the list that it is in, and then announce itself.
    if let last = open.last, let entry, calls[last].entry == entry { return try body() }
    let title = entry.map { tree.entries[$0].title } ?? "\(Caller.self)"
    return try call(entry: entry, title: title, isOne: isOne, body)
  }

  /// Runs the layer at a place of a list.
  func call(ofPart index: Int, _ body: () throws -> Tensor) rethrows -> Tensor {
    guard let last = open.last, let list = calls[last].entry else { return try body() }
    let path = ModuleLayout.join(tree.entries[list].path, "\(index)")!
    let entry = tree.entries.firstIndex { $0.parent == list && $0.path == path }
    guard let entry else { return try body() }
    return try call(entry: entry, title: tree.entries[entry].title, isOne: false, body)
  }

  private func call(entry: Int?, title: String, isOne: Bool, _ body: () throws -> Tensor) rethrows -> Tensor {
    let start = tape.nodeCount
    let index = calls.count
    calls.append(
      Call(entry: entry, title: title, parent: open.last, isOne: isOne, operations: start..<start))
    open.append(index)
    defer { open.removeLast() }
    let result = try body()
    calls[index].operations = start..<tape.nodeCount
    calls[index].output = result.shape
    return result
  }

  /// Where a layer is in the model: by its type and first parameter; one without parameters is the next of its type
  /// that has not run, within what is running.
  private func entry<Caller: Module>(of module: Caller) -> Int? {
    var first: ObjectIdentifier? = nil
    module.forEachParameter { if first == nil { first = ObjectIdentifier($0) } }
    let title = Mirror(reflecting: module).displayStyle == .enum ? "\(Caller.self).\(module)" : nil
    let candidates = tree.entries.indices.filter { index in
      let entry = tree.entries[index]
      return entry.type == Caller.self && entry.firstParameter == first
        && (title == nil || entry.title == title)
    }
    if let last = open.last, let running = calls[last].entry {
      if candidates.contains(running) { return running }
      let inside = candidates.filter { tree.ancestors(of: $0).contains(running) }
      if !inside.isEmpty { return firstIdle(of: inside) ?? inside[0] }
    }
    return firstIdle(of: candidates) ?? candidates.first
  }

  private func firstIdle(of candidates: [Int]) -> Int? {
    let busy = Set(calls.compactMap(\.entry))
    return candidates.first { !busy.contains($0) }
  }
}
