// SPDX-License-Identifier: Apache-2.0

/// How the outputs of two directions become one.
public enum DirectionMerge: String, CaseIterable, Codable, Sendable {
  /// Side by side along the last axis, first forward, then backward (Schuster and Paliwal 1997).
  case concatenated
  /// Their sum.
  case summed
  /// Their mean.
  case averaged

  /// `[batch, time, hidden]` of each direction as one tensor.
  func callAsFunction(_ forward: Tensor, _ backward: Tensor) -> Tensor {
    switch self {
    case .concatenated: Tensor.concatenate([forward, backward], axis: -1)
    case .summed: forward + backward
    case .averaged: (forward + backward) * 0.5
    }
  }

  /// The size of the merged outputs of cells of a size.
  func outputs(hidden: Int) -> Int { self == .concatenated ? 2 * hidden : hidden }
}

/// A recurrent network over whole sequences: one or more cells on top of each other, in one direction or in both.
public struct Recurrent<Cell: RecurrentCell>: Layer {
  /// The cells of one level.
  public struct Level: Module {
    /// The one that goes from the first step to the last.
    public let forward: Cell
    /// The one that goes from the last step to the first.
    public let backward: Cell?
  }

  /// The levels from the input up.
  public let layers: [Level]
  /// The rate at which, in training, elements between two levels are dropped.
  public let dropout: Double
  /// How the directions' outputs become those of their level.
  public let merging: DirectionMerge

  /// Whether each level has a cell for either direction.
  public var isBidirectional: Bool { layers[0].backward != nil }
  /// The size of an output: that of the cells, twice as large where both directions' stand side by side.
  public var outputs: Int {
    let hidden = layers[layers.count - 1].forward.hidden
    return isBidirectional ? merging.outputs(hidden: hidden) : hidden
  }

  /// A layer of one cell.
  public init(_ cell: Cell) {
    layers = [Level(forward: cell, backward: nil)]
    (dropout, merging) = (0, .concatenated)
  }

  /// Levels of cells that `cell` makes for an input of the size that it is given.
  public init(
    inputs: Int, layers count: Int = 1, isBidirectional: Bool = false,
    merging: DirectionMerge = .concatenated, dropout: Double = 0, cell: (_ inputs: Int) -> Cell
  ) {
    precondition(count > 0, "\(Self.self): \(count) layers")
    precondition(dropout >= 0 && dropout <= 1, "\(Self.self): a dropout of \(dropout), outside 0 to 1")
    var layers: [Level] = []
    var size = inputs
    for _ in 0..<count {
      let forward = cell(size)
      layers.append(Level(forward: forward, backward: isBidirectional ? cell(size) : nil))
      size = isBidirectional ? merging.outputs(hidden: forward.hidden) : forward.hidden
    }
    (self.layers, self.dropout, self.merging) = (layers, dropout, merging)
  }

  /// The outputs `[batch, time, outputs]` for an input `[batch, time, inputs]`, starting from states of zeros.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, from: nil).outputs }

  /// The outputs `[batch, time, outputs]` for an input `[batch, time, inputs]`, and the state after the last step of
  /// each cell: level by level, and in each level first forward, then backward.
  ///
  /// - Parameters:
  ///   - states: The state before the first step of each cell, in the same order; zeros when nil. To go on with a long
  ///     sequence, give the states that the stretch before ended with, `detached()` where gradients shall not reach
  ///     further back.
  ///   - lengths: The sequences' lengths, `[batch]`, of whole numbers. Steps beyond are padding: they leave the states as
  ///     they were and show zeros, and a cell that goes backward begins with each sequence's own last step. Nil where all
  ///     sequences are as long as the time axis.
  public func callAsFunction(
    _ x: Tensor, from states: [Cell.State]?, lengths: Tensor? = nil
  ) -> (outputs: Tensor, finalStates: [Cell.State]) {
    var finalStates: [Cell.State] = []
    let outputs = reported(asOne: true) {
      let last = run(x, from: states, lengths: lengths, &finalStates)
      return last.backward.map { merging(last.forward, $0) } ?? last.forward
    }
    return (outputs, finalStates)
  }

