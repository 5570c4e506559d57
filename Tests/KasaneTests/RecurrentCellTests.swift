// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What holds for the cells of all kinds and for the layers made of them.
@Suite struct RecurrentCellTests {
  static let kinds = [
    "RNN sigmoid", "RNN tanh", "RNN relu", "LSTM", "LSTM without bias", "GRU after", "GRU before", "carousel",
    "original", "original without bias", "coupled", "coupled without bias", "peephole", "layer norm",
    "recurrent dropout", "variational",
  ]

  /// A cell of each kind, none of whose parameters is zero.
  static func cell(_ kind: String, _ inputs: Int, _ hidden: Int, seed: UInt64 = 1)
    -> any RecurrentCell
  {
    var random = RandomGenerator(seed: seed)
    let cell: any RecurrentCell =
      switch kind {
      case "RNN sigmoid": RNNCell(inputs, hidden, activation: .sigmoid, using: &random)
      case "RNN tanh": RNNCell(inputs, hidden, using: &random)
      case "RNN relu": RNNCell(inputs, hidden, activation: .relu, using: &random)
      case "LSTM": LSTMCell(inputs, hidden, using: &random)
      case "LSTM without bias": LSTMCell(inputs, hidden, bias: false, using: &random)
      case "GRU after": GRUCell(inputs, hidden, using: &random)
      case "GRU before": GRUCell(inputs, hidden, resetGate: .beforeProduct, using: &random)
      case "carousel": ErrorCarouselCell(inputs, hidden, using: &random)
      case "original": OriginalLSTMCell(inputs, hidden, using: &random)
      case "original without bias": OriginalLSTMCell(inputs, hidden, bias: false, using: &random)
      case "coupled": CoupledLSTMCell(inputs, hidden, using: &random)
      case "coupled without bias": CoupledLSTMCell(inputs, hidden, bias: false, using: &random)
      case "peephole": PeepholeLSTMCell(inputs, hidden, using: &random)
      case "layer norm": LayerNormLSTMCell(inputs, hidden, using: &random)
      case "recurrent dropout": RecurrentDropoutLSTMCell(inputs, hidden, dropout: 0.3, using: &random)
      default:
        VariationalLSTMCell(inputs, hidden, inputDropout: 0.3, stateDropout: 0.3, using: &random)
      }
    for (_, parameter) in cell.parameters {
      parameter.assign(parameter.value + Tensor(normal: parameter.shape, using: &random) * 0.2)
    }
    return cell
  }

  /// What comes of a run, as one row: outputs and the final state's tensors.
  private static func everything<Cell: RecurrentCell>(
    _ result: (outputs: Tensor, finalState: Cell.State), of cell: Cell
  ) -> [Tensor] { [result.outputs] + Cell.tensors(of: result.finalState) }

  /// Different numbers for each element of what comes of a run.
  private static func loss(_ parts: [Tensor]) -> Tensor {
    parts.enumerated().map { index, part in
      let factors = (0..<part.elementCount).map { Double(($0 * 7 + index * 3) % 11) / 5 - 1 }
      return (part * Tensor(factors, shape: part.shape).cast(to: part.dtype)).sum()
    }.reduce(Tensor(0.0).cast(to: parts[0].dtype), +)
  }

  /// Sequence by sequence, each over its own steps, by calls of the cell.
  private static func byHand<Cell: RecurrentCell>(
    _ cell: Cell, _ x: Tensor, from initial: [Tensor], lengths: [Int], reversed: Bool
  ) -> [Tensor] {
    var outputs: [Tensor] = []
    var finals: [[Tensor]] = []
    for (b, length) in lengths.enumerated() {
      var state = Cell.state(of: initial.map { $0.sliced(b..<b + 1, axis: 0) }[...])
      var own = [Tensor](repeating: Tensor(zeros: [1, cell.hidden], dtype: x.dtype), count: x.shape[1])
      for t in reversed ? Array((0..<length).reversed()) : Array(0..<length) {
        state = cell(x.sliced(b..<b + 1, axis: 0).select(t, axis: 1), state)
        own[t] = cell.output(of: state)
      }
      outputs.append(Tensor.stack(own, axis: 1))
      finals.append(Cell.tensors(of: state))
    }
    let states = (0..<Cell.tensorsPerState).map { kind in Tensor.concatenate(finals.map { $0[kind] }) }
    return [Tensor.concatenate(outputs)] + states
  }

