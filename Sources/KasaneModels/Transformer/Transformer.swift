// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// The encoder of a Transformer (Vaswani et al. 2017): layers one after the other.
public struct TransformerEncoder: Layer {
  /// The layers in the order in which they are applied.
  public let layers: [TransformerEncoderLayer]
  /// A normalisation of the last layer's results.
  public let norm: LayerNorm?

  /// An encoder with random weights.
  ///
  /// - Parameter hasNorm: Whether the results are normalised; when nil, only where the layers normalise their inputs,
  ///   whose last sum nobody else would normalise.
  public init(
    _ configuration: TransformerConfiguration, layers: Int, hasNorm: Bool? = nil,
    using generator: inout RandomGenerator
  ) {
    self.layers = (0..<layers).map { _ in TransformerEncoderLayer(configuration, using: &generator) }
    norm =
      hasNorm ?? configuration.isNormFirst
      ? LayerNorm(configuration.features, epsilon: configuration.epsilon) : nil
  }

  /// Maps `[batch, time, features]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, mask: nil, padding: nil) }

  /// The same with what may not be attended to: by a mask, because a step is padding (`[batch, time]`, bool), or because
  /// it is yet to come.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor? = nil, padding: Tensor? = nil, isCausal: Bool = false
  ) -> Tensor {
    let y = layers.reduce(x) { x, layer in
      layer(x, mask: mask, keyPadding: padding, isCausal: isCausal)
    }
    return norm.map { $0(y) } ?? y
  }
}

/// The decoder of a Transformer (Vaswani et al. 2017): layers one after the other.
public struct TransformerDecoder: Module {
  /// The layers in the order in which they are applied.
  public let layers: [TransformerDecoderLayer]
  /// A normalisation of the last layer's results.
  public let norm: LayerNorm?

  /// A decoder with random weights; see `TransformerEncoder` for the parameters.
  public init(
    _ configuration: TransformerConfiguration, layers: Int, hasNorm: Bool? = nil,
    using generator: inout RandomGenerator
  ) {
    self.layers = (0..<layers).map { _ in TransformerDecoderLayer(configuration, using: &generator) }
    norm =
      hasNorm ?? configuration.isNormFirst
      ? LayerNorm(configuration.features, epsilon: configuration.epsilon) : nil
  }

  /// Maps `[batch, time, features]` to the same shape; see `TransformerDecoderLayer` for the parameters.
  public func callAsFunction(
    _ x: Tensor, _ memory: Tensor, mask: Tensor? = nil, padding: Tensor? = nil, memoryPadding: Tensor? = nil,
    isCausal: Bool = true
  ) -> Tensor {
    let y = layers.reduce(x) { x, layer in
      layer(x, memory, mask: mask, padding: padding, memoryPadding: memoryPadding, isCausal: isCausal)
    }
    return norm.map { $0(y) } ?? y
  }
}

/// A Transformer that translates (Vaswani et al. 2017): from the words of one language and those said so far of the
/// other to the next ones.
public struct TranslationTransformer: Module {
  /// The sizes of a model.
  public struct Configuration: Codable, Hashable, Sendable {
    /// How many words the language has that is read.
    public var sourceVocabulary: Int
    /// How many words the language has that is written.
    public var targetVocabulary: Int
    /// The layers' sizes and choices.
    public var layer = TransformerConfiguration()
    /// How many layers the encoder has.
    public var encoderLayers = 6
    /// How many layers the decoder has.
    public var decoderLayers = 6
    /// Whether the embeddings are multiplied by the root of their size and sines and cosines of the places are added.
    public var hasPositions = true
    /// Whether encoder and decoder end with a normalisation, as PyTorch's do and the paper's do not.
    public var hasFinalNorms = true

    /// The paper's base model for two vocabularies.
    public init(sourceVocabulary: Int, targetVocabulary: Int) {
      (self.sourceVocabulary, self.targetVocabulary) = (sourceVocabulary, targetVocabulary)
    }
  }

  /// The vectors of the words that are read.
  public let sourceEmbedding: Embedding
  /// The vectors of the words that are written.
  public let targetEmbedding: Embedding
  /// What reads.
  public let encoder: TransformerEncoder
  /// What writes.
  public let decoder: TransformerDecoder
  /// From a step's vector to a number for each word.
  public let output: Linear
  /// The sizes.
  public let configuration: Configuration
  private let dropout: Dropout

  /// A model with random weights.
  public init(_ configuration: Configuration, using generator: inout RandomGenerator) {
    let layer = configuration.layer
    // Multiplied by the root of their size, the vectors have numbers of the size of one.
    let initializer = Initializer.normal(
      standardDeviation: configuration.hasPositions ? 1 / Double(layer.features).squareRoot() : 1)
    sourceEmbedding = Embedding(
      configuration.sourceVocabulary, layer.features, initializer: initializer, using: &generator)
    targetEmbedding = Embedding(
      configuration.targetVocabulary, layer.features, initializer: initializer, using: &generator)
    encoder = TransformerEncoder(
      layer, layers: configuration.encoderLayers, hasNorm: configuration.hasFinalNorms, using: &generator)
    decoder = TransformerDecoder(
      layer, layers: configuration.decoderLayers, hasNorm: configuration.hasFinalNorms, using: &generator)
    output = Linear(layer.features, configuration.targetVocabulary, using: &generator)
    dropout = Dropout(layer.dropout)
    self.configuration = configuration
  }

  /// The logits of the next word after each of those said so far, `[batch, targetTime, targetVocabulary]`.
  ///
  /// - Parameters:
  ///   - source: The numbers of the words that are read, `[batch, sourceTime]`.
  ///   - target: Those said so far, `[batch, targetTime]`.
  ///   - sourcePadding: Which of the words that are read are padding, `[batch, sourceTime]`, bool.
  public func callAsFunction(_ source: Tensor, _ target: Tensor, sourcePadding: Tensor? = nil) -> Tensor {
    decode(target, memory: encode(source, padding: sourcePadding), memoryPadding: sourcePadding)
  }

  /// What the encoder makes of the words that are read, `[batch, sourceTime, features]`.
  public func encode(_ source: Tensor, padding: Tensor? = nil) -> Tensor {
    encoder(placed(sourceEmbedding(source)), padding: padding)
  }

  /// The logits of the next word after each of those said so far, from what the encoder made.
  public func decode(_ target: Tensor, memory: Tensor, memoryPadding: Tensor? = nil) -> Tensor {
    output(decoder(placed(targetEmbedding(target)), memory, memoryPadding: memoryPadding))
  }

  private func placed(_ x: Tensor) -> Tensor {
    guard configuration.hasPositions else { return dropout(x) }
    return dropout(SinusoidalPositions()(x * Double(configuration.layer.features).squareRoot()))
  }
}
