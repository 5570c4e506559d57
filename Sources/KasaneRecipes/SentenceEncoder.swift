// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A recipe whose trained network has a vector for what a sentence means.
public protocol SentenceEncoder: Recipe {
  /// The vectors `[sentences, features]` of sentences. Throws one line that tells the sentence by its place, from 1, where
  /// it has no word or none is known.
  func vectors(of sentences: [String]) throws -> Tensor
}

/// The vectors of sentences one by one, each `[1, features]`, below each other; `source` names the sentence in errors.
func sentenceVectors(
  _ sentences: [String], _ vector: (_ sentence: String, _ source: String) throws -> Tensor
) throws -> Tensor {
  precondition(!sentences.isEmpty, "sentenceVectors: no sentences")
  return Tensor.concatenate(
    try sentences.enumerated().map { place, sentence in try vector(sentence, "sentence \(place + 1)") })
}
