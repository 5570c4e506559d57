// SPDX-License-Identifier: Apache-2.0

// The tape's backward pass, and what pullbacks see of it.
extension Tape {
  /// Carries the gradient of `loss` back to the leaves made since `mark`.
  func propagate(from loss: Tensor, downTo mark: Int, isLast: Bool = true) {
    precondition(
      loss.elementCount == 1, "gradient: the loss must be one number; its shape is \(loss.shape)")
    guard isTracked(loss), Int(loss.object.pointee.node) >= mark else { return }
    let one = Tensor(repeating: 1, shape: loss.shape, dtype: loss.dtype)
    propagate(one, from: loss, downTo: mark, isLast: isLast)
  }

  /// Carries a gradient back from `value`. What the operations saved is let go where this is the scope's last pass.
  func propagate(_ gradient: Tensor, from value: Tensor, downTo mark: Int, isLast: Bool = true) {
    guard isTracked(value), Int(value.object.pointee.node) >= mark else {
      let outside = edge(of: value)
      if outside < Self.noEdge { accumulateOutside(gradient, at: Int(outside)) }
      return
    }
    let last = Int(value.object.pointee.node)
    while adjoints.count <= last {
      adjoints.append(nil)
      sums.append(false)
    }
    adjoints[last] = gradient
    sums[last] = false
    let (outerMark, wasPropagating) = (passMark, isPropagating)
    (passMark, isPropagating) = (mark, true)
    defer { (passMark, isPropagating) = (outerMark, wasPropagating) }
    let wasRecording = isRecording
    // Without an outer scope nobody can ask for the derivative of the gradients.
    isRecording = wasRecording && depth > 1
    let releases = isLast && depth == 1
    for index in stride(from: last, through: mark, by: -1) {
      guard adjoints[index] != nil else { continue }
      // The gradient stays at this scope's own leaves; those of a nested scope hand it on.
      if nodes[index].operation == .leaf && nodes[index].integers.0 == depth { continue }
      nodes[index].pullback(
        PullbackStep(tape: self, node: index, gradient: adjoints.take(index)!, ownsGradient: sums[index]))
      if releases { release(index) }
    }
    isRecording = wasRecording
  }

  private func release(_ index: Int) {
    let first = Int(nodes[index].firstSaved)
    for place in first..<first + Int(nodes[index].savedCount) { saved[place] = nil }
  }

  /// The gradient that a backward pass left at a leaf, or nil where the loss does not depend on it. Nothing
  /// remains at the leaf.
  func takeGradient(of leaf: Tensor) -> Tensor? {
    let node = Int(leaf.object.pointee.node)
    return node < adjoints.count ? adjoints.take(node) : nil
  }

  func gradientsOfWatched(since firstLeaf: Int) -> Gradients {
    if spareGradients == nil || !isKnownUniquelyReferenced(&spareGradients) {
      spareGradients = GradientStore()
    }
    let store = spareGradients!
    store.entries.removeAll(keepingCapacity: true)
    for index in firstLeaf..<leaves.count {
      store.entries.append(
        GradientStore.Entry(
          parameter: leaves[index].parameter, gradient: takeGradient(of: leaves[index].tensor)))
      let last = store.entries.count - 1
      if !rowParts.isEmpty { addRows(to: &store.entries[last], from: leaves[index].tensor) }
      if leaves[index].parameter.gradientHook != nil { store.entries[last].callHook() }
    }
    if !rowParts.isEmpty { rowParts.removeAll() }
    return Gradients(store: store)
  }

  /// Joins what the pass left by rows at a leaf, and adds it to the dense gradient where there is one.
  private func addRows(to entry: inout GradientStore.Entry, from leaf: Tensor) {
    let parts = rowParts.filter { $0.node == Int(leaf.object.pointee.node) }
    guard !parts.isEmpty else { return }
    let rows = RowGradient(
      summing: parts.map { ($0.indices, $0.values) }, rowCount: leaf.shape[0])
    if let dense = entry.gradient {
      entry.gradient = rows.added(to: dense)
    } else {
      entry.rows = rows
    }
  }

  var watchedCount: Int { leaves.count }

  // MARK: What a pullback sees

