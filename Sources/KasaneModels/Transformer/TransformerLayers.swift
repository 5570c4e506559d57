// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// The sizes and choices of a Transformer's layers. The defaults are those of the paper's base model (Vaswani et al. 2017,
/// table 3) and of PyTorch.
public struct TransformerConfiguration: Codable, Hashable, Sendable {
  /// The size of each step's vector.
  public var features = 512
  /// The number of heads of each attention.
  public var heads = 8
  /// The size between the two linear maps of a feed-forward block.
  public var innerFeatures = 2048
  /// The rate at which, in training, weights of attention and results of each block are dropped.
  public var dropout = 0.1
  /// What stands between the two linear maps of a feed-forward block.
  public var activation = Activation.relu
  /// Whether a block's input is normalised (Xiong et al. 2020) rather than its sum with the block's result.
  public var isNormFirst = false
  /// What the normalisations add to the variance.
  public var epsilon = 1e-5

  /// The paper's base model.
  public init() {}

  /// Layers of the given sizes.
  public init(
    features: Int, heads: Int, innerFeatures: Int, dropout: Double = 0.1, activation: Activation = .relu,
    isNormFirst: Bool = false, epsilon: Double = 1e-5
  ) {
    (self.features, self.heads, self.innerFeatures) = (features, heads, innerFeatures)
    (self.dropout, self.activation) = (dropout, activation)
    (self.isNormFirst, self.epsilon) = (isNormFirst, epsilon)
  }
}

/// Two linear maps of each step with an activation between them (Vaswani et al. 2017, section 3.3).
public struct FeedForward: Layer {
  /// To the inner size, with the activation.
  public let inner: Linear
  /// And back.
  public let outer: Linear
  /// What drops results of the activation.
  public let dropout: Dropout

  /// A block with random weights.
  public init(_ configuration: TransformerConfiguration, using generator: inout RandomGenerator) {
    let (features, innerFeatures) = (configuration.features, configuration.innerFeatures)
    inner = Linear(
      features, innerFeatures, activation: configuration.activation, initializer: .glorotUniform,
      using: &generator)
    outer = Linear(innerFeatures, features, initializer: .glorotUniform, using: &generator)
    dropout = Dropout(configuration.dropout)
  }

  /// Maps `[..., features]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { outer(dropout(inner(x))) }
}

/// What stands around each block of a Transformer's layer: dropout of its result, the sum with its input, and a
/// normalisation, of that sum or of the block's input.
struct ResidualConnection: Module {
  let dropout: Dropout
  let isNormFirst: Bool

  init(_ configuration: TransformerConfiguration) {
    dropout = Dropout(configuration.dropout)
    isNormFirst = configuration.isNormFirst
  }

  func callAsFunction(_ x: Tensor, _ norm: LayerNorm, _ block: (Tensor) -> Tensor) -> Tensor {
    isNormFirst ? x + dropout(block(norm(x))) : norm(dropout(block(x)), adding: x)
  }
}

/// A layer of a Transformer's encoder (Vaswani et al. 2017, section 3.1): attention of a sequence to itself, then a
/// feed-forward block.
public struct TransformerEncoderLayer: Layer {
  /// Attention of the sequence to itself.
  public let attention: MultiHeadAttention
  /// The normalisation of the attention's block.
  public let attentionNorm: LayerNorm
  /// What follows at each step.
  public let feedForward: FeedForward
  /// The normalisation of that.
  public let feedForwardNorm: LayerNorm
  private let residual: ResidualConnection

  /// A layer with random weights.
  public init(_ configuration: TransformerConfiguration, using generator: inout RandomGenerator) {
    attention = MultiHeadAttention(
      configuration.features, heads: configuration.heads, dropout: configuration.dropout, using: &generator)
    attentionNorm = LayerNorm(configuration.features, epsilon: configuration.epsilon)
    feedForward = FeedForward(configuration, using: &generator)
    feedForwardNorm = LayerNorm(configuration.features, epsilon: configuration.epsilon)
    residual = ResidualConnection(configuration)
  }

  /// Maps `[batch, time, features]` to the same shape.
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, mask: nil, keyPadding: nil) }

  /// The same with what may not be attended to, as `MultiHeadAttention` takes it.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor? = nil, keyPadding: Tensor? = nil, isCausal: Bool = false
  ) -> Tensor {
    let attended = residual(x, attentionNorm) {
      attention($0, mask: mask, keyPadding: keyPadding, isCausal: isCausal)
    }
    return residual(attended, feedForwardNorm) { feedForward($0) }
  }
}

/// A layer of a Transformer's decoder (Vaswani et al. 2017, section 3.1): attention of a sequence to its own past, then to
/// what an encoder made of another one, then a feed-forward block.
public struct TransformerDecoderLayer: Module {
  /// Attention of the sequence to itself.
  public let attention: MultiHeadAttention
  /// The normalisation of that block.
  public let attentionNorm: LayerNorm
  /// Attention to the encoder's results.
  public let crossAttention: MultiHeadAttention
  /// The normalisation of that block.
  public let crossAttentionNorm: LayerNorm
  /// What follows at each step.
  public let feedForward: FeedForward
  /// The normalisation of that.
  public let feedForwardNorm: LayerNorm
  private let residual: ResidualConnection

  /// A layer with random weights.
  public init(_ configuration: TransformerConfiguration, using generator: inout RandomGenerator) {
    func attention() -> MultiHeadAttention {
      MultiHeadAttention(
        configuration.features, heads: configuration.heads, dropout: configuration.dropout, using: &generator)
    }
    func norm() -> LayerNorm { LayerNorm(configuration.features, epsilon: configuration.epsilon) }
    (self.attention, attentionNorm) = (attention(), norm())
    (crossAttention, crossAttentionNorm) = (attention(), norm())
    (feedForward, feedForwardNorm) = (FeedForward(configuration, using: &generator), norm())
    residual = ResidualConnection(configuration)
  }

  /// Maps `[batch, time, features]` to the same shape.
  ///
  /// - Parameters:
  ///   - x: The sequence so far.
  ///   - memory: What the encoder made of the other sequence, `[batch, memoryTime, features]`.
  ///   - mask: What may be attended to in the sequence itself; see `MultiHeadAttention`.
  ///   - padding: Which steps of the sequence are padding, `[batch, time]`, bool.
  ///   - memoryPadding: The same for the memory.
  ///   - isCausal: Whether a step may attend to itself and those before it only.
  public func callAsFunction(
    _ x: Tensor, _ memory: Tensor, mask: Tensor? = nil, padding: Tensor? = nil, memoryPadding: Tensor? = nil,
    isCausal: Bool = true
  ) -> Tensor {
    let attended = residual(x, attentionNorm) {
      attention($0, mask: mask, keyPadding: padding, isCausal: isCausal)
    }
    let informed = residual(attended, crossAttentionNorm) {
      crossAttention($0, memory, memory, keyPadding: memoryPadding)
    }
    return residual(informed, feedForwardNorm) { feedForward($0) }
  }
}
