// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// The recursive matrix-vector network (MV-RNN; Socher, Huval, Manning and Ng 2012, equations 2 and 3): words and phrases
/// have a vector, for what they mean, and a matrix, for what they do to what they stand beside. With a and A those of the
/// left part, b and B those of the right one:
///
///     p = tanh(W [B a; A b] + c)
///     P = W_M [A; B]
///
/// A word's matrix is a diagonal and a product of few columns by as many rows, `A = U V + diag(d)` (section 2.6), so that a
/// word's numbers are its vector, d, U and V, one after another.
public struct MatrixVectorNetwork: TreeEncoder {
  /// W, transposed: what the left part's vector becomes above what the right one's does, `[2 * size, size]`.
  public let weight: Parameter
  /// c, `[size]`.
  public let bias: Parameter
  /// W_M, transposed: the left part's matrix above the right one's, `[2 * size, size]`.
  public let matrixWeight: Parameter
  /// How many columns U and rows V have.
  public let rank: Int

  /// A network that begins, but for small random numbers, with the mean of a phrase's parts.
  public init(_ size: Int, rank: Int, using generator: inout RandomGenerator) {
    precondition(rank >= 0, "MatrixVectorNetwork: a rank of \(rank)")
    weight = Parameter(halves(size, using: &generator))
    bias = Parameter(Tensor(zeros: [size]))
    matrixWeight = Parameter(halves(size, using: &generator))
    self.rank = rank
  }

  /// The size of a word's numbers: its vector, and the parts of its matrix.
  public var inputs: Int { hidden * (2 + 2 * rank) }
  /// The size of a phrase's vector.
  public var hidden: Int { bias.shape[0] }

  /// Words' numbers `[count, inputs]`, from vectors `[count, size]`: their matrices are the identity but for small random
  /// numbers.
  public func words(with vectors: Tensor, using generator: inout RandomGenerator) -> Tensor {
    let noise = Tensor(
      normal: [vectors.shape[0], inputs - hidden], standardDeviation: 0.1, using: &generator)
    let ones = noise.sliced(0..<hidden, axis: 1) + 1
    return Tensor.concatenate(
      [vectors, ones, noise.sliced(hidden..<inputs - hidden, axis: 1)], axis: 1)
  }

  /// The vectors of all nodes.
  public func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    let size = hidden
    // Vectors are rows here, so that matrices are kept transposed: what is A b above is b A.
    return trees.states(leaves: [words.sliced(0..<size, axis: 1), matrices(of: words)]) { children in
      let count = children[0].shape[0] / 2
      let vectors = children[0].reshaped(to: [count, 2, size])
      let matrices = children[1].reshaped(to: [2 * count, size, size])
      // Each vector meets the other part's matrix.
      let met = matmul(vectors.flipped(axes: [1]).reshaped(to: [2 * count, 1, size]), matrices)
      let parts = met.reshaped(to: [count, 2, size]).flipped(axes: [1]).reshaped(to: [count, 2 * size])
      // Row by row, the left part's beside the right one's.
      let rows = matrices.reshaped(to: [count, 2, size, size]).permuted([0, 2, 1, 3])
      return [
        tanh(matmul(parts, weight.value) + bias.value),
        matmul(rows.reshaped(to: [count * size, 2 * size]), matrixWeight.value)
          .reshaped(to: [count, size * size]),
      ]
    }[0]
  }

  /// The matrices of words, transposed and flat, `[leaves, size * size]`.
  private func matrices(of words: Tensor) -> Tensor {
    let (count, size) = (words.shape[0], hidden)
    let diagonal = words.sliced(size..<2 * size, axis: 1).reshaped(to: [count, 1, size])
    var result = Tensor.eye(size) * diagonal
    if rank > 0 {
      let middle = (2 + rank) * size
      let columns = words.sliced(2 * size..<middle, axis: 1).reshaped(to: [count, size, rank])
      let rows = words.sliced(middle..<inputs, axis: 1).reshaped(to: [count, rank, size])
      // (U V) transposed.
      result = result + matmul(rows.permuted([0, 2, 1]), columns.permuted([0, 2, 1]))
    }
    return result.reshaped(to: [count, size * size])
  }
}
