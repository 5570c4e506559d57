// SPDX-License-Identifier: Apache-2.0

/// The sum over products of elements that a formula in Einstein's notation names: every letter is an axis; letters
/// that are not in the result are summed over.
///
///     einsum("ij,jk->ik", a, b)        // the matrix product
///     einsum("bthd,bshd->bhts", q, k)  // the scores of attention
///     einsum("ii->i", a)               // the diagonal
///     einsum("...ij->...ji", a)        // the transpose of the last two axes
///
/// Without `->` the result has the letters that come once, in alphabetical order, behind the axes of an ellipsis.
/// Axes of size 1 broadcast. Operands are multiplied two at a time, the pair with the smallest product first.
public func einsum(_ formula: String, _ operands: Tensor...) -> Tensor { einsum(formula, operands) }

/// The same for an array of operands.
public func einsum(_ formula: String, _ operands: [Tensor]) -> Tensor {
  let parsed = EinsumFormula(formula, operands)
  var terms = zip(operands, parsed.inputs).map { EinsumTerm($0, $1) }
  while true {
    for index in terms.indices {
      var needed = Set(parsed.output)
      for other in terms.indices where other != index { needed.formUnion(terms[other].labels) }
      terms[index].sumOut(except: needed)
    }
    guard terms.count > 1 else { break }
    let (first, second) = cheapestPair(terms, output: parsed.output)
    let right = terms.remove(at: second)
    let left = terms.remove(at: first)
    let needed = Set(parsed.output).union(terms.flatMap(\.labels))
    terms.append(left.multiplied(by: right, keeping: needed))
  }
  return terms[0].permuted(to: parsed.output).broadcast(to: Shape(parsed.output.map { parsed.sizes[$0]! }))
}

private func cheapestPair(_ terms: [EinsumTerm], output: [Character]) -> (Int, Int) {
  var (best, bestSize) = ((0, 1), Double.infinity)
  guard terms.count > 2 else { return best }
  for first in terms.indices {
    for second in (first + 1)..<terms.count {
      var needed = Set(output)
      for other in terms.indices where other != first && other != second {
        needed.formUnion(terms[other].labels)
      }
      let size = terms[first].sizes(with: terms[second]).reduce(1.0) {
        needed.contains($1.key) ? $0 * Double($1.value) : $0
      }
      if size < bestSize { (best, bestSize) = ((first, second), size) }
    }
  }
  return best
}

/// A tensor with a label for each axis, none twice.
private struct EinsumTerm {
  var tensor: Tensor
  var labels: [Character]

  /// An operand; where a label comes twice, its diagonal is taken.
  init(_ operand: Tensor, _ operandLabels: [Character]) {
    (tensor, labels) = (operand, operandLabels)
    while let later = labels.indices.last(where: { labels[..<$0].contains(labels[$0]) }) {
      let earlier = labels.firstIndex(of: labels[later])!
      let label = labels[later]
      tensor = tensor.diagonal(axes: (earlier, later))
      labels.remove(at: later)
      labels.remove(at: earlier)
      labels.append(label)
    }
  }

  func sizes(with other: EinsumTerm) -> [Character: Int] {
    var sizes: [Character: Int] = [:]
    for term in [self, other] {
      for (axis, label) in term.labels.enumerated() {
        let size = term.tensor.shape[axis]
        sizes[label] = sizes[label].map { $0 == 1 ? size : $0 } ?? size
      }
    }
    return sizes
  }

  /// Sums over the axes whose labels nobody needs.
  mutating func sumOut(except needed: Set<Character>) {
    let axes = labels.indices.filter { !needed.contains(labels[$0]) }
    if axes.isEmpty { return }
    // Sums of whole numbers are int64, but the result has the type of the operands.
    tensor = tensor.sum(axes: Shape(axes)).cast(to: tensor.dtype)
    labels.removeAll { !needed.contains($0) }
  }

  /// The axes in the order of some labels, of size 1 where there is none.
  func permuted(to wanted: [Character]) -> Tensor {
    let present = wanted.filter(labels.contains)
    var result = tensor
    if present != labels { result = result.permuted(Shape(present.map { labels.firstIndex(of: $0)! })) }
    if present.count == wanted.count { return result }
    var sizes = Shape()
    for label in wanted { sizes.append(labels.firstIndex(of: label).map { tensor.shape[$0] } ?? 1) }
    return result.reshaped(to: sizes)
  }

