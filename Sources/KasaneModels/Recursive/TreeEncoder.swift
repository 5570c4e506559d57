// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A recursive network: it makes the vector of a phrase from those of its two parts, up to whole sentences.
public protocol TreeEncoder: Module {
  /// The size of a word's vector.
  var inputs: Int { get }
  /// The size of a phrase's vector.
  var hidden: Int { get }

  /// The vectors of all nodes, `[nodes, hidden]` in the order of `trees.rows`, from those of the words, `[leaves, inputs]`.
  func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor
}

/// The recursive neural network (Socher et al. 2011): a phrase is `p = tanh(l W_l + r W_r + b)`, l and r being its
/// parts, and a word is its vector.
public struct RecursiveNetwork: TreeEncoder {
  /// W_l above W_r, `[2 * size, size]`.
  public let weight: Parameter
  /// b, `[size]`.
  public let bias: Parameter

  /// A network that begins, but for small random numbers, with the mean of a phrase's parts.
  public init(_ size: Int, using generator: inout RandomGenerator) {
    weight = Parameter(halves(size, using: &generator))
    bias = Parameter(Tensor(zeros: [size]))
  }

  /// The size of a word's vector.
  public var inputs: Int { weight.shape[1] }
  /// The size of a phrase's vector.
  public var hidden: Int { weight.shape[1] }

  /// The vectors of all nodes.
  public func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    trees.states(leaves: [words]) { children in
      [tanh(matmul(pairs(children[0]), weight.value) + bias.value)]
    }[0]
  }
}

/// The recursive neural tensor network (Socher et al. 2013): the parts of a phrase also meet in products. With x for
/// l and r side by side, `p_k = tanh(x V_k x^T + (x W + b)_k)`.
public struct RecursiveTensorNetwork: TreeEncoder {
  /// V, `[size, 2 * size, 2 * size]`: one matrix for each number of a vector.
  public let tensor: Parameter
  /// W, `[2 * size, size]`.
  public let weight: Parameter
  /// b, `[size]`.
  public let bias: Parameter

  /// A network that begins, but for small random numbers, with the mean of a phrase's parts.
  public init(_ size: Int, using generator: inout RandomGenerator) {
    let bound = 1 / Double(4 * size)
    tensor = Parameter(
      Tensor(uniform: [size, 2 * size, 2 * size], from: -bound, to: bound, using: &generator))
    weight = Parameter(halves(size, using: &generator))
    bias = Parameter(Tensor(zeros: [size]))
  }

  /// The size of a word's vector.
  public var inputs: Int { weight.shape[1] }
  /// The size of a phrase's vector.
  public var hidden: Int { weight.shape[1] }

  /// The vectors of all nodes.
  public func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    let size = hidden
    // [2 size, size * 2 size]: one product makes x V_k of all k.
    let flat = tensor.value.permuted([1, 0, 2]).reshaped(to: [2 * size, 2 * size * size])
    return trees.states(leaves: [words]) { children in
      let x = pairs(children[0])
      let count = x.shape[0]
      let products = matmul(x, flat).reshaped(to: [count, size, 2 * size])
      let meetings = matmul(products, x.reshaped(to: [count, 2 * size, 1])).reshaped(to: [count, size])
      return [tanh(meetings + matmul(x, weight.value) + bias.value)]
    }[0]
  }
}

/// The left and the right child of each phrase side by side, `[phrases, 2 * features]`, from both in turns.
func pairs(_ children: Tensor) -> Tensor {
  children.reshaped(to: [children.shape[0] / 2, 2 * children.shape[1]])
}

/// Half of each of two vectors, and some noise.
func halves(_ size: Int, using generator: inout RandomGenerator) -> Tensor {
  let bound = 0.25 / (2 * Double(size)).squareRoot()
  let half = 0.5 * Tensor.eye(size)
  return Tensor.concatenate([half, half])
    + Tensor(uniform: [2 * size, size], from: -bound, to: bound, using: &generator)
}
