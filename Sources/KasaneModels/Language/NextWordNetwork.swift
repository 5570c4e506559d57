// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A small recurrent network that reads some words and says what the next may be.
public struct NextWordNetwork: Layer {
  /// A vector for each word.
  public let embedding: Embedding
  /// What reads them.
  public let recurrent: any RecurrentLevels
  /// From the last state to the words.
  public let output: Linear

  /// A network with random weights, drawn as PyTorch draws them.
  public init(
    words: Int, features: Int, hidden: Int, cell: RecurrentKind, using generator: inout RandomGenerator
  ) {
    embedding = Embedding(words, features, using: &generator)
    recurrent = cell.levels(inputs: features, hidden: hidden, using: &generator)
    output = Linear(hidden, words, initializer: .pyTorchDefault, using: &generator)
  }

  /// The logits of the next word `[batch, words]` after words `[batch, time]`.
  public func callAsFunction(_ words: Tensor) -> Tensor {
    output(recurrent.run(embedding(words), from: nil).outputs.select(-1, axis: 1))
  }
}
