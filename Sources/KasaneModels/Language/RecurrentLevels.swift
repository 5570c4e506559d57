// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A kind of recurrent cell.
public enum RecurrentKind: String, CaseIterable, Codable, Sendable {
  /// The simple recurrent network of Elman (1990).
  case rnn
  /// Long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000).
  case lstm
  /// Gated recurrent units (Cho et al. 2014).
  case gru

  /// Levels of such cells, forward in time, whose weights are drawn as PyTorch draws them: even within
  /// 1 / sqrt(hidden) of zero. Biases begin as zeros, those of forget gates as ones.
  public func levels(
    inputs: Int, hidden: Int, layers: Int = 1, dropout: Double = 0, isBidirectional: Bool = false,
    using generator: inout RandomGenerator
  ) -> any RecurrentLevels {
    let drawn = Initializer.uniform(bound: 1 / Double(hidden).squareRoot())
    switch self {
    case .rnn:
      return RNN(
        inputs, hidden, layers: layers, isBidirectional: isBidirectional, dropout: dropout,
        initializer: drawn,
        recurrentInitializer: drawn, using: &generator)
    case .lstm:
      return LSTM(
        inputs, hidden, layers: layers, isBidirectional: isBidirectional, dropout: dropout,
        initializer: drawn,
        recurrentInitializer: drawn, using: &generator)
    case .gru:
      return GRU(
        inputs, hidden, layers: layers, isBidirectional: isBidirectional, dropout: dropout,
        initializer: drawn,
        recurrentInitializer: drawn, using: &generator)
    }
  }
}

extension RecurrentKind {
  /// A cell of which weights are drawn as `levels` draws them.
  func cell(inputs: Int, hidden: Int, using generator: inout RandomGenerator) -> any GatedCell {
    let drawn = Initializer.uniform(bound: 1 / Double(hidden).squareRoot())
    return switch self {
    case .rnn:
      RNNCell(inputs, hidden, initializer: drawn, recurrentInitializer: drawn, using: &generator)
    case .lstm:
      LSTMCell(inputs, hidden, initializer: drawn, recurrentInitializer: drawn, using: &generator)
    case .gru:
      GRUCell(inputs, hidden, initializer: drawn, recurrentInitializer: drawn, using: &generator)
    }
  }
}

/// Levels of recurrent cells of whatever kind; what they hand on from step to step is a row of tensors.
public protocol RecurrentLevels: Module {
  /// The size of an output.
  var outputs: Int { get }
  /// The outputs `[batch, time, outputs]` for an input `[batch, time, inputs]`, and the states `[batch, hidden]` after
  /// the last step; those before the first are zeros when nil. Steps beyond the lengths `[batch]` are padding.
  func run(
    _ x: Tensor, from states: [Tensor]?, lengths: Tensor?
  ) -> (outputs: Tensor, finalStates: [Tensor])
}

extension RecurrentLevels {
  /// The same for sequences that are all as long as the time axis.
  public func run(_ x: Tensor, from states: [Tensor]?) -> (outputs: Tensor, finalStates: [Tensor]) {
    run(x, from: states, lengths: nil)
  }
}

/// A step of cells of whatever kind, of which the state is a row of tensors, `[batch, hidden]` each.
extension RecurrentCell {
  /// The state after a step, from the projected input and the state before.
  func advance(_ projected: Tensor, _ state: [Tensor]) -> [Tensor] {
    Self.tensors(of: step(projected, Self.state(of: state[...])))
  }

  /// The outputs `[batch, time, hidden]` of all steps.
  func all(_ x: Tensor, from state: [Tensor]) -> Tensor {
    run(x, from: Self.state(of: state[...]), lengths: nil, reversed: false).outputs
  }
}

extension Recurrent: RecurrentLevels {
  /// All steps; see `callAsFunction`.
  public func run(
    _ x: Tensor, from states: [Tensor]?, lengths: Tensor?
  ) -> (outputs: Tensor, finalStates: [Tensor]) {
    let size = Cell.tensorsPerState
    let given = states.map { states in
      stride(from: 0, to: states.count, by: size).map { Cell.state(of: states[$0..<$0 + size]) }
    }
    let (outputs, finalStates) = self(x, from: given, lengths: lengths)
    return (outputs, finalStates.flatMap(Cell.tensors))
  }
}
