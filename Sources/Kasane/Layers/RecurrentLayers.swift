// SPDX-License-Identifier: Apache-2.0

/// A recurrent network over whole sequences: one or more cells on top of each other, in one direction or in both.
public struct Recurrent<Cell: RecurrentCell>: Layer {
  /// The cells of one level.
  public struct Level: Module {
    /// The one that goes from the first step to the last.
    public let forward: Cell
    /// The one that goes from the last step to the first; its outputs stand behind the other's along the last axis.
    public let backward: Cell?
  }

  /// The levels from the input up.
  public let layers: [Level]
  /// The rate at which, in training, elements between two levels are dropped.
  public let dropout: Double

  /// The size of an output: that of the cells, twice as large in both directions.
  public var outputs: Int {
    let last = layers[layers.count - 1]
    return last.forward.hidden + (last.backward?.hidden ?? 0)
  }

  /// A layer of one cell.
  public init(_ cell: Cell) {
    layers = [Level(forward: cell, backward: nil)]
    dropout = 0
  }

  /// Levels of cells that `cell` makes for an input of the size that it is given.
  public init(
    inputs: Int, layers count: Int, isBidirectional: Bool, dropout: Double, cell: (_ inputs: Int) -> Cell
  ) {
    precondition(count > 0, "\(Self.self): \(count) layers")
    precondition(dropout >= 0 && dropout <= 1, "\(Self.self): a dropout of \(dropout), outside 0 to 1")
    var layers: [Level] = []
    var size = inputs
    for _ in 0..<count {
      let forward = cell(size)
      let backward = isBidirectional ? cell(size) : nil
      size = forward.hidden + (backward?.hidden ?? 0)
      layers.append(Level(forward: forward, backward: backward))
    }
    (self.layers, self.dropout) = (layers, dropout)
  }

  /// The outputs `[batch, time, outputs]` for an input `[batch, time, inputs]`, starting from states of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, from: nil).outputs }

  /// The outputs `[batch, time, outputs]` for an input `[batch, time, inputs]`, and the state after the last step of
  /// each cell: level by level, and in each level first forward, then backward.
  ///
  /// - Parameters:
  ///   - states: The state before the first step of each cell, in the same order; zeros when nil.
  ///   - lengths: The sequences' lengths, `[batch]`, of whole numbers. Steps beyond are padding: they leave the states as
  ///     they were and show zeros, and a cell that goes backward begins with each sequence's own last step. Nil where all
  ///     sequences are as long as the time axis.
  public func callAsFunction(
    _ x: Tensor, from states: [Cell.State]?, lengths: Tensor? = nil
  ) -> (outputs: Tensor, finalStates: [Cell.State]) {
    let count = layers.reduce(0) { $0 + ($1.backward == nil ? 1 : 2) }
    precondition(
      states == nil || states!.count == count,
      "\(Self.self): \(states?.count ?? 0) initial states for \(count) cells")
    var finalStates: [Cell.State] = []
    let outputs = reported(asOne: true) {
      var outputs = x
      for (index, level) in layers.enumerated() {
        if index > 0 { outputs = TrainingContext.dropped(outputs, rate: dropout) }
        func run(_ cell: Cell, reversed: Bool) -> Tensor {
          let (result, state) = cell.run(
            outputs, from: states?[finalStates.count], lengths: lengths, reversed: reversed)
          finalStates.append(state)
          return result
        }
        let forward = run(level.forward, reversed: false)
        guard let backward = level.backward else {
          outputs = forward
          continue
        }
        outputs = Tensor.concatenate([forward, run(backward, reversed: true)], axis: -1)
      }
      return outputs
    }
    return (outputs, finalStates)
  }
}

/// A simple recurrent network over whole sequences, each cell's steps computed by one primitive of the engine.
public typealias RNN = Recurrent<RNNCell>
/// A network of long short-term memory over whole sequences.
public typealias LSTM = Recurrent<LSTMCell>
/// A network of gated recurrent units over whole sequences.
public typealias GRU = Recurrent<GRUCell>

extension Recurrent where Cell == RNNCell {
  /// Levels of cells with random weights; see `RNNCell`.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false, dropout: Double = 0,
    activation: Activation = .tanh, bias: Bool = true, initializer: Initializer = .xavier,
    recurrentInitializer: Initializer? = nil, using generator: inout RandomGenerator
  ) {
    self.init(inputs: inputs, layers: layers, isBidirectional: isBidirectional, dropout: dropout) {
      RNNCell(
        $0, hidden, activation: activation, bias: bias, initializer: initializer,
        recurrentInitializer: recurrentInitializer, using: &generator)
    }
  }
}

extension Recurrent where Cell == LSTMCell {
  /// Levels of cells with random weights; see `LSTMCell`.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false, dropout: Double = 0,
    bias: Bool = true, forgetBias: Double = 1, initializer: Initializer = .glorotUniform,
    recurrentInitializer: Initializer = .orthogonal, using generator: inout RandomGenerator
  ) {
    self.init(inputs: inputs, layers: layers, isBidirectional: isBidirectional, dropout: dropout) {
      LSTMCell(
        $0, hidden, bias: bias, forgetBias: forgetBias, initializer: initializer,
        recurrentInitializer: recurrentInitializer, using: &generator)
    }
  }
}

extension Recurrent where Cell == GRUCell {
  /// Levels of cells with random weights; see `GRUCell`.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false, dropout: Double = 0,
    bias: Bool = true, resetGate: GRUCell.ResetGate = .afterProduct,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    self.init(inputs: inputs, layers: layers, isBidirectional: isBidirectional, dropout: dropout) {
      GRUCell(
        $0, hidden, bias: bias, resetGate: resetGate, initializer: initializer,
        recurrentInitializer: recurrentInitializer, using: &generator)
    }
  }
}
