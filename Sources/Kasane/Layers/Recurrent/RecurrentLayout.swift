// SPDX-License-Identifier: Apache-2.0

/// How another library names and lays out the weights of recurrent layers.
///
/// | | PyTorch | Keras |
/// | --- | --- | --- |
/// | W, `[inputs, gates * hidden]` | `weight_ih_l0`, transposed | `lstm/lstm_cell/kernel` |
/// | U, `[hidden, gates * hidden]` | `weight_hh_l0`, transposed | `lstm/lstm_cell/recurrent_kernel` |
/// | b, `[gates * hidden]` | `bias_ih_l0` + `bias_hh_l0` | `lstm/lstm_cell/bias` |
/// | b and c of a GRU | `bias_ih_l0`, `bias_hh_l0` | the two rows of `gru/gru_cell/bias` |
/// | another level | `weight_ih_l1` | another layer, `lstm_1/lstm_cell/kernel` |
/// | backward | `weight_ih_l0_reverse` | `bidirectional/backward_lstm/lstm_cell/kernel` |
/// | gates of an LSTM: i, f, g, o | i, f, g, o | i, f, c, o |
/// | gates of a GRU: r, z, n | r, z, n | z, r, h |
public enum RecurrentLayout: Sendable {
  /// That of `torch.nn.RNN`, `LSTM` and `GRU`, and of their cells.
  case pyTorch
  /// That of the variables' paths in Keras 3, where each level is a layer: the names of those layers from the input up, or
  /// where none are given, those by which Keras calls the first of their kind: `lstm`, `lstm_1` and so on, or
  /// `bidirectional`, `bidirectional_1`.
  case keras(layers: [String] = [])
}

/// A cell that PyTorch and Keras have too, so that its weights can be exchanged with theirs.
public protocol ExchangeableCell: GatedCell {
  /// What is added to the product of state and weight, where the cell has such a bias apart, `[gates * hidden]`.
  var recurrentBias: Parameter? { get }
  /// Keras's name of a layer of such cells.
  static var kerasName: String { get }
  /// Which of this library's gates Keras has at each place.
  static var kerasGates: [Int] { get }
  /// Why PyTorch has no such cell, or nil where it has.
  var pyTorchLack: String? { get }
}

extension ExchangeableCell {
  /// Nil.
  public var recurrentBias: Parameter? { nil }
  /// Nil.
  public var pyTorchLack: String? { nil }
}

extension RNNCell: ExchangeableCell {
  /// `simple_rnn`.
  public static var kerasName: String { "simple_rnn" }
  /// The only one.
  public static var kerasGates: [Int] { [0] }
}

extension LSTMCell: ExchangeableCell {
  /// `lstm`.
  public static var kerasName: String { "lstm" }
  /// i, f, g, o.
  public static var kerasGates: [Int] { [0, 1, 2, 3] }
}

extension GRUCell: ExchangeableCell {
  /// `gru`.
  public static var kerasName: String { "gru" }
  /// z, r, n.
  public static var kerasGates: [Int] { [1, 0, 2] }
  /// A reset gate before the product.
  public var pyTorchLack: String? {
    resetGate == .afterProduct ? nil : "PyTorch has no GRU whose reset gate comes before the product"
  }
}

// MARK: One cell's tensors

/// Another library's tensors of one cell, each by the end of its name.
enum CellLayout {
  case pyTorch, keras

  /// The ends of the names of all tensors that a cell may have.
  var ends: [String] {
    switch self {
    case .pyTorch: ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    case .keras: ["kernel", "recurrent_kernel", "bias"]
    }
  }

  /// The cell's weights as the other library has them.
  func exported<Cell: ExchangeableCell>(_ cell: Cell) throws -> [String: Tensor] {
    let (input, recurrent) = (cell.inputWeight.storage, cell.recurrentWeight.storage)
    let (bias, recurrentBias) = (cell.bias?.storage, cell.recurrentBias?.storage)
    var result: [String: Tensor] = [:]
    switch self {
    case .pyTorch:
      if let lack = cell.pyTorchLack { throw KasaneError(lack) }
      result["weight_ih"] = input.transposed()
      result["weight_hh"] = recurrent.transposed()
      result["bias_ih"] = bias
      result["bias_hh"] = bias.map { recurrentBias ?? Tensor(zeros: $0.shape, dtype: $0.dtype) }
    case .keras:
      let order = Cell.kerasGates
      result["kernel"] = input.withGates(order)
      result["recurrent_kernel"] = recurrent.withGates(order)
      let biases = recurrentBias.map { Tensor.stack([bias!, $0]) } ?? bias
      result["bias"] = biases?.withGates(order)
    }
    return result.mapValues { $0.contiguous() }
  }

  /// Gives the cell weights of the names, shapes and type that `exported` gives.
  func assign<Cell: ExchangeableCell>(_ tensors: [String: Tensor], to cell: Cell) {
    func set(_ parameter: Parameter?, _ value: @autoclosure () -> Tensor) {
      if let parameter { parameter.assign(value()) }
    }
    switch self {
    case .pyTorch:
      set(cell.inputWeight, tensors["weight_ih"]!.transposed())
      set(cell.recurrentWeight, tensors["weight_hh"]!.transposed())
      let (bias, recurrentBias) = (tensors["bias_ih"], tensors["bias_hh"])
      if cell.recurrentBias == nil {
        set(cell.bias, bias! + recurrentBias!)
      } else {
        set(cell.bias, bias!)
        set(cell.recurrentBias, recurrentBias!)
      }
    case .keras:
      // Where each of this library's gates lies.
      let order = Cell.kerasGates.indices.map { Cell.kerasGates.firstIndex(of: $0)! }
      set(cell.inputWeight, tensors["kernel"]!.withGates(order))
      set(cell.recurrentWeight, tensors["recurrent_kernel"]!.withGates(order))
      let biases = tensors["bias"]?.withGates(order)
      set(cell.bias, cell.recurrentBias == nil ? biases! : biases!.select(0))
      set(cell.recurrentBias, biases!.select(1))
    }
  }
}

extension Tensor {
  /// The gates along the last axis in another order.
  fileprivate func withGates(_ order: [Int]) -> Tensor {
    let gates = split(into: order.count, axis: -1)
    return Tensor.concatenate(order.map { gates[$0] }, axis: -1)
  }
}