  func savedTensor(_ node: Int, _ index: Int) -> Tensor? { saved[Int(nodes[node].firstSaved) + index] }
  func edge(_ node: Int, _ index: Int) -> Int { Int(edges[Int(nodes[node].firstEdge) + index]) }
  func edgeCount(_ node: Int) -> Int { Int(nodes[node].edgeCount) }
  func integers(_ node: Int) -> (Int, Int) { nodes[node].integers }

  /// Adds to the gradient of a node of the tape that holds this one's checkpointed block.
  func accumulateOutside(_ gradient: Tensor, at edge: Int) {
    let capture = captures[Int(Self.noEdge) - 1 - edge]
    capture.tape.accumulate(gradient, at: Int(capture.node))
  }

  /// Whether a gradient may be kept as rows: that of a parameter of which nobody can ask for the derivative.
  func keepsRows(at edge: Int) -> Bool {
    if edge < Int(Self.noEdge) {
      let capture = captures[Int(Self.noEdge) - 1 - edge]
      return capture.tape.keepsRows(at: Int(capture.node))
    }
    return depth == 1 && nodes[edge].operation == .leaf && nodes[edge].integers == (1, 1)
  }

  /// Adds to the gradient of a table: `values` [count, width] at the rows `indices` [count].
  func accumulateRows(_ values: Tensor, _ indices: Tensor, at edge: Int) {
    if edge < Int(Self.noEdge) {
      let capture = captures[Int(Self.noEdge) - 1 - edge]
      capture.tape.accumulateRows(values, indices, at: Int(capture.node))
    } else {
      rowParts.append(RowPart(node: edge, indices: indices, values: values))
    }
  }

  func accumulate(_ gradient: consuming Tensor, at node: Int) {
    // A node of an outer scope is a constant to this pass.
    guard node >= passMark else { return }
    if !gradient.hasShape(nodes[node].shape) { gradient = gradient.summed(to: nodes[node].shape) }
    guard let present = adjoints.take(node) else {
      adjoints.put(gradient, at: node)
      sums[node] = false
      return
    }
    // The first gradient may be shared with others; a sum is the tape's own and can be added to in place.
    if sums[node] && !isRecording && present.isContiguous {
      engine.accumulate(gradient, into: present)
      adjoints.put(present, at: node)
    } else {
      adjoints.put(present + gradient, at: node)
      sums[node] = true
    }
  }

  /// Adds to the gradient at a node what `make` adds in place to the pass's own sum, or makes anew where there is none.
  func accumulateOwn(at node: Int, _ make: (_ sum: Tensor?) -> Tensor) {
    if node < Int(Self.noEdge) {
      let capture = captures[Int(Self.noEdge) - 1 - node]
      return capture.tape.accumulateOwn(at: Int(capture.node), make)
    }
    guard node >= passMark else { return }
    guard let present = adjoints.take(node) else {
      adjoints[node] = make(nil)
      sums[node] = true
      return
    }
    if sums[node] && !isRecording {
      adjoints[node] = make(present)
    } else {
      adjoints[node] = present + make(nil)
      sums[node] = true
    }
  }

  /// Puts zeros where no gradient has arrived at a node; returns whether that was so.
  func reach(_ node: Int, shape: Shape, dtype: DType) -> Bool {
    if node < Int(Self.noEdge) {
      let capture = captures[Int(Self.noEdge) - 1 - node]
      return capture.tape.reach(Int(capture.node), shape: shape, dtype: dtype)
    }
    guard node >= passMark, adjoints[node] == nil else { return false }
    adjoints[node] = withoutGradient { Tensor(zeros: [], dtype: dtype).broadcast(to: shape) }
    sums[node] = false
    return true
  }

  /// Lets `change` add to the gradient at a node in place.
  func accumulateInPlace(
    at node: Int, shape: Shape, dtype: DType, _ change: (_ sum: Tensor, _ isZero: Bool) -> Void
  ) {
    if node < Int(Self.noEdge) {
      let capture = captures[Int(Self.noEdge) - 1 - node]
      return capture.tape.accumulateInPlace(at: Int(capture.node), shape: shape, dtype: dtype, change)
    }
    guard node >= passMark else { return }
    if let present = adjoints.take(node) {
      let sum = sums[node] && present.isContiguous ? present : present.copied()
      change(sum, false)
      adjoints[node] = sum
    } else {
      let sum = Tensor(zeros: shape, dtype: dtype)
      change(sum, true)
      adjoints[node] = sum
    }
    sums[node] = true
  }
}
