// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// What a search for the likeliest sequence asks of a decoder.
public protocol SequenceDecoder {
  /// What a step hands to the next; every row is a sequence of its own.
  associatedtype State
  /// The logits `[rows, vocabulary]` of the token after `tokens`, int32 `[rows]`, and the state then.
  func next(after tokens: Tensor, _ state: State) -> (logits: Tensor, state: State)
  /// The state's rows at the places `rows`, int32 or int64 `[count]`; a row may come twice.
  func rows(_ rows: Tensor, of state: State) -> State
}
