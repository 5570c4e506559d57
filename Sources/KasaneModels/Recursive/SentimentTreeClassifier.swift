// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A recursive network over words that says of every phrase of a tree which class it is in (Socher et al. 2013).
public struct SentimentTreeClassifier: Module {
  /// The words' vectors.
  public let embedding: Embedding
  /// What makes phrases of words.
  public let encoder: any TreeEncoder
  /// From a phrase's vector to its class.
  public let output: Linear
  /// In training, elements of words' and phrases' vectors are dropped at this rate.
  public let dropout: Dropout

  /// A classifier of phrases over the given vectors of words, `[words, encoder.inputs]`.
  public init(
    words: Tensor, encoder: any TreeEncoder, classCount: Int, dropout: Double,
    using generator: inout RandomGenerator
  ) {
    precondition(
      words.rank == 2 && words.shape[1] == encoder.inputs,
      "SentimentTreeClassifier: vectors of shape \(words.shape) for inputs of \(encoder.inputs)")
    embedding = Embedding(words.shape[0], words.shape[1], initializer: .zeros, using: &generator)
    embedding.weight.assign(words)
    self.encoder = encoder
    output = Linear(encoder.hidden, classCount, initializer: .glorotUniform, using: &generator)
    self.dropout = Dropout(dropout)
  }

  /// The logits `[nodes, classes]` of all nodes in the order of `trees.rows`, from the numbers of the words, `[leaves]`.
  public func callAsFunction(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    output(dropout(vectors(words, trees)))
  }

  /// The vectors `[nodes, hidden]` of all nodes in the order of `trees.rows`, from the numbers of the words, `[leaves]`.
  public func vectors(_ words: Tensor, _ trees: TreeBatch) -> Tensor {
    encoder(dropout(embedding(words)), trees)
  }
}