  /// The product, summed over the labels that both have and nobody needs.
  func multiplied(by other: EinsumTerm, keeping needed: Set<Character>) -> EinsumTerm {
    let sizes = sizes(with: other)
    // An axis of size 1 that broadcasts is not there.
    let (left, right) = (withoutSingle(sizes), other.withoutSingle(sizes))
    let shared = left.labels.filter(right.labels.contains)
    let (batch, summed) = (shared.filter(needed.contains), shared.filter { !needed.contains($0) })
    let rows = left.labels.filter { !shared.contains($0) }
    let columns = right.labels.filter { !shared.contains($0) }
    if summed.isEmpty || (rows.isEmpty && columns.isEmpty) {
      let all = batch + rows + columns
      var product = EinsumTerm(
        left.permuted(to: all + summed) * right.permuted(to: all + summed), all + summed)
      product.sumOut(except: needed)
      return product
    }
    func group(_ labels: [Character]) -> Int { labels.reduce(1) { $0 * sizes[$1]! } }
    let outer = batch.count <= Shape.maximumCount - 2 ? batch.map { sizes[$0]! } : [group(batch)]
    let product = matmul(
      left.permuted(to: batch + rows + summed).reshaped(to: Shape(outer + [group(rows), group(summed)])),
      right.permuted(to: batch + summed + columns).reshaped(
        to: Shape(outer + [group(summed), group(columns)])))
    let result = batch + rows + columns
    return EinsumTerm(product.reshaped(to: Shape(result.map { sizes[$0]! })), result)
  }

  private func withoutSingle(_ sizes: [Character: Int]) -> EinsumTerm {
    let kept = labels.filter { tensor.shape[labels.firstIndex(of: $0)!] == sizes[$0]! }
    if kept.count == labels.count { return self }
    return EinsumTerm(tensor.reshaped(to: Shape(kept.map { sizes[$0]! })), kept)
  }
}

/// A formula, its ellipses written out.
private struct EinsumFormula {
  var inputs: [[Character]] = []
  var output: [Character] = []
  var sizes: [Character: Int] = [:]

  /// The label of an ellipsis's axis, counted from its end.
  private static func label(_ fromEnd: Int) -> Character {
    Character(Unicode.Scalar(0xE000 + UInt32(fromEnd))!)
  }

  init(_ formula: String, _ operands: [Tensor]) {
    let shapes = operands.map(\.shape.description).joined(separator: ", ")
    func fail(_ what: String) -> Never {
      preconditionFailure("einsum: \"\(formula)\" for shapes \(shapes): \(what)")
    }
    let text = formula.filter { $0 != " " }
    var sides = [text]
    if let arrow = text.firstRange(of: "->") {
      sides = [String(text[..<arrow.lowerBound]), String(text[arrow.upperBound...])]
    }
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    if terms.count != operands.count { fail("\(terms.count) terms, \(operands.count) operands") }
    // How many axes the widest ellipsis stands for.
    var widest = 0
    for (term, operand) in zip(terms, operands) {
      guard let (before, after, hasEllipsis) = Self.parse(term) else { fail("\"\(term)\" is no term") }
      let rest = operand.rank - before.count - after.count
      if rest < 0 || (rest > 0 && !hasEllipsis) {
        fail("\"\(term)\" does not name the axes of shape \(operand.shape)")
      }
      widest = Swift.max(widest, rest)
      let labels = before + (0..<rest).reversed().map(Self.label) + after
      inputs.append(labels)
      for (axis, label) in labels.enumerated() {
        let size = operand.shape[axis]
        if let known = sizes[label], known != size, known != 1, size != 1 {
          fail("axis \(axis) of shape \(operand.shape) has size \(size), not \(known)")
        }
        sizes[label] = sizes[label].map { $0 == 1 ? size : $0 } ?? size
      }
      for label in Set(labels) {
        let own = Set(labels.indices.filter { labels[$0] == label }.map { operand.shape[$0] })
        if own.count > 1 { fail("\"\(label)\" names axes of different sizes of shape \(operand.shape)") }
      }
    }
    let ellipsis = (0..<widest).reversed().map(Self.label)
    if sides.count == 2 {
      guard let (before, after, hasEllipsis) = Self.parse(sides[1]) else {
        fail("\"\(sides[1])\" is no result")
      }
      output = before + (hasEllipsis ? ellipsis : []) + after
      for (place, label) in output.enumerated() {
        if sizes[label] == nil { fail("\"\(label)\" of the result names no axis") }
        if output[..<place].contains(label) { fail("\"\(label)\" comes twice in the result") }
      }
    } else {
      let named = inputs.joined().filter { !ellipsis.contains($0) }
      output = ellipsis + Set(named).filter { label in named.filter { $0 == label }.count == 1 }.sorted()
    }
    if output.count > Shape.maximumCount { fail("the result has more than \(Shape.maximumCount) axes") }
  }

  private static func parse(_ term: String) -> (before: [Character], after: [Character], hasEllipsis: Bool)? {
    let parts = term.split(separator: "...", maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    guard parts.joined().allSatisfy({ $0.isASCII && $0.isLetter }) else { return nil }
    return (parts[0], parts.count > 1 ? parts[1] : [], parts.count > 1)
  }
}
