// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A Transformer's encoder that reads text in both directions (Devlin et al. 2019): vectors of words and of their places,
/// then the encoder's layers.
public struct BERT: Layer {
  /// The sizes of a model.
  public struct Configuration: Codable, Hashable, Sendable {
    /// How many words there are.
    public var vocabulary: Int
    /// The longest text.
    public var places = 512
    /// How many kinds of segment there are, two sentences of a pair, say; 0 for none.
    public var segments = 0
    /// Whether the sum of the vectors is normalised before the first layer.
    public var normalizesEmbeddings = false
    /// How many layers there are.
    public var layers = 12
    /// The layers' sizes and choices.
    public var layer = TransformerConfiguration(
      features: 768, heads: 12, innerFeatures: 3072, activation: .gelu)

    /// The paper's base model for a vocabulary.
    public init(vocabulary: Int) { self.vocabulary = vocabulary }

    /// A model of other sizes, its inner size four times that of its vectors.
    public init(vocabulary: Int, features: Int, layers: Int, heads: Int, places: Int, dropout: Double = 0.1) {
      (self.vocabulary, self.places, self.layers) = (vocabulary, places, layers)
      layer = TransformerConfiguration(
        features: features, heads: heads, innerFeatures: 4 * features, dropout: dropout, activation: .gelu)
    }
  }

  /// The vectors of the words.
  public let tokens: Embedding
  /// The vectors of their places.
  public let positions: LearnedPositions
  /// The vectors of the kinds of segment.
  public let segments: Embedding?
  /// The normalisation of their sum.
  public let norm: LayerNorm?
  /// The layers.
  public let encoder: TransformerEncoder
  private let dropout: Dropout

  /// A model with random weights.
  public init(_ configuration: Configuration, using generator: inout RandomGenerator) {
    let layer = configuration.layer
    let small = Initializer.normal(standardDeviation: 0.02)
    tokens = Embedding(configuration.vocabulary, layer.features, initializer: small, using: &generator)
    positions = LearnedPositions(configuration.places, layer.features, initializer: small, using: &generator)
    segments =
      configuration.segments > 0
      ? Embedding(configuration.segments, layer.features, initializer: small, using: &generator) : nil
    norm = configuration.normalizesEmbeddings ? LayerNorm(layer.features, epsilon: layer.epsilon) : nil
    encoder = TransformerEncoder(layer, layers: configuration.layers, using: &generator)
    dropout = Dropout(layer.dropout)
  }

  /// The vectors `[batch, time, features]` of words `[batch, time]`, each of which has seen all others.
  public func callAsFunction(_ words: Tensor) -> Tensor { self(words, segments: nil) }

  /// The same for words of several segments, `[batch, time]`, and with padding, `[batch, time]`, bool.
  public func callAsFunction(_ words: Tensor, segments kinds: Tensor?, padding: Tensor? = nil) -> Tensor {
    var x = positions(tokens(words))
    if let segments, let kinds { x = x + segments(kinds) }
    if let norm { x = norm(x) }
    return encoder(dropout(x), padding: padding)
  }
}

/// BERT as it is trained first: to say which words were masked (Devlin et al. 2019, section 3.1).
public struct MaskedLanguageModel: Module {
  /// What reads the text.
  public let encoder: BERT
  /// From a word's vector to a number for each word of the vocabulary.
  public let output: Linear

  /// A model with random weights.
  public init(_ configuration: BERT.Configuration, using generator: inout RandomGenerator) {
    encoder = BERT(configuration, using: &generator)
    output = Linear(configuration.layer.features, configuration.vocabulary, using: &generator)
  }

  /// The logits `[count, vocabulary]` of the words at some places of a batch, and of no others, for the map to the
  /// vocabulary is most of the work.
  ///
  /// - Parameters:
  ///   - words: The text, `[batch, time]`, in which words are masked.
  ///   - places: Which words are asked for, `[count]`, int64: row * time + column.
  ///   - padding: Which words are padding, `[batch, time]`, bool.
  public func callAsFunction(_ words: Tensor, at places: Tensor, padding: Tensor? = nil) -> Tensor {
    let vectors = encoder(words, segments: nil, padding: padding)
    return output(vectors.flattened(from: 0, to: 1).gathered(places))
  }
}