  /// The same with the outputs of the last level's directions apart, each `[batch, time, hidden]`. Traps for a layer of one
  /// direction.
  public func separately(
    _ x: Tensor, from states: [Cell.State]? = nil, lengths: Tensor? = nil
  ) -> (forward: Tensor, backward: Tensor, finalStates: [Cell.State]) {
    precondition(isBidirectional, "\(Self.self): the outputs of one direction taken separately")
    var finalStates: [Cell.State] = []
    var last: (forward: Tensor, backward: Tensor?)?
    _ = reported(asOne: true) {
      last = run(x, from: states, lengths: lengths, &finalStates)
      return last!.forward
    }
    return (last!.forward, last!.backward!, finalStates)
  }

  /// The outputs of the last level.
  private func run(
    _ x: Tensor, from states: [Cell.State]?, lengths: Tensor?, _ finalStates: inout [Cell.State]
  ) -> (forward: Tensor, backward: Tensor?) {
    let count = layers.reduce(0) { $0 + ($1.backward == nil ? 1 : 2) }
    precondition(
      states == nil || states!.count == count,
      "\(Self.self): \(states?.count ?? 0) initial states for \(count) cells")
    var outputs: (forward: Tensor, backward: Tensor?) = (x, nil)
    for (index, level) in layers.enumerated() {
      var input = outputs.backward.map { merging(outputs.forward, $0) } ?? outputs.forward
      if index > 0 { input = TrainingContext.dropped(input, rate: dropout) }
      func run(_ cell: Cell, reversed: Bool) -> Tensor {
        let (result, state) = cell.run(
          input, from: states?[finalStates.count], lengths: lengths, reversed: reversed)
        finalStates.append(state)
        return result
      }
      let forward = run(level.forward, reversed: false)
      outputs = (forward, level.backward.map { run($0, reversed: true) })
    }
    return outputs
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
    _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false,
    merging: DirectionMerge = .concatenated, dropout: Double = 0,
    activation: Activation = .tanh, bias: Bool = true, initializer: Initializer = .xavier,
    recurrentInitializer: Initializer? = nil, using generator: inout RandomGenerator
  ) {
    self.init(
      inputs: inputs, layers: layers, isBidirectional: isBidirectional, merging: merging, dropout: dropout
    ) {
      RNNCell(
        $0, hidden, activation: activation, bias: bias, initializer: initializer,
        recurrentInitializer: recurrentInitializer, using: &generator)
    }
  }
}

extension Recurrent where Cell == LSTMCell {
  /// Levels of cells with random weights; see `LSTMCell`.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false,
    merging: DirectionMerge = .concatenated, dropout: Double = 0,
    bias: Bool = true, forgetBias: Double = 1, initializer: Initializer = .glorotUniform,
    recurrentInitializer: Initializer = .orthogonal, using generator: inout RandomGenerator
  ) {
    self.init(
      inputs: inputs, layers: layers, isBidirectional: isBidirectional, merging: merging, dropout: dropout
    ) {
      LSTMCell(
        $0, hidden, bias: bias, forgetBias: forgetBias, initializer: initializer,
        recurrentInitializer: recurrentInitializer, using: &generator)
    }
  }
}

extension Recurrent where Cell == GRUCell {
  /// Levels of cells with random weights; see `GRUCell`.
  public init(
    _ inputs: Int, _ hidden: Int, layers: Int = 1, isBidirectional: Bool = false,
    merging: DirectionMerge = .concatenated, dropout: Double = 0,
    bias: Bool = true, resetGate: GRUCell.ResetGate = .afterProduct,
    initializer: Initializer = .glorotUniform, recurrentInitializer: Initializer = .orthogonal,
    using generator: inout RandomGenerator
  ) {
    self.init(
      inputs: inputs, layers: layers, isBidirectional: isBidirectional, merging: merging, dropout: dropout
    ) {
      GRUCell(
        $0, hidden, bias: bias, resetGate: resetGate, initializer: initializer,
        recurrentInitializer: recurrentInitializer, using: &generator)
    }
  }
}