  private static func states<Cell: RecurrentCell>(
    of cell: Cell, batch: Int, using random: inout RandomGenerator
  ) -> [Tensor] {
    var states: [Tensor] = []
    for _ in 0..<Cell.tensorsPerState {
      states.append(Tensor(normal: [batch, cell.hidden], using: &random) * 0.5)
    }
    return states
  }

  /// The readable cell and the layer over whole sequences are the same network, in value and in every gradient.
  @Test(arguments: kinds, [false, true])
  func cellsAreTheirLayers(_ kind: String, reversed: Bool) {
    func check<Cell: RecurrentCell>(_ cell: Cell) {
      var random = RandomGenerator(seed: 5)
      let x = Tensor(normal: [3, 4, 3], using: &random)
      let initial = Self.states(of: cell, batch: 3, using: &random)
      for lengths in [[4, 4, 4], [2, 4, 0]] {
        let given = lengths == [4, 4, 4] ? nil : Tensor(lengths)
        func whole(_ x: Tensor, _ initial: [Tensor]) -> [Tensor] {
          Self.everything(
            cell.run(x, from: Cell.state(of: initial[...]), lengths: given, reversed: reversed), of: cell)
        }
        func steps(_ x: Tensor, _ initial: [Tensor]) -> [Tensor] {
          Self.byHand(cell, x, from: initial, lengths: lengths, reversed: reversed)
        }
        for (a, b) in zip(whole(x, initial), steps(x, initial)) { expectClose(a, b, 2e-6, kind) }
        let byParameters = [whole, steps].map { function in
          valueWithGradient(at: cell) { _ in Self.loss(function(x, initial)) }.gradients
        }
        for (name, parameter) in cell.parameters {
          expectClose(
            byParameters[0][parameter]!, byParameters[1][parameter]!, 1e-5, "\(kind): gradient by \(name)")
        }
        let byInputs = [whole, steps].map { function in
          valueWithGradients(at: [x] + initial) { Self.loss(function($0[0], Array($0[1...]))) }.gradients
        }
        for (a, b) in zip(byInputs[0], byInputs[1]) { expectClose(a, b, 1e-5, "\(kind): gradient by input") }
      }
    }
    check(Self.cell(kind, 3, 4))
  }

  /// Central differences along a random direction in all parameters, in double precision.
  @Test(arguments: kinds)
  func gradientsAreDifferences(_ kind: String) {
    func check<Cell: RecurrentCell>(_ cell: Cell) {
      var random = RandomGenerator(seed: 9)
      // A rectifier's units keep away from its corner where all of them are at work.
      var x = Tensor(normal: [2, 4, 3], dtype: .float64, using: &random)
      if kind == "RNN relu" { x = abs(x) + 0.5 }
      let sequences = x
      for (_, parameter) in cell.parameters {
        let value = parameter.value.cast(to: .float64)
        var wide = kind == "RNN relu" ? abs(value) + 0.1 : value
        parameter.exchange(&wide)
      }
      func loss() -> Tensor {
        Self.loss(
          Self.everything(cell.run(sequences, from: nil, lengths: Tensor([4, 3]), reversed: true), of: cell))
      }
      let (_, gradients) = valueWithGradient(at: cell) { _ in loss() }
      for (name, parameter) in cell.parameters {
        let direction = Tensor(normal: parameter.shape, dtype: .float64, using: &random)
        let value = parameter.value
        let values = [1e-5, -1e-5].map { step in
          parameter.assign(value + direction * step)
          return loss().scalar
        }
        parameter.assign(value)
        let (slope, found) = (
          (values[0] - values[1]) / 2e-5, (gradients[parameter]! * direction).sum().scalar
        )
        #expect((slope - found).magnitude <= 1e-7 * max(1, slope.magnitude), "\(kind): \(name)")
      }
    }
    check(Self.cell(kind, 3, 4))
  }

