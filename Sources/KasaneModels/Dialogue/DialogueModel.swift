// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A hierarchical recurrent encoder-decoder of dialogues (HRED; Sordoni et al. 2015; Serban et al. 2016): an encoder reads
/// each turn word by word, a context network reads the turns' meanings turn by turn, and a decoder says the next turn
/// given the context. With a latent variable for each turn it is VHRED (Serban et al. 2017). Without the context's memory
/// it is an encoder-decoder that sees the last turn alone.
public struct DialogueModel: Module {
  /// The words' vectors, `[vocabulary, features]`.
  public let embedding: Embedding
  /// From the vectors of a turn's words to its meaning: the last state, of both directions side by side.
  public let encoder: GRU
  /// From the meanings of turns to the contexts after them.
  public let context: GRU
  /// From contexts, and latent variables, to the decoder's first state.
  public let initial: Linear
  /// From a word's vector, the context and the latent variables to the state that the next word follows from.
  public let decoder: GRU
  /// From the decoder's state to features (equation 6 of Serban et al. 2016: H_0).
  public let stateOutput: Linear
  /// From the last word's vector to features (equation 6: E_0).
  public let wordOutput: Linear
  /// From features to a logit for each word.
  public let output: Linear
  /// The latent variable of a turn; nil for HRED.
  public let latent: TurnLatent?
  /// Whether a context remembers the turns before the last.
  public let remembers: Bool
  /// The rate at which, in training, elements of words' vectors and of features are dropped.
  public let dropout: Double

  /// The sizes of a model.
  public struct Sizes: Sendable {
    /// Words that are known.
    public var words: Int
    /// Features of a word's vector.
    public var features: Int
    /// Units of the encoder, in each direction, and of the decoder.
    public var hidden: Int
    /// Units of the context network.
    public var context: Int
    /// Latent variables of a turn; 0 for HRED.
    public var latent: Int

    /// Sizes of a model with latent variables, or of one without.
    public init(words: Int, features: Int, hidden: Int, context: Int, latent: Int = 0) {
      (self.words, self.features, self.hidden) = (words, features, hidden)
      (self.context, self.latent) = (context, latent)
    }
  }

  /// A model with random weights: vectors even within 0.1 of zero, recurrent ones within 1 / sqrt(units), the rest
  /// normal with variance 1 / fan-in.
  ///
  /// - Parameters:
  ///   - readsBothWays: whether the encoder reads a turn in both directions
  ///   - remembers: whether a context remembers the turns before the last
  ///   - hasBag: whether latent variables also foretell a turn's words whatever their order
  public init(
    _ sizes: Sizes, readsBothWays: Bool = false, remembers: Bool = true, hasBag: Bool = false,
    dropout: Double = 0, using generator: inout RandomGenerator
  ) {
    let meaning = readsBothWays ? 2 * sizes.hidden : sizes.hidden
    let given = sizes.context + sizes.latent
    func bound(_ units: Int) -> Initializer { .uniform(bound: 1 / Double(units).squareRoot()) }
    embedding = Embedding(
      sizes.words, sizes.features, initializer: .uniform(bound: 0.1), using: &generator)
    encoder = GRU(
      sizes.features, sizes.hidden, isBidirectional: readsBothWays, initializer: bound(sizes.hidden),
      recurrentInitializer: bound(sizes.hidden), using: &generator)
    context = GRU(
      meaning, sizes.context, initializer: bound(sizes.context),
      recurrentInitializer: bound(sizes.context), using: &generator)
    initial = Linear(given, sizes.hidden, activation: .tanh, using: &generator)
    decoder = GRU(
      sizes.features + given, sizes.hidden, initializer: bound(sizes.hidden),
      recurrentInitializer: bound(sizes.hidden), using: &generator)
    stateOutput = Linear(sizes.hidden, sizes.features, using: &generator)
    wordOutput = Linear(sizes.features, sizes.features, bias: false, using: &generator)
    output = Linear(sizes.features, sizes.words, using: &generator)
    latent =
      sizes.latent == 0
      ? nil
      : TurnLatent(
        context: sizes.context, meaning: meaning, hidden: sizes.hidden, latent: sizes.latent,
        words: hasBag ? sizes.words : nil, using: &generator)
    (self.remembers, self.dropout) = (remembers, dropout)
  }

  // MARK: Reading

