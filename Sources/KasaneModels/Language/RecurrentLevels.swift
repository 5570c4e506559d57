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

/// Levels of recurrent cells of whatever kind; what they hand on from step to step is a row of tensors.
public protocol RecurrentLevels: Module {
  /// The size of an output.
  var outputs: Int { get }
  /// The outputs `[batch, time, outputs]` for an input `[batch, time, inputs]`, and the states `[batch, hidden]` after
  /// the last step; those before the first are zeros when nil.
  func run(_ x: Tensor, from states: [Tensor]?) -> (outputs: Tensor, finalStates: [Tensor])
}

extension Recurrent: RecurrentLevels {
  /// All steps; see `callAsFunction`.
  public func run(_ x: Tensor, from states: [Tensor]?) -> (outputs: Tensor, finalStates: [Tensor]) {
    let size = Cell.tensorsPerState
    let given = states.map { states in
      stride(from: 0, to: states.count, by: size).map { Cell.state(of: states[$0..<$0 + size]) }
    }
    let (outputs, finalStates) = self(x, from: given)
    return (outputs, finalStates.flatMap(Cell.tensors))
  }
}