  /// Nothing that stands in the padding, NaN included, changes a bit of outputs, states and gradients.
  @Test(arguments: kinds, DirectionMerge.allCases)
  func paddingNeverLeaks(_ kind: String, merging: DirectionMerge) {
    func check<Cell: RecurrentCell>(_ first: Cell) {
      var seed: UInt64 = 0
      let layer = Recurrent(inputs: 3, layers: 2, isBidirectional: true, merging: merging) { inputs in
        seed += 1
        return Self.cell(kind, inputs, 4, seed: seed) as! Cell
      }
      var random = RandomGenerator(seed: 2)
      let lengths = [3, 5, 0, 1]
      let clean = Tensor(normal: [4, 5, 3], using: &random)
      let isWithin = Tensor.arange(5).reshaped(to: [1, 5, 1]) .< Tensor(lengths).reshaped(to: [4, 1, 1])
      func run(_ padding: Tensor) -> [[Float]] {
        let x = Tensor.where(isWithin, clean, padding)
        func all(_ x: Tensor) -> [Tensor] {
          let (outputs, states) = layer(x, from: nil, lengths: Tensor(lengths))
          return [outputs] + states.flatMap(Cell.tensors)
        }
        let (_, byParameters) = valueWithGradient(at: layer) { _ in Self.loss(all(x)) }
        let (_, byInput) = valueWithGradient(at: x) { Self.loss(all($0)) }
        #expect(Tensor.where(isWithin, 0, byInput).elements(as: Float.self).allSatisfy { $0 == 0 }, "\(kind)")
        let outputs = all(x)
        #expect(
          Tensor.where(isWithin, 0, outputs[0]).elements(as: Float.self).allSatisfy { $0 == 0 }, "\(kind)")
        return (outputs + layer.parameters.map { byParameters[$0.parameter]! } + [byInput]).map {
          $0.elements(as: Float.self)
        }
      }
      let expected = run(Tensor(zeros: clean.shape))
      for padding in [
        Tensor(normal: clean.shape, using: &random) * 100, Tensor(repeating: Double.nan, shape: clean.shape),
        Tensor(repeating: Double.infinity, shape: clean.shape),
      ] { #expect(run(padding) == expected, "\(kind)") }
    }
    check(Self.cell(kind, 3, 4))
  }

  /// A long sequence in stretches, each from the states that the one before ended with, is the sequence; and where the
  /// states are detached, no gradient reaches beyond its stretch.
  @Test(arguments: kinds)
  func stretchesCarryTheirStates(_ kind: String) {
    func check<Cell: RecurrentCell>(_ first: Cell) {
      let layer = Recurrent(inputs: 3, layers: 2) { Self.cell(kind, $0, 4) as! Cell }
      var random = RandomGenerator(seed: 3)
      let x = Tensor(normal: [2, 7, 3], using: &random)
      func stretches(_ x: Tensor, detaching: Bool) -> [Tensor] {
        var states: [Cell.State]?
        return [0..<3, 3..<5, 5..<7].map { range in
          let (outputs, finalStates) = layer(x.sliced(range, axis: 1), from: states)
          states = finalStates.map { state in
            Cell.state(of: Cell.tensors(of: state).map { detaching ? $0.detached() : $0 }[...])
          }
          return outputs
        }
      }
      let whole = layer(x)
      expectClose(Tensor.concatenate(stretches(x, detaching: true), axis: 1), whole, 2e-6, kind)
      let carried = valueWithGradient(at: x) {
        Self.loss([Tensor.concatenate(stretches($0, detaching: false), axis: 1)])
      }.gradient
      expectClose(carried, valueWithGradient(at: x) { Self.loss([layer($0)]) }.gradient, 1e-5, kind)
      let cut = valueWithGradient(at: x) { square(stretches($0, detaching: true)[2]).sum() }.gradient
      #expect(cut.sliced(0..<5, axis: 1).elements(as: Float.self).allSatisfy { $0 == 0 }, "\(kind)")
      #expect(cut.sliced(5..<7, axis: 1).norm().scalar > 0, "\(kind)")
    }
    check(Self.cell(kind, 3, 4))
  }

  @Test func directionsAreMergedAsAsked() {
    func layer(_ merging: DirectionMerge) -> LSTM {
      var random = RandomGenerator(seed: 1)
      return LSTM(3, 4, isBidirectional: true, merging: merging, using: &random)
    }
    var random = RandomGenerator(seed: 2)
    let x = Tensor(normal: [2, 5, 3], using: &random)
    let lengths = Tensor([5, 3])
    let (forward, backward, states) = layer(.summed).separately(x, lengths: lengths)
    #expect(forward.shape == [2, 5, 4] && backward.shape == [2, 5, 4] && states.count == 2)
    func expect(_ merging: DirectionMerge, _ expected: Tensor) {
      let layer = layer(merging)
      let (outputs, finalStates) = layer(x, from: nil, lengths: lengths)
      expectClose(outputs, expected, 1e-7)
      #expect(layer.outputs == expected.shape[2] && layer.isBidirectional)
      #expect(finalStates[1].cell.elements(as: Float.self) == states[1].cell.elements(as: Float.self))
    }
    expect(.concatenated, Tensor.concatenate([forward, backward], axis: -1))
    expect(.summed, forward + backward)
    expect(.averaged, (forward + backward) / 2)
  }

