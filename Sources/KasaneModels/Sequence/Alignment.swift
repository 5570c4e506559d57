// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// What a decoder attends to among the states of an encoder.
public struct Alignment: Module {
  /// How a state of the encoder is scored by a state of the decoder, with h for the first and s for the second.
  public enum Score: String, CaseIterable, Codable, Sendable {
    /// s . h (Luong, Pham and Manning 2015, equation 8).
    case dot
    /// s . (W h) (equation 8).
    case general
    /// v . tanh(W s + U h), s from after the step (equation 8).
    case concat
    /// v . tanh(W s + U h), s from before the step, which what is attended to then enters (Bahdanau, Cho and Bengio 2015,
    /// appendix A.1.2).
    case additive
  }

  /// How states are scored.
  public let score: Score
  /// W, `[units, units]`; nil for the dot.
  public let query: Linear?
  /// U, `[units, units]`; nil but for sums.
  public let key: Linear?
  /// v, `[units]`; nil but for sums.
  public let vector: Parameter?
  /// How many steps to either side of the predicted middle are attended to, and weighted by a normal distribution around it
  /// (Luong, Pham and Manning 2015, section 3.2, local-p); nil for all of them.
  public let window: Int?
  /// From a state of the decoder to what the middle is predicted from; nil without a window.
  public let middleHidden: Linear?
  /// From that to the middle.
  public let middle: Linear?

  /// With random weights, even within 1 / sqrt(units) of zero, as PyTorch draws them.
  public init(_ score: Score, units: Int, window: Int? = nil, using generator: inout RandomGenerator) {
    let drawn = Initializer.uniform(bound: 1 / Double(units).squareRoot())
    func linear(_ outputs: Int) -> Linear {
      Linear(units, outputs, bias: false, initializer: drawn, using: &generator)
    }
    let isSum = score == .concat || score == .additive
    (self.score, self.window) = (score, window)
    query = score == .dot ? nil : linear(units)
    key = isSum ? linear(units) : nil
    vector = isSum ? Parameter(drawn(units, 1, using: &generator).flattened()) : nil
    middleHidden = window.map { _ in linear(units) }
    middle = window.map { _ in linear(1) }
  }

  /// What of the encoder's states `[batch, source, units]` does not hang on the decoder.
  func keys(_ states: Tensor) -> Tensor {
    switch score {
    case .dot: states
    // Once for a source, where s W would be a product for each step: (s W) . h = s . (h W').
    case .general: matmul(states, query!.weight.value.transposed())
    case .concat, .additive: key!(states)
    }
  }

  /// The weights `[batch, steps, source]` of the encoder's states for the decoder's `[batch, steps, units]`: they sum to
  /// one over the tokens that are there. Under a window they are what is left of that.
  func weights(_ queries: Tensor, _ memory: Translator.Memory) -> Tensor {
    var scores: Tensor
    if let query, let vector {
      let sums = tanh(query(queries).expanded(axis: 2) + memory.keys.expanded(axis: 1))
      scores = matmul(sums, vector.value.expanded(axis: 1)).squeezed(axis: 3)
    } else {
      scores = matmul(queries, memory.keys.transposed())
    }
    scores = Tensor.where(memory.mask, scores, -1e30)
    guard let window, let middleHidden, let middle else { return softmax(scores) }
    // The middle lies between the first and the last token of the source.
    let last = memory.lengths.reshaped(to: [-1, 1, 1]).cast(to: queries.dtype) - 1
    let center = last * sigmoid(middle(tanh(middleHidden(queries))))
    let places = withoutGradient {
      Tensor.arange(memory.states.shape[1]).reshaped(to: [1, 1, -1]).cast(to: queries.dtype)
    }
    let distance = square(places - center)
    let isNear = withoutGradient { distance .<= Double(window * window) }
    let deviation = Double(window) / 2
    let near = softmax(Tensor.where(isNear, scores, -1e30))
    return near * exp(distance * (-1 / (2 * deviation * deviation)))
  }
}
