// SPDX-License-Identifier: Apache-2.0

/// Makes a summary of a model's run from the tape and from what layers reported.
///
/// Layers that report their calls are known exactly. For the others the tape tells: an operation whose operand is a
/// module's own parameter is that module's, and the last of them gives its output.
struct SummaryAnalysis {
  private let tape: Tape
  private let recorder: SummaryRecorder
  private var tree: ModuleTree { recorder.tree }
  private let nodes: Range<Int>
  /// The module whose parameter a node depends on, where it depends on nothing else.
  private var owners: [Int: Int] = [:]

  /// What ran of a module: which operations, and what it gave.
  private struct Run {
    var operations: Range<Int>
    var output: Shape?
    var title: String
  }

  static func summary<Model: Module>(
    of model: Model, input: Tensor?, _ run: (Tensor?) throws -> Tensor
  ) rethrows -> ModelSummary {
    try withEvaluation {
      try Tape.withScope { tape, mark in
        let tree = ModuleTree(model)
        let firstLeaf = tape.watchedCount
        model.forEachParameter { tape.watch($0, firstLeaf: firstLeaf) }
        let leaf = input.map(tape.makeLeaf)
        let recorder = SummaryRecorder(tree, on: tape)
        let outer = tape.recorder
        tape.recorder = recorder
        defer { tape.recorder = outer }
        let start = tape.nodeCount
        let output = try recorder.call(of: model, isOne: false) { try run(leaf) }
        let analysis = SummaryAnalysis(tape, recorder, mark: mark, start: start)
        return analysis.summary(of: model, input: input?.shape, output: output)
      }
    }
  }

  private init(_ tape: Tape, _ recorder: SummaryRecorder, mark: Int, start: Int) {
    self.tape = tape
    self.recorder = recorder
    nodes = start..<tape.nodeCount
    for (index, entry) in recorder.tree.entries.enumerated() {
      for parameter in entry.parameters {
        let node = Int(tape.leaf(of: parameter)!.object.pointee.node)
        // A shared parameter is that of the first module which has it.
        if owners[node] == nil { owners[node] = index }
      }
    }
    // Views and casts of a weight are the weight still.
    for node in nodes {
      let inputs = (0..<tape.edgeCount(node)).map { tape.edge(node, $0) }.filter { $0 >= mark }
      guard let first = inputs.first, let owner = owners[first], inputs.count == tape.edgeCount(node),
        inputs.allSatisfy({ owners[$0] == owner })
      else { continue }
      owners[node] = owner
    }
  }

  private func summary(of model: some Module, input: Shape?, output: Tensor) -> ModelSummary {
    var runs = reportedRuns()
    addInferredRuns(to: &runs)
    let rows = rows(of: runs)
    let parameters = model.parameters.map(\.parameter)
    return ModelSummary(
      rows: rows, input: input, parameterCount: model.parameterCount,
      trainableParameterCount: model.trainableParameterCount,
      parameterBytes: parameters.reduce(0) { $0 + $1.shape.elementCount * $1.storage.dtype.size },
      multiplyAdds: nodes.reduce(0) { $0 + multiplyAdds($1) },
      activationBytes: nodes.reduce(0) {
        $0 + (isView($1) ? 0 : tape.shape($1).elementCount * output.dtype.size)
      })
  }

  // MARK: What ran

  private struct Runs {
    /// By place in the model.
    var known: [Int: Run] = [:]
    /// Layers that are not the model's own, with the module in which they ran.
    var others: [(parent: Int?, run: Run)] = []
    /// For each operation the module it belongs to.
    var moduleOfOperation: [Int: Int] = [:]
    /// Modules within a layer that is shown without its parts, with that layer.
    var hidden: [Int: Int] = [:]
  }

  private func reportedRuns() -> Runs {
    var runs = Runs()
    for call in recorder.calls {
      let run = Run(operations: call.operations, output: call.output, title: call.title)
      let enclosing = sequence(first: call) { $0.parent.map { recorder.calls[$0] } }
      if let whole = enclosing.dropFirst().first(where: \.isOne) {
        // What a layer shown as one calls is part of it.
        if let entry = call.entry, let owner = whole.entry { runs.hidden[entry] = owner }
        continue
      }
      guard let entry = call.entry else {
        runs.others.append((call.parent.flatMap { recorder.calls[$0].entry }, run))
        continue
      }
      if let earlier = runs.known[entry] {
        runs.known[entry]!.operations = earlier.operations.lowerBound..<run.operations.upperBound
        runs.known[entry]!.output = run.output
      } else {
        runs.known[entry] = run
      }
      // Calls come outermost first, so that the innermost has the last word.
      for node in run.operations { runs.moduleOfOperation[node] = entry }
      guard call.isOne else { continue }
      for index in tree.entries.indices where tree.ancestors(of: index).contains(entry) {
        runs.hidden[index] = entry
      }
    }
    return runs
  }

