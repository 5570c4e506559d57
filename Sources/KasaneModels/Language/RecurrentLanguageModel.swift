// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A recurrent language model (Mikolov et al. 2010; Zaremba, Sutskever and Vinyals 2014): after each token of a text it
/// says what the next may be.
public struct RecurrentLanguageModel: Module {
  /// A vector for each token.
  public let embedding: Embedding
  /// What reads them.
  public let recurrent: any RecurrentLevels
  /// From an output to the tokens, `[hidden, tokens]`; nil where the embedding's own vectors serve for that too (Press
  /// and Wolf 2017; Inan, Khosravi and Socher 2017).
  public let outputWeight: Parameter?
  /// What is added to each token's logit, `[tokens]`.
  public let outputBias: Parameter
  /// The rate at which, in training, elements of embeddings and outputs are dropped.
  public let dropout: Double

  /// A model with random weights: embeddings and outputs even within 0.1 of zero, the rest as PyTorch draws it.
  ///
  /// - Parameter isTied: whether outputs share the embedding's vectors; `features` and `hidden` must then be equal.
  public init(
    tokens: Int, features: Int, hidden: Int, layers: Int, cell: RecurrentKind, dropout: Double, isTied: Bool,
    using generator: inout RandomGenerator
  ) {
    precondition(
      !isTied || features == hidden,
      "RecurrentLanguageModel: tied, with \(features) features and \(hidden) outputs")
    embedding = Embedding(tokens, features, initializer: .uniform(bound: 0.1), using: &generator)
    recurrent = cell.levels(
      inputs: features, hidden: hidden, layers: layers, dropout: dropout, using: &generator)
    outputWeight =
      isTied ? nil : Parameter(Initializer.uniform(bound: 0.1)(hidden, tokens, using: &generator))
    outputBias = Parameter(Tensor(zeros: [tokens]))
    self.dropout = dropout
  }

  /// The logits `[batch, time, tokens]` of what follows each of the tokens `[batch, time]`, and the states after the
  /// last; those before the first are zeros when nil.
  public func callAsFunction(_ tokens: Tensor, from states: [Tensor]? = nil) -> (
    logits: Tensor, states: [Tensor]
  ) {
    let drop = Dropout(dropout)
    let (outputs, finalStates) = recurrent.run(drop(embedding(tokens)), from: states)
    let weight = outputWeight?.value ?? embedding.weight.value.transposed()
    return (linear(drop(outputs), weight, bias: outputBias.value), finalStates)
  }
}
