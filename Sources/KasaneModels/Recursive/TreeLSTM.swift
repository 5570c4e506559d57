// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// The binary Tree-LSTM (Tai, Socher and Manning 2015, equations 9 to 14, for two children): a gate for each part of a
/// phrase says how much of what it remembers is kept. With x a word's vector, l and r the parts' vectors:
///
///     i = sigmoid(x W_i + l U_il + r U_ir + b_i)          what is let in
///     o = sigmoid(x W_o + l U_ol + r U_or + b_o)          what is shown
///     f_k = sigmoid(l U_kl + r U_kr + b_k)                what is kept of part k
///     u = tanh(x W_u + l U_ul + r U_ur + b_u)             what there is to let in
///     c = i * u + f_l * c_l + f_r * c_r
///     h = o * tanh(c)
///
/// Words have no parts, phrases no x.
public struct BinaryTreeLSTM: TreeEncoder {
  /// W, `[inputs, 3 * hidden]`, for i, o and u.
  public let inputWeight: Parameter
  /// U, `[2 * hidden, 5 * hidden]`: the left part's rows above the right one's, for i, o, f_l, f_r and u.
  public let childWeight: Parameter
  /// b, `[5 * hidden]`, for i, o, f_l, f_r and u.
  public let bias: Parameter

  /// A network with random weights that begins with keeping: the biases of f are 1.
  public init(_ inputs: Int, _ hidden: Int, using generator: inout RandomGenerator) {
    inputWeight = Parameter(gates(3, inputs, hidden, using: &generator))
    childWeight = Parameter(gates(5, 2 * hidden, hidden, using: &generator))
    bias = Parameter(
      Tensor.concatenate([
        Tensor(zeros: [2 * hidden]), Tensor(ones: [2 * hidden]), Tensor(zeros: [hidden]),
      ]))
  }

  /// The size of a word's vector.
  public var inputs: Int { inputWeight.shape[0] }
  /// The size of a phrase's vector.
  public var hidden: Int { inputWeight.shape[1] / 3 }

  /// The vectors of all nodes.
  public func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    let size = hidden
    let bias = bias.value
    let leaf = leafState(
      matmul(words, inputWeight.value), bias.sliced(0..<2 * size, axis: 0),
      bias.sliced(4 * size..<5 * size, axis: 0), size)
    return trees.states(leaves: leaf) { children in
      let gates = matmul(pairs(children[0]), childWeight.value) + bias
      let open = sigmoid(gates.sliced(0..<4 * size, axis: 1))
      let new = tanh(gates.sliced(4 * size..<5 * size, axis: 1))
      let kept = open.sliced(2 * size..<4 * size, axis: 1) * pairs(children[1])
      return state(open, new, kept, size)
    }[0]
  }
}

/// The child-sum Tree-LSTM (Tai, Socher and Manning 2015, equations 2 to 8): the parts of a phrase count alike, whatever
/// their order. With x a word's vector, h the sum of the parts' vectors h_k:
///
///     i = sigmoid(x W_i + h U_i + b_i)        what is let in
///     o = sigmoid(x W_o + h U_o + b_o)        what is shown
///     u = tanh(x W_u + h U_u + b_u)           what there is to let in
///     f_k = sigmoid(h_k U_f + b_f)            what is kept of part k
///     c = i * u + sum of f_k * c_k
///     h = o * tanh(c)
///
/// Words have no parts, phrases no x.
public struct ChildSumTreeLSTM: TreeEncoder {
  /// W, `[inputs, 3 * hidden]`, for i, o and u.
  public let inputWeight: Parameter
  /// U, `[hidden, 3 * hidden]`, for i, o and u.
  public let childWeight: Parameter
  /// U_f, `[hidden, hidden]`.
  public let forgetWeight: Parameter
  /// b, `[3 * hidden]`, for i, o and u.
  public let bias: Parameter
  /// b_f, `[hidden]`.
  public let forgetBias: Parameter

  /// A network with random weights that begins with keeping: the bias of f is 1.
  public init(_ inputs: Int, _ hidden: Int, using generator: inout RandomGenerator) {
    inputWeight = Parameter(gates(3, inputs, hidden, using: &generator))
    childWeight = Parameter(gates(3, hidden, hidden, using: &generator))
    forgetWeight = Parameter(gates(1, hidden, hidden, using: &generator))
    bias = Parameter(Tensor(zeros: [3 * hidden]))
    forgetBias = Parameter(Tensor(ones: [hidden]))
  }

  /// The size of a word's vector.
  public var inputs: Int { inputWeight.shape[0] }
  /// The size of a phrase's vector.
  public var hidden: Int { inputWeight.shape[1] / 3 }

  /// The vectors of all nodes.
  public func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    let size = hidden
    let bias = bias.value
    let leaf = leafState(
      matmul(words, inputWeight.value), bias.sliced(0..<2 * size, axis: 0),
      bias.sliced(2 * size..<3 * size, axis: 0), size)
    return trees.states(leaves: leaf) { children in
      let both = pairs(children[0])
      let sum = both.sliced(0..<size, axis: 1) + both.sliced(size..<2 * size, axis: 1)
      let gates = matmul(sum, childWeight.value) + bias
      let open = sigmoid(gates.sliced(0..<2 * size, axis: 1))
      let new = tanh(gates.sliced(2 * size..<3 * size, axis: 1))
      let keep = sigmoid(matmul(children[0], forgetWeight.value) + forgetBias.value)
      return state(open, new, pairs(keep * children[1]), size)
    }[0]
  }
}

/// h and c of words, from x W for i, o and u.
private func leafState(_ product: Tensor, _ gateBias: Tensor, _ newBias: Tensor, _ size: Int) -> [Tensor] {
  let open = sigmoid(product.sliced(0..<2 * size, axis: 1) + gateBias)
  let new = tanh(product.sliced(2 * size..<3 * size, axis: 1) + newBias)
  let cell = open.sliced(0..<size, axis: 1) * new
  return [open.sliced(size..<2 * size, axis: 1) * tanh(cell), cell]
}

/// h and c of phrases, from i and o, u, and what is kept of both parts.
private func state(_ open: Tensor, _ new: Tensor, _ kept: Tensor, _ size: Int) -> [Tensor] {
  let keptOfBoth = kept.sliced(0..<size, axis: 1) + kept.sliced(size..<2 * size, axis: 1)
  let cell = open.sliced(0..<size, axis: 1) * new + keptOfBoth
  return [open.sliced(size..<2 * size, axis: 1) * tanh(cell), cell]
}

/// Weights of several gates side by side, each drawn for its own size.
private func gates(
  _ count: Int, _ inputs: Int, _ hidden: Int, using generator: inout RandomGenerator
) -> Tensor {
  Tensor.concatenate(
    (0..<count).map { _ in Initializer.glorotUniform(inputs, hidden, using: &generator) }, axis: 1)
}
