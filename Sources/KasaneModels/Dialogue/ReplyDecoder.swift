// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A dialogue model's decoder word by word, for a search for replies.
public struct ReplyDecoder: SequenceDecoder {
  /// What one word hands to the next; every row is a reply of its own.
  public struct State: Sendable {
    /// Contexts and latent variables, `[rows, context + latent]`.
    public let given: Tensor
    /// The decoder's state, `[rows, hidden]`.
    public let hidden: Tensor
  }

  /// The model that speaks.
  public let model: DialogueModel

  /// The decoder of a model.
  public init(_ model: DialogueModel) { self.model = model }

  /// The state before the first word, given contexts and latent variables, `[rows, context + latent]`.
  public func start(given: Tensor) -> State { State(given: given, hidden: model.initial(given)) }

  /// The logits `[rows, vocabulary]` of the word after `tokens`, int32 `[rows]`, and the state then.
  public func next(after tokens: Tensor, _ state: State) -> (logits: Tensor, state: State) {
    let words = model.embedding(tokens)
    let cell = model.decoder.layers[0].forward
    let hidden = cell(Tensor.concatenate([words, state.given], axis: 1), state.hidden)
    let logits = model.output(model.stateOutput(hidden) + model.wordOutput(words))
    return (logits, State(given: state.given, hidden: hidden))
  }

  /// The state's rows at the places `rows`, int32 or int64 `[count]`; a row may come twice.
  public func rows(_ rows: Tensor, of state: State) -> State {
    State(given: state.given.gathered(rows), hidden: state.hidden.gathered(rows))
  }
}