  @Test func statesOfLSTMsAreDetached() {
    let x = Tensor([1.0, 2])
    let (_, gradient) = valueWithGradient(at: x) { x in
      let state = LSTMState(hidden: x * 2, cell: x * 3).detached()
      return (state.hidden + state.cell + x).sum()
    }
    #expect(gradient.elements(as: Double.self) == [1, 1])
  }

  // MARK: Dropping

  /// In training, what the cells drop is drawn from the run's random numbers; in use nothing is.
  @Test func cellsDropInTrainingOnly() {
    for kind in ["recurrent dropout", "variational"] {
      func check<Cell: RecurrentCell>(_ cell: Cell) {
        var random = RandomGenerator(seed: 4)
        let x = Tensor(normal: [2, 5, 3], using: &random)
        func run() -> [Float] {
          cell.run(x, from: nil, reversed: false).outputs.elements(as: Float.self)
        }
        func trained(_ seed: UInt64) -> [Float] {
          var random = RandomGenerator(seed: seed)
          return withTraining(using: &random) { run() }
        }
        let plain = run()
        #expect(trained(1) != plain && trained(1) == trained(1) && trained(1) != trained(2), "\(kind)")
        #expect(run() == plain)
      }
      check(Self.cell(kind, 3, 4))
    }
  }

  /// A sequence's masks are the same at every step, those of two sequences are not; who goes step by step with them gets
  /// what the layer gives.
  @Test func variationalMasksStay() {
    let cell = Self.cell("variational", 20, 30) as! VariationalLSTMCell
    var random = RandomGenerator(seed: 4)
    let x = Tensor(normal: [2, 5, 20], using: &random)
    let same = random
    let whole = withTraining(using: &random) { cell.run(x, from: nil, reversed: false).outputs }
    random = same
    let masked = withTraining(using: &random) { cell.withMasks(batch: 2) }
    #expect(cell.inputMask == nil && cell.withMasks(batch: 2).stateMask == nil)
    let mask = masked.inputMask!
    #expect(Set(mask.elements(as: Float.self)) == [0, 1 / 0.7])
    #expect(mask.select(0).elements(as: Float.self) != mask.select(1).elements(as: Float.self))
    var state: LSTMState?
    for t in 0..<5 {
      state = masked(x.select(t, axis: 1), state)
      expectClose(state!.hidden, whole.select(t, axis: 1), 2e-6)
    }
  }

  /// The forget gate of a cell that has none stands wide open: what is remembered only grows.
  @Test func originalNeverForgets() {
    var random = RandomGenerator(seed: 1)
    let cell = OriginalLSTMCell(1, 2, using: &random)
    for (_, parameter) in cell.parameters { parameter.assign(Tensor(zeros: parameter.shape)) }
    let memory = LSTMState(hidden: Tensor(zeros: [1, 2]), cell: Tensor([[3, -2]] as [[Float]]))
    let (_, after) = cell.run(Tensor(ones: [1, 500, 1]), from: memory, reversed: false)
    #expect(after.cell.elements(as: Float.self) == [3, -2])
  }

  @Test func mistakesAreNamed() async {
    func expectMessage(_ message: String, _ result: ExitTest.Result?) {
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      #expect(text.contains(message), "\(text)")
    }
    expectMessage(
      "Recurrent<LSTMCell>: the outputs of one direction taken separately",
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var random = RandomGenerator(seed: 1)
        _ = LSTM(3, 4, using: &random).separately(Tensor(zeros: [1, 2, 3]))
      })
    expectMessage(
      "PeepholeLSTMCell: a length of 3 in 2 steps",
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var random = RandomGenerator(seed: 1)
        let layer = Recurrent(PeepholeLSTMCell(3, 4, using: &random))
        _ = layer(Tensor(zeros: [1, 2, 3]), from: nil, lengths: Tensor([3]))
      })
    expectMessage(
      "RecurrentDropoutLSTMCell: a dropout of 1.5, outside 0 to 1",
      await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
        var random = RandomGenerator(seed: 1)
        _ = RecurrentDropoutLSTMCell(3, 4, dropout: 1.5, using: &random)
      })
  }
}