  private func addInferredRuns(to runs: inout Runs) {
    // Modules whose own parameters an operation used.
    for node in nodes where owners[node] == nil {
      for place in 0..<tape.edgeCount(node) {
        guard let owner = owners[tape.edge(node, place)], runs.hidden[owner] == nil else { continue }
        if let run = runs.known[owner], recorder.calls.contains(where: { $0.entry == owner }) {
          _ = run
          continue
        }
        let first = runs.known[owner]?.operations.lowerBound ?? node
        runs.known[owner] = Run(
          operations: first..<node + 1, output: tape.shape(node), title: tree.entries[owner].title)
        runs.moduleOfOperation[node] = owner
      }
    }
    // Modules that hold what ran: their output is that of the last of it.
    for index in tree.entries.indices.reversed() {
      guard runs.hidden[index] == nil, let run = runs.known[index], let parent = tree.entries[index].parent,
        !recorder.calls.contains(where: { $0.entry == parent })
      else { continue }
      guard let known = runs.known[parent] else {
        runs.known[parent] = run
        runs.known[parent]!.title = tree.entries[parent].title
        continue
      }
      let isLater = run.operations.upperBound > known.operations.upperBound
      runs.known[parent]!.operations =
        min(
          known.operations.lowerBound, run.operations.lowerBound)..<max(
          known.operations.upperBound, run.operations.upperBound)
      if isLater { runs.known[parent]!.output = run.output }
    }
  }

  // MARK: Rows

  private func rows(of runs: Runs) -> [ModelSummary.Row] {
    var rows: [(order: (Int, Int), row: ModelSummary.Row)] = []
    var counted: Set<ObjectIdentifier> = []
    var products: [Int: Int] = [:]
    for node in nodes {
      let count = multiplyAdds(node)
      if count > 0 { products[runs.moduleOfOperation[node] ?? 0, default: 0] += count }
    }
    // Those that ran by when they began, then the rest.
    let shown = tree.entries.indices.filter { index in
      runs.hidden[index] == nil && (runs.known[index] != nil || !tree.entries[index].parameters.isEmpty)
    }.sorted { a, b in
      (runs.known[a]?.operations.lowerBound ?? .max, a) < (runs.known[b]?.operations.lowerBound ?? .max, b)
    }
    for (place, index) in shown.enumerated() {
      let entry = tree.entries[index]
      let hiddenParts = tree.entries.indices.filter { runs.hidden[$0] == index }
      let parameters = ([index] + hiddenParts).flatMap { tree.entries[$0].parameters }
        .filter { counted.insert(ObjectIdentifier($0)).inserted }
      let run = runs.known[index]
      rows.append(
        (
          (run?.operations.lowerBound ?? .max, place),
          ModelSummary.Row(
            name: entry.path, type: entry.title,
            depth: tree.ancestors(of: index).count { shown.contains($0) }, output: run?.output,
            parameters: parameters.reduce(0) { $0 + $1.shape.elementCount },
            trainableParameters: parameters.reduce(0) { $0 + ($1.isTrainable ? $1.shape.elementCount : 0) },
            multiplyAdds: products[index] ?? 0, ran: run != nil)
        ))
    }
    for (parent, run) in runs.others {
      let depth = parent.map { tree.ancestors(of: $0).count { shown.contains($0) } + 1 } ?? 0
      rows.append(
        (
          (run.operations.lowerBound, .max),
          ModelSummary.Row(
            name: "", type: run.title, depth: depth, output: run.output, parameters: 0,
            trainableParameters: 0, multiplyAdds: 0, ran: true)
        ))
    }
    return rows.sorted { $0.order < $1.order }.map(\.row)
  }

  // MARK: What operations take

  private func multiplyAdds(_ node: Int) -> Int {
    let size = tape.shape(node).elementCount
    func operand(_ place: Int) -> Shape? {
      let source = tape.edge(node, place)
      return source >= 0 ? tape.shape(source) : nil
    }
    switch tape.operation(node) {
    case .matmul:
      let inner = operand(0)?.last ?? operand(1).map { $0[$0.count - 2] }
      return size * (inner ?? 0)
    case .linear: return size * (tape.optionalSaved(node, 1)?.shape[0] ?? 0)
    case .convolution:
      // Each output is a sum over one output channel's part of the kernel.
      guard let weight = tape.optionalSaved(node, 1)?.shape else { return 0 }
      return size * weight.dropLast().reduce(1, *)
    case .convolutionInputGradient:
      // The transposed convolution: each input goes to as many outputs as its channel's part of the kernel has.
      guard
        let (x, weight) = tape.optionalSaved(node, 0).flatMap({ x in
          tape.optionalSaved(node, 1).map { (x.shape, $0.shape) }
        })
      else { return 0 }
      return x.elementCount * weight.dropLast().reduce(1, *)
    case .recurrent:
      guard let inputWeight = tape.optionalSaved(node, 1)?.shape else { return 0 }
      guard let hidden = tape.shape(node).last, hidden > 0 else { return 0 }
      return size * (inputWeight[1] / hidden) * (inputWeight[0] + hidden)
    case .attention:
      // Products of queries with keys, and of weights with values.
      let inputs = tape.edgeCount(node)
      guard let query = tape.optionalSaved(node, 0)?.shape,
        let value = tape.optionalSaved(node, inputs - 1)?.shape,
        let logarithms = tape.optionalSaved(node, inputs + 1)
      else { return 0 }
      return logarithms.elementCount * value[1] * (query[query.count - 1] + value[value.count - 1])
    default: return 0
    }
  }

  /// Whether an operation's result shares its input's elements.
  private func isView(_ node: Int) -> Bool {
    switch tape.operation(node) {
    case .leaf, .reshape, .permute, .transpose, .select, .slice, .broadcast, .unfold: true
    default: false
    }
  }
}
