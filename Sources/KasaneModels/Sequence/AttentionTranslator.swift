// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A translator from sequence to sequence (Sutskever, Vinyals and Le 2014) that looks back at what it has read (Bahdanau,
/// Cho and Bengio 2015): an encoder of long short-term memory in both directions, and a decoder whose step sees what the
/// step before attended to, by products of queries and states (Luong, Pham and Manning 2015, section 3.1 and 3.3).
public struct AttentionTranslator: Module {
  /// The source's words, `[vocabulary, features]`.
  public let sourceEmbedding: Embedding
  /// The target's words, `[vocabulary, features]`.
  public let targetEmbedding: Embedding
  /// From the source's vectors to states `[batch, source, 2 * features]`.
  public let encoder: LSTM
  /// A step over a word's vector and the context of the step before, `[batch, features + 2 * features]`.
  public let decoder: LSTMCell
  /// From the decoder's state to what is looked for among the encoder's.
  public let query: Linear
  /// From state and context to a score for each word.
  public let output: Linear

  /// A network with random weights.
  public init(
    sourceVocabulary: Int, targetVocabulary: Int, features: Int, using generator: inout RandomGenerator
  ) {
    sourceEmbedding = Embedding(sourceVocabulary, features, using: &generator)
    targetEmbedding = Embedding(targetVocabulary, features, using: &generator)
    encoder = LSTM(features, features, isBidirectional: true, using: &generator)
    decoder = LSTMCell(3 * features, 2 * features, using: &generator)
    query = Linear(2 * features, 2 * features, using: &generator)
    output = Linear(4 * features, targetVocabulary, using: &generator)
  }

  /// What the decoder hands from one step to the next.
  public struct State: Sendable {
    /// Of the cell.
    public var memory: LSTMState
    /// What the last step attended to, `[batch, 2 * features]`; zeros before the first.
    public var context: Tensor?
  }

  /// What the decoder attends to, and its first state.
  public func encode(_ source: Tensor, lengths: Tensor? = nil) -> (states: Tensor, initial: State) {
    let (states, final) = encoder(sourceEmbedding(source), from: nil, lengths: lengths)
    let memory = LSTMState(
      hidden: Tensor.concatenate([final[0].hidden, final[1].hidden], axis: 1),
      cell: Tensor.concatenate([final[0].cell, final[1].cell], axis: 1))
    return (states, State(memory: memory, context: nil))
  }

  /// The mask under which only the steps within the lengths `[batch]` are attended to, `[batch, 1, source]`.
  public func mask(lengths: Tensor, steps: Int) -> Tensor {
    withoutGradient {
      Tensor.arange(steps).reshaped(to: [1, 1, steps]) .< lengths.cast(to: .int64).reshaped(to: [-1, 1, 1])
    }
  }

  /// One step of the decoder: from the part of the gates' sums that the word makes, `[batch, 8 * features]`, the state
  /// before and the encoder's states, to the state after.
  func step(_ projected: Tensor, _ state: State, _ states: Tensor, _ mask: Tensor?) -> State {
    let features = targetEmbedding.weight.shape[1]
    var sums = projected
    if let context = state.context {
      let weight = decoder.inputWeight.value.sliced(from: features)
      sums = sums + matmul(context, weight)
    }
    let memory = decoder.step(sums, state.memory)
    let question = query(memory.hidden).expanded(axis: 1)
    var scores = matmul(question, states.transposed())
    if let mask { scores = Tensor.where(mask, scores, -1e30) }
    let context = matmul(softmax(scores), states).squeezed(axis: 1)
    return State(memory: memory, context: context)
  }

  /// The logits `[batch, target, vocabulary]` of each word after those of `target`, `[batch, target]`, given the `source`,
  /// `[batch, source]`, with its lengths where it is padded.
  public func callAsFunction(_ source: Tensor, _ target: Tensor, lengths: Tensor? = nil) -> Tensor {
    let (states, initial) = encode(source, lengths: lengths)
    let mask = lengths.map { self.mask(lengths: $0, steps: source.shape[1]) }
    // The words are known beforehand: what the gates make of them is one product.
    let features = targetEmbedding.weight.shape[1]
    var projected = matmul(targetEmbedding(target), decoder.inputWeight.value.sliced(to: features))
    if let bias = decoder.bias { projected = projected + bias.value }
    var state = initial
    var shown: [Tensor] = []
    for input in projected.unstacked(axis: 1) {
      state = step(input, state, states, mask)
      shown.append(Tensor.concatenate([state.memory.hidden, state.context!], axis: 1))
    }
    return output(Tensor.stack(shown, axis: 1))
  }
}

extension Tensor {
  fileprivate func sliced(from first: Int) -> Tensor { self[first...] }
  fileprivate func sliced(to end: Int) -> Tensor { self[..<end] }
}
