// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The fused update of the CPU's engine against the composition of primitives, for every rule and form of state.
@Suite struct UpdateTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let rule: UpdateRule
    let states: Int
    var testDescription: String { "\(rule), states \(states)" }
  }

  /// `states` has a bit for each state that is there.
  static let cases: [Case] = [
    Case(rule: .descent(momentum: 0, isNesterov: false), states: 0),
    Case(rule: .descent(momentum: 0.9, isNesterov: false), states: 1),
    Case(rule: .descent(momentum: 0.9, isNesterov: true), states: 1),
    Case(rule: .adagrad(epsilon: 1e-4), states: 1),
    Case(rule: .rmsprop(smoothing: 0.9, epsilon: 1e-2, momentum: 0), states: 1),
    Case(rule: .rmsprop(smoothing: 0.9, epsilon: 1e-2, momentum: 0), states: 3),
    Case(rule: .rmsprop(smoothing: 0.9, epsilon: 1e-2, momentum: 0.5), states: 5),
    Case(rule: .rmsprop(smoothing: 0.9, epsilon: 1e-2, momentum: 0.5), states: 7),
    Case(rule: .adadelta(decay: 0.9, epsilon: 1e-3), states: 3),
    Case(rule: .adam(beta1: 0.9, beta2: 0.99, epsilon: 1e-3, isDecoupled: false), states: 3),
    Case(rule: .adam(beta1: 0.9, beta2: 0.99, epsilon: 1e-3, isDecoupled: true), states: 7),
    Case(rule: .adamax(beta1: 0.9, beta2: 0.99, epsilon: 1e-3), states: 3),
    Case(rule: .lion(beta1: 0.9, beta2: 0.99), states: 1),
  ]

  /// The tensors of the parts, which do not keep them.
  private final class Kept {
    var tensors: [Tensor] = []
    func keep(_ tensor: Tensor) -> Tensor {
      tensors.append(tensor)
      return tensor
    }
  }
  private let kept = Kept()

  private func parts(_ test: Case, _ dtype: DType, rows: Bool, large: Bool) -> [ParameterUpdate] {
    var make = RowInputs(seed: 7)
    func tensor(_ shape: Shape, positive: Bool = false) -> Tensor {
      kept.keep(make.tensor(Input(shape, positive ? .positive : .real)).cast(to: dtype).ownCopy())
    }
    let shapes: [Shape] =
      rows
      ? [[5, 3], [4, 2, 3], [3]]
      : large
        ? [[70, 1001], [3], [400, 33]]
        : [
          [2, 3], [], [0, 4], [33],
        ]
    return shapes.enumerated().map { index, shape in
      var gradientShape = shape
      if rows { gradientShape[0] = 2 }
      var gradient = tensor(gradientShape)
      // A gradient may be a view.
      if index == 0 { gradient = kept.keep(gradient.transposed().contiguous().transposed()) }
      var part = ParameterUpdate(tensor(shape), along: gradient, rate: 0.1)
      // Means of squares are larger than the squares of means.
      func state(_ bit: Int) -> Tensor? {
        guard test.states >> bit & 1 == 1 else { return nil }
        return kept.keep((tensor(shape, positive: true) + (bit == 0 ? 2 : 0)).ownCopy())
      }
      part.states = (state(0), state(1), state(2))
      part.scale = 0.5
      part.weightDecay = 0.2
      part.correction = 0.7
      if rows { part.rows = kept.keep(Tensor([shape[0] - 1, 0])) }
      return part
    }
  }

  /// Elements of parameters and states, one after the other.
  private func numbers(_ parts: [ParameterUpdate]) -> [Double] {
    parts.flatMap { part in
      [part.parameter, part.states.0, part.states.1, part.states.2].flatMap { tensor in
        tensor?.cast(to: .float64).elements(as: Double.self) ?? []
      }
    }
  }

  @Test(arguments: cases, [DType.float64, .float32])
  func fusedUpdateIsTheComposition(_ test: Case, _ dtype: DType) {
    for (rows, large) in [(false, false), (false, true), (true, false)] {
      let fused = parts(test, dtype, rows: rows, large: large)
      let composed = parts(test, dtype, rows: rows, large: large)
      for _ in 0..<2 {
        engine.update(test.rule, fused)
        engine.composedUpdate(test.rule, composed)
      }
      let (found, expected) = (numbers(fused), numbers(composed))
      #expect(found.count == expected.count)
      let worst = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
      #expect(worst <= (dtype == .float64 ? 1e-12 : 1e-5), "rows \(rows), large \(large)")
    }
  }

  /// Rows that are not named stay to the bit.
  @Test(arguments: cases)
  func otherRowsStay(_ test: Case) {
    let before = parts(test, .float32, rows: true, large: false)
    let after = parts(test, .float32, rows: true, large: false)
    engine.update(test.rule, after)
    for (a, b) in zip(before, after) {
      for row in 1..<a.parameter.shape[0] - 1 {
        #expect(a.parameter.select(row).description == b.parameter.select(row).description)
        if let state = a.states.0 {
          #expect(state.select(row).description == b.states.0!.select(row).description)
        }
      }
      #expect(a.parameter.select(0).description != b.parameter.select(0).description)
    }
  }

  @Test func sumsOfSquares() {
    var make = RowInputs(seed: 8)
    for shape in [Shape(), [0], [1], [31], [33], [3, 700], [123, 4567]] {
      let x = make.tensor(Input(shape))
      let expected = x.elements(as: Double.self).reduce(0) { $0 + $1 * $1 }
      #expect(abs(engine.sumOfSquares(x) - expected) <= 1e-12 * max(1, expected))
      #expect(abs(engine.composedSumOfSquares(x) - expected) <= 1e-12 * max(1, expected))
      #expect(abs(engine.sumOfSquares(x.cast(to: .float32)) - expected) <= 1e-5 * max(1, expected))
    }
    // Squares beyond float32's range.
    let norm = engine.sumOfSquares(Tensor([Float(3e30), 4e30])).squareRoot()
    #expect(abs(norm - 5e30) < 1e24)
  }
}