  /// The meanings `[turns, meaning]` of turns `[turns, words]` with their lengths `[turns]`.
  public func meanings(of turns: Tensor, lengths: Tensor? = nil) -> Tensor {
    let words = Dropout(dropout)(embedding(turns))
    let states = encoder(words, from: nil, lengths: lengths).finalStates
    return states.count == 1 ? states[0] : Tensor.concatenate(states, axis: 1)
  }

  /// The context `[rows, context]` after turns of the meanings `[rows, meaning]`, given the contexts before them; nil
  /// before the first turn.
  public func context(after meanings: Tensor, _ before: Tensor?) -> Tensor {
    context(meanings.expanded(axis: 1), from: remembers ? before.map { [$0] } : nil).finalStates[0]
  }

  /// The meanings of all turns and the contexts that the replies answer to.
  public func read(_ batch: DialogueBatch) -> (meanings: Tensor, contexts: Tensor) {
    let meanings = meanings(of: batch.turns, lengths: batch.turnLengths)
    guard remembers else {
      return (meanings, context(after: meanings.gathered(batch.turnsBefore), nil))
    }
    // A row of zeros stands for turns that are not there.
    let zeros = Tensor(zeros: [1, meanings.shape[1]], dtype: meanings.dtype)
    let laid = Tensor.concatenate([meanings, zeros]).gathered(batch.rows)
    let states = context(laid, from: nil, lengths: batch.turnCounts).outputs
    return (meanings, states.flattened(from: 0, to: 1).gathered(batch.contexts))
  }

  // MARK: Saying

  /// The features `[replies, words, features]` from which the word after each of `inputs`, `[replies, words]`, follows,
  /// given contexts and latent variables, `[replies, context + latent]`.
  func features(_ inputs: Tensor, given: Tensor) -> Tensor {
    let drop = Dropout(dropout)
    let words = drop(embedding(inputs))
    let wide = given.expanded(axis: 1).broadcast(to: [inputs.shape[0], inputs.shape[1], given.shape[1]])
    let states = decoder(Tensor.concatenate([words, wide], axis: 2), from: [initial(given)]).outputs
    return drop(stateOutput(states) + wordOutput(words))
  }

  /// The logits `[replies, words, vocabulary]` of the word after each of `inputs`, `[replies, words]`, given contexts and
  /// latent variables, `[replies, context + latent]`.
  public func logits(_ inputs: Tensor, given: Tensor) -> Tensor { output(features(inputs, given: given)) }

  /// What a batch's replies cost in nats, each a sum over the batch.
  public struct Cost: Sendable {
    /// The negated logarithm of the replies' probability, given contexts and latent variables.
    public let words: Tensor
    /// The divergence of the posteriors from the priors; nil for HRED.
    public let divergence: Tensor?
    /// The negated logarithm of the words' probability whatever their order; nil where they are not foretold so.
    public let bag: Tensor?
  }

  /// What the replies of a batch cost.
  ///
  /// - Parameter noise: how far the latent variables lie from their means, in deviations, `[replies, latent]`; none for
  ///   HRED
  public func callAsFunction(_ batch: DialogueBatch, noise: Tensor? = nil) -> Cost {
    let (meanings, contexts) = read(batch)
    var given = contexts
    var (divergence, bag): (Tensor?, Tensor?)
    if let latent {
      let prior = latent.prior(contexts)
      let posterior = latent.posterior(contexts, meanings.gathered(batch.replies))
      precondition(noise != nil, "DialogueModel: no noise for \(latent.count) latent variables")
      given = Tensor.concatenate([contexts, posterior.draw(noise!)], axis: 1)
      divergence = posterior.divergence(from: prior).sum()
      // The mark that ends a turn counts as one of its words.
      bag = latent.bag(given).map { logarithms in
        let width = logarithms.shape[1]
        let places = batch.owners.cast(to: .int64) * Tensor(Int64(width)) + batch.targets.cast(to: .int64)
        return -logarithms.reshaped(to: [-1]).gathered(places).sum()
      }
    }
    // Only words that are there are compared with the vocabulary.
    let shown = features(batch.inputs, given: given).flattened(from: 0, to: 1).gathered(batch.places)
    let words = crossEntropy(output(shown), batch.targets, reduction: .sum)
    return Cost(words: words, divergence: divergence, bag: bag)
  }

  /// The same with noise from the standard normal distribution.
  public func callAsFunction(_ batch: DialogueBatch, using generator: inout RandomGenerator) -> Cost {
    self(batch, noise: latent.map { Tensor(normal: [batch.replyCount, $0.count], using: &generator) })
  }
}
