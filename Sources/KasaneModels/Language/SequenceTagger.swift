// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A recurrent network that answers some questions about every token of a sequence: from what stands before it and, where
/// it reads in both directions, from what comes after (Schuster and Paliwal 1997; Graves and Schmidhuber 2005).
public struct SequenceTagger: Module {
  /// A vector for each token.
  public let embedding: Embedding
  /// What reads them.
  public let recurrent: any RecurrentLevels
  /// From the outputs to the classes of all questions, one question's behind the other's.
  public let output: Linear
  /// How many classes each question has.
  public let classes: [Int]
  /// The rate at which, in training, elements of embeddings and outputs are dropped.
  public let dropout: Double

  /// A network with random weights: embeddings even within 0.1 of zero, the rest as PyTorch draws it; biases are zero,
  /// those of forget gates one.
  public init(
    tokens: Int, features: Int, hidden: Int, layers: Int = 1, cell: RecurrentKind = .lstm,
    isBidirectional: Bool = true, dropout: Double = 0, classes: [Int],
    using generator: inout RandomGenerator
  ) {
    embedding = Embedding(tokens, features, initializer: .uniform(bound: 0.1), using: &generator)
    recurrent = cell.levels(
      inputs: features, hidden: hidden, layers: layers, dropout: dropout, isBidirectional: isBidirectional,
      using: &generator)
    output = Linear(
      recurrent.outputs, classes.reduce(0, +), initializer: .pyTorchDefault, using: &generator)
    (self.classes, self.dropout) = (classes, dropout)
  }

  /// The logits of each question's classes, `[batch, time, classes]`, for tokens `[batch, time]`.
  public func callAsFunction(_ tokens: Tensor) -> [Tensor] {
    let drop = Dropout(dropout)
    return output(drop(read(tokens).outputs)).split(sizes: classes, axis: -1)
  }

  /// The outputs `[batch, time, outputs]` over tokens `[batch, time]`, and the states after the last step of each level and
  /// direction.
  public func read(_ tokens: Tensor) -> (outputs: Tensor, finalStates: [Tensor]) {
    recurrent.run(Dropout(dropout)(embedding(tokens)), from: nil)
  }
}
