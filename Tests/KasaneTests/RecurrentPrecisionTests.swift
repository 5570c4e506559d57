// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

@testable import Kasane

/// Recurrent layers whose products are in bfloat16, held against the same in float32.
@Suite(.serialized) struct RecurrentPrecisionTests {
  /// Batch, steps, inputs and hidden: small, odd, and shared by the threads either way. From 32 rows and 32 units on the
  /// state's products are in bfloat16 too.
  static let sizes = [
    (3, 5, 4, 7), (1, 1, 1, 1), (2, 6, 61, 33), (37, 4, 5, 61), (5, 9, 129, 200), (1, 33, 3, 65),
    (26, 3, 2, 32), (16, 7, 8, 128), (13, 5, 6, 257),
  ]

  /// The largest difference, in units of the largest magnitude.
  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.cast(to: .float64), b.cast(to: .float64))
    return abs(a - b).max().scalar / max(abs(b).max().scalar, 1e-3)
  }

  /// The root mean square of the difference, in units of that of `b`.
  private func meanDifference(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.cast(to: .float64), b.cast(to: .float64))
    return (square(a - b).mean().scalar / max(square(b).mean().scalar, 1e-6)).squareRoot()
  }

  /// Whether results of a cell are near. relu's derivative is a step: where a sum near zero has crossed it by rounding, a
  /// gradient is quite another, so that only most of them are near.
  private func areNear(_ a: Tensor, _ b: Tensor, _ cell: RecurrentPrimitive) -> Bool {
    cell == .simple(.relu) ? meanDifference(a, b) < 0x1p-2 : difference(a, b) < 0x1p-5
  }

  private struct Layer {
    let cell: RecurrentPrimitive
    let lengths: Tensor?
    let isReversed: Bool
    /// x, the weights, the biases, the initial states; the recurrent bias and the initial cell where the cell has them.
    var tensors: [Tensor]
    let factors: [Tensor]

    init(
      _ cell: RecurrentPrimitive, _ size: (batch: Int, steps: Int, inputs: Int, hidden: Int), isPadded: Bool
    ) {
      self.cell = cell
      var random = RandomGenerator(seed: 5)
      let (batch, steps, inputs, hidden) = size
      let width = cell.gateCount * hidden
      lengths = isPadded ? Tensor((0..<batch).map { ($0 * 5 + 2) % (steps + 1) }) : nil
      isReversed = isPadded
      var tensors: [Tensor] = []
      for (shape, scale) in [
        (Shape(batch, steps, inputs), 1.0), (Shape(inputs, width), 1 / Double(inputs).squareRoot()),
        (Shape(hidden, width), 1 / Double(hidden).squareRoot()), (Shape(width), 0.5),
        (Shape(batch, hidden), 1),
      ] { tensors.append(random.normal(shape, dtype: .float32) * scale) }
      if cell == .lstm { tensors.append(random.normal([batch, hidden], dtype: .float32)) }
      if cell == .gru(.afterProduct) { tensors.append(random.normal([width], dtype: .float32) * 0.5) }
      self.tensors = tensors
      factors = [Shape(batch, steps, hidden), Shape(batch, hidden), Shape(batch, hidden)].map {
        random.normal($0, dtype: .float32)
      }
    }

    func call(_ x: [Tensor]) -> RecurrentCall {
      var call = RecurrentCall(cell: cell, x: x[0], inputWeight: x[1], recurrentWeight: x[2])
      (call.bias, call.initialState, call.lengths, call.isReversed) = (x[3], x[4], lengths, isReversed)
      if cell == .lstm { call.initialCell = x[5] }
      if cell == .gru(.afterProduct) { call.recurrentBias = x[5] }
      return call.checked("test")
    }

    /// What the layer gives, then the gradients of a sum of it all.
    func all(composed: Bool = false, withFinalStates: Bool = true) -> [Tensor] {
      func run(_ x: [Tensor]) -> [Tensor] {
        let result =
          composed
          ? composedSequences(call(x)) : recurrentSequences(call(x), withFinalStates: withFinalStates)
        let states = withFinalStates ? [result.finalState, result.finalCell].compactMap { $0 } : []
        return [result.outputs] + states
      }
      return run(tensors)
        + valueWithGradients(at: tensors) { x in
          zip(run(x), factors).map { ($0 * $1).sum() }.reduce(Tensor(Float(0)), +)
        }.gradients
    }
  }

  @Test(arguments: RecurrentTests.cells, [1, 2])
  func valuesAndGradientsAreNear(_ cell: RecurrentPrimitive, threads: Int32) {
    let before = ks_threads()
    ks_set_threads(threads)
    defer { ks_set_threads(before) }
    for size in Self.sizes {
      for isPadded in [false, true] {
        for withFinalStates in [false, true] {
          let layer = Layer(cell, size, isPadded: isPadded)
          let exact = layer.all(withFinalStates: withFinalStates)
          let near = withPrecision(.bfloat16) { layer.all(withFinalStates: withFinalStates) }
          for (index, (a, b)) in zip(near, exact).enumerated() {
            #expect(areNear(a, b, cell), "\(size) \(isPadded) \(withFinalStates) \(index)")
            #expect(a.dtype == (index == 0 ? .bfloat16 : .float32))
          }
          // The composition rounds the products' sums too.
          let composed = withPrecision(.bfloat16) {
            layer.all(composed: true, withFinalStates: withFinalStates)
          }
          for (index, (a, b)) in zip(composed, exact).enumerated() {
            #expect(areNear(a, b, cell), "composed: \(size) \(isPadded) \(withFinalStates) \(index)")
            #expect(a.dtype == (index == 0 ? .bfloat16 : .float32))
          }
        }
      }
    }
  }

  /// The gradient of an input in bfloat16 is of its type; so is that of its states.
  @Test(arguments: RecurrentTests.cells)
  func gradientsAreOfTheirInputsTypes(_ cell: RecurrentPrimitive) {
    var layer = Layer(cell, (4, 5, 6, 40), isPadded: false)
    let whole = layer.all()
    for index in [0, 4] { layer.tensors[index] = layer.tensors[index].cast(to: .bfloat16) }
    if cell == .lstm { layer.tensors[5] = layer.tensors[5].cast(to: .bfloat16) }
    let half = withPrecision(.bfloat16) { layer.all() }
    for (a, b) in zip(half.suffix(layer.tensors.count), layer.tensors) { #expect(a.dtype == b.dtype) }
    for (a, b) in zip(half, whole) { #expect(areNear(a, b, cell)) }
  }

  @Test func theBackwardPassNeedsNoScope() {
    let layer = Layer(.lstm, (3, 4, 5, 6), isPadded: true)
    func loss(_ x: [Tensor]) -> Tensor {
      square(recurrentSequences(layer.call(x), withFinalStates: false).outputs).sum()
    }
    let inside = withPrecision(.bfloat16) { valueWithGradients(at: layer.tensors, of: loss).gradients }
    let outside = valueWithGradients(at: layer.tensors) { x in withPrecision(.bfloat16) { loss(x) } }
      .gradients
    for (a, b) in zip(inside, outside) { #expect(difference(a, b) == 0) }
  }

  @Test func secondDerivativesFlow() {
    let layer = Layer(.gru(.afterProduct), (2, 3, 4, 5), isPadded: false)
    func penalty(_ x: Tensor) -> Tensor {
      square(
        gradient(at: x) { x in
          var tensors = layer.tensors
          tensors[0] = x
          return square(recurrentSequences(layer.call(tensors), withFinalStates: false).outputs).sum()
        }
      ).sum()
    }
    let near = withPrecision(.bfloat16) { gradient(at: layer.tensors[0], of: penalty) }
    #expect(difference(near, gradient(at: layer.tensors[0], of: penalty)) < 0x1p-4)
  }

  @Test func ofNothingThereIsNothing() {
    var random = RandomGenerator(seed: 1)
    let cell = LSTMCell(3, 4, using: &random)
    withPrecision(.bfloat16) {
      for shape in [Shape(0, 5, 3), Shape(2, 0, 3)] {
        let (outputs, final) = cell.run(Tensor(zeros: shape), from: nil, lengths: nil, reversed: false)
        #expect(outputs.dtype == .bfloat16 && outputs.hasShape(Shape(shape[0], shape[1], 4)))
        #expect(final.hidden.dtype == .float32)
      }
    }
  }

  /// Layers of every cell, those that the engine has no primitive for among them, dropping where they drop: products of
  /// the inputs and outputs are bfloat16, states stay float32.
  @Test(arguments: RecurrentCellTests.kinds.filter { $0 != "RNN relu" })
  func everyCellIsNear(_ kind: String) {
    func check<Cell: RecurrentCell>(_ first: Cell) {
      let layer = Recurrent(inputs: 3, layers: 2, isBidirectional: true) {
        RecurrentCellTests.cell(kind, $0, 8) as! Cell
      }
      var random = RandomGenerator(seed: 7)
      let x = Tensor(normal: [2, 5, 3], using: &random)
      func run() -> (outputs: Tensor, states: [Tensor], gradients: [Tensor]) {
        var random = RandomGenerator(seed: 8)
        return withTraining(using: &random) {
          var found: (outputs: Tensor, states: [Tensor])?
          let (_, gradients) = valueWithGradient(at: layer) { layer in
            let (outputs, states) = layer(x, from: nil, lengths: Tensor([5, 3]))
            let tensors = states.flatMap(Cell.tensors)
            found = (outputs, tensors)
            return tensors.reduce(outputs.cast(to: .float32).sum()) { $0 + square($1).sum() }
          }
          return (found!.outputs, found!.states, layer.parameters.map { gradients[$0.parameter]! })
        }
      }
      let (exact, half) = (run(), withPrecision(.bfloat16) { run() })
      #expect(half.outputs.dtype == .bfloat16 && half.states.allSatisfy { $0.dtype == .float32 }, "\(kind)")
      #expect(difference(half.outputs, exact.outputs) < 0x1p-5, "\(kind)")
      // Normalisation divides what rounding did by a deviation that may be small.
      let bound = kind == "layer norm" ? 0x1p-3 : 0x1p-4
      for (a, b) in zip(half.states + half.gradients, exact.states + exact.gradients) {
        #expect(a.dtype == .float32 && difference(a, b) < bound, "\(kind): \(difference(a, b))")
      }
    }
    check(RecurrentCellTests.cell(kind, 3, 8))
  }
}
