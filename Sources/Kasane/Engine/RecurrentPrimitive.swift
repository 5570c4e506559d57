// SPDX-License-Identifier: Apache-2.0

/// The cells of recurrent layers that engines know. Their gates lie side by side along the last axis of weights and
/// biases, in the order given.
public enum RecurrentPrimitive: Hashable, Sendable {
  /// The state alone, through an activation.
  case simple(Activation)
  /// i, f, g, o; see `lstm`.
  case lstm
  /// r, z, n; see `gru`.
  case gru(ResetGate)

  /// Where the reset gate of a gated recurrent unit is applied.
  public enum ResetGate: String, CaseIterable, Codable, Sendable {
    /// To the product of state and weight, as cuDNN and PyTorch do, and Keras unless told `reset_after=False`: the paper
    /// as first written (Cho et al. 2014, arXiv 1406.1078v1).
    case afterProduct
    /// To the state itself, before the product: the paper as published (arXiv 1406.1078v3), and Chung et al. (2014).
    case beforeProduct
  }

  /// How many gates there are.
  public var gateCount: Int {
    switch self {
    case .simple: 1
    case .lstm: 4
    case .gru: 3
    }
  }

  /// A number for each case, by which the tape keeps it.
  var code: Int {
    switch self {
    case .lstm: 0
    case .gru(.afterProduct): 1
    case .gru(.beforeProduct): 2
    case .simple(let activation): 3 + Activation.allCases.firstIndex(of: activation)!
    }
  }

  init(code: Int) {
    switch code {
    case 0: self = .lstm
    case 1: self = .gru(.afterProduct)
    case 2: self = .gru(.beforeProduct)
    default: self = .simple(Activation.allCases[code - 3])
    }
  }
}

/// A recurrent layer over whole sequences; see `recurrent`, `lstm` and `gru`.
public struct RecurrentCall {
  let cell: RecurrentPrimitive
  /// `[batch, time, inputs]`. Of bfloat16 among weights of float32, it asks for the products over all steps in bfloat16,
  /// with float32 sums and results, and allows it for those of the states.
  var x: Tensor
  /// `[inputs, gates * hidden]`.
  let inputWeight: Tensor
  /// `[hidden, gates * hidden]`.
  let recurrentWeight: Tensor
  /// `[gates * hidden]`.
  var bias: Tensor?
  /// `[gates * hidden]`, added to the state's product; only of `.gru(.afterProduct)`.
  var recurrentBias: Tensor?
  /// `[batch, hidden]`, zero when nil.
  var initialState: Tensor?
  /// `[batch, hidden]`, zero when nil; only of `.lstm`.
  var initialCell: Tensor?
  /// `[batch]`, int64, contiguous, from 0 to time: steps beyond a sequence's length are padding. Nil where there is none.
  var lengths: Tensor?
  /// Whether a sequence's last step comes first.
  var isReversed = false

  /// The size of a state.
  var hidden: Int { recurrentWeight.shape[0] }
  /// Whether nothing asks for more than a simple layer's outputs.
  var isPlain: Bool {
    if case .simple = cell { return lengths == nil && !isReversed && recurrentBias == nil }
    return false
  }
}

/// What a recurrent layer gives.
public struct RecurrentResult {
  /// The states of all steps, `[batch, time, hidden]`, zero in the padding.
  var outputs: Tensor
  /// The state after each sequence's last step, `[batch, hidden]`, where it was asked for.
  var finalState: Tensor?
  /// The same of what an LSTM remembers.
  var finalCell: Tensor?
  /// What the engine wants to see again in the backward pass.
  var gates: Tensor?
  /// The same.
  var cells: Tensor?
}

/// The gradients by what a recurrent layer gave; nil stands for zeros.
public struct RecurrentResultGradients {
  var outputs: Tensor?
  var finalState: Tensor?
  var finalCell: Tensor?
}

/// Which gradients of a recurrent layer somebody wants.
public struct RecurrentWishes: OptionSet, Sendable {
  /// A bit for each wish.
  public let rawValue: Int
  /// The wishes of these bits.
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// That of x.
  static let input = RecurrentWishes(rawValue: 1)
  /// Those of weights and biases.
  static let weights = RecurrentWishes(rawValue: 2)
  /// Those of initial states.
  static let initialStates = RecurrentWishes(rawValue: 4)
}

/// The gradients of a recurrent layer by its inputs, where they were wanted, all of the weights' type.
public struct RecurrentGradients {
  var x: Tensor?
  var inputWeight: Tensor?
  var recurrentWeight: Tensor?
  var bias: Tensor?
  var recurrentBias: Tensor?
  var initialState: Tensor?
  var initialCell: Tensor?
}

extension Engine {
  /// False: the layer is composed from plain operations.
  public func hasFusedRecurrent(for cell: RecurrentPrimitive, dtype: DType) -> Bool { false }
  /// Never called while `hasFusedRecurrent` is false.
  public func recurrent(_ call: RecurrentCall, forGradient: Bool, withFinalStates: Bool) -> RecurrentResult {
    fatalError("\(self): no recurrent primitive")
  }
  /// Never called while `hasFusedRecurrent` is false.
  public func recurrentGradient(
    _ call: RecurrentCall, _ result: RecurrentResult, _ gradients: RecurrentResultGradients,
    wanted: RecurrentWishes
  ) -> RecurrentGradients { fatalError("\(self): no recurrent primitive") }
}
