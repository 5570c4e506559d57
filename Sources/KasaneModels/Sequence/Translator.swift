// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// A network that turns one sequence into another: an encoder reads the source, and a decoder says the target token by
/// token, beginning with what the encoder ended with (Sutskever, Vinyals and Le 2014; Cho et al. 2014).
///
/// With an alignment each step looks back at the encoder's states (Bahdanau, Cho and Bengio 2015; Luong, Pham and Manning
/// 2015). A peeky decoder sees what the encoder ended with at every step, as Cho et al. have it.
public struct Translator: Module {
  /// The source's tokens, `[vocabulary, features]`.
  public let sourceEmbedding: Embedding
  /// The target's tokens, `[vocabulary, features]`.
  public let targetEmbedding: Embedding
  /// From the source's vectors to states `[batch, source, units]`.
  public let encoder: any RecurrentLevels
  /// A step over a token's vector, what a peeky decoder sees, and what the step before handed on.
  public let decoder: any GatedCell
  /// What is attended to; nil where nothing is.
  public let alignment: Alignment?
  /// From state and what is attended to, `[2 * units]`, to what a token follows from (Luong, Pham and Manning 2015,
  /// equation 5).
  public let mix: Linear?
  /// From that to a score for each token.
  public let output: Linear
  /// Whether the decoder sees what the encoder ended with at every step.
  public let isPeeky: Bool
  /// Whether a step sees what the step before attended to (section 3.3).
  public let feedsInput: Bool
  /// The rate at which, in training, elements of vectors and of what tokens follow from are dropped.
  public let dropout: Double

  /// The sizes of a network.
  public struct Sizes: Sendable {
    /// Tokens of the source and of the target.
    public var source, target: Int
    /// Features of a token's vector.
    public var features: Int
    /// Units of the encoder, in each direction; the decoder has as many as all directions together.
    public var hidden: Int

    /// Sizes.
    public init(source: Int, target: Int, features: Int, hidden: Int) {
      (self.source, self.target, self.features, self.hidden) = (source, target, features, hidden)
    }
  }

  /// A network with random weights: vectors even within 0.1 of zero, the rest as PyTorch draws it.
  public init(
    _ sizes: Sizes, cell: RecurrentKind, readsBothWays: Bool = false, isPeeky: Bool = false,
    attention score: Alignment.Score? = nil, window: Int? = nil, feedsInput: Bool = false,
    dropout: Double = 0, using generator: inout RandomGenerator
  ) {
    let units = readsBothWays ? 2 * sizes.hidden : sizes.hidden
    func drawn(_ inputs: Int) -> Initializer { .uniform(bound: 1 / Double(inputs).squareRoot()) }
    sourceEmbedding = Embedding(
      sizes.source, sizes.features, initializer: .uniform(bound: 0.1), using: &generator)
    targetEmbedding = Embedding(
      sizes.target, sizes.features, initializer: .uniform(bound: 0.1), using: &generator)
    encoder = cell.levels(
      inputs: sizes.features, hidden: sizes.hidden, isBidirectional: readsBothWays, using: &generator)
    let fed = score == .additive || score != nil && feedsInput
    decoder = cell.cell(
      inputs: sizes.features + (isPeeky ? units : 0) + (fed ? units : 0), hidden: units, using: &generator)
    alignment = score.map { Alignment($0, units: units, window: window, using: &generator) }
    mix = score.map { _ in
      Linear(2 * units, units, activation: .tanh, initializer: drawn(2 * units), using: &generator)
    }
    let shown = isPeeky ? 2 * units : units
    output = Linear(shown, sizes.target, initializer: drawn(shown), using: &generator)
    (self.isPeeky, self.feedsInput, self.dropout) = (isPeeky, feedsInput, dropout)
  }

  // MARK: Reading

  /// What the decoder knows of the sources; every row is a sequence of its own.
  public struct Memory: Sendable {
    /// The encoder's states, `[batch, source, units]`.
    public let states: Tensor
    /// What of them is scored, `[batch, source, units]`.
    let keys: Tensor
    /// Where there are tokens, `[batch, 1, source]`.
    let mask: Tensor
    /// How many there are, `[batch]`.
    let lengths: Tensor
    /// The last hidden state, `[batch, units]`.
    let summary: Tensor

    /// The rows at some places.
    func rows(_ rows: Tensor) -> Memory {
      Memory(
        states: states.gathered(rows), keys: keys.gathered(rows), mask: mask.gathered(rows),
        lengths: lengths.gathered(rows), summary: summary.gathered(rows))
    }
  }

  /// Reads sources `[batch, source]` of the lengths `[batch]`: what the decoder knows of them, and its first state.
  public func read(_ source: Tensor, lengths: Tensor) -> (memory: Memory, state: [Tensor]) {
    let (states, final) = encoder.run(
      Dropout(dropout)(sourceEmbedding(source)), from: nil, lengths: lengths)
    let size = type(of: decoder).tensorsPerState
    let first = (0..<size).map { part in
      let parts = stride(from: part, to: final.count, by: size).map { final[$0] }
      return parts.count == 1 ? parts[0] : Tensor.concatenate(parts, axis: 1)
    }
    let mask = withoutGradient {
      Tensor.arange(source.shape[1]).reshaped(to: [1, 1, -1])
        .< lengths.cast(to: .int64).reshaped(to: [-1, 1, 1])
    }
    let memory = Memory(
      states: states, keys: alignment.map { $0.keys(states) } ?? states, mask: mask, lengths: lengths,
      summary: first[0])
    return (memory, first)
  }

  // MARK: Saying

  /// What a step hands to the next.
  struct Step {
    /// The cell's state.
    var state: [Tensor]
    /// What was attended to, in the form in which it is fed, `[batch, units]`; nil before the first step.
    var fed: Tensor?
  }

  private var featureCount: Int { targetEmbedding.weight.shape[1] + (isPeeky ? decoder.hidden : 0) }
  private var needsSteps: Bool { alignment != nil && (feedsInput || alignment!.score == .additive) }

  /// What the cell makes of tokens `[batch, steps]` alone, `[batch, steps, gates]`.
  private func words(_ tokens: Tensor, _ memory: Memory) -> Tensor {
    var words = Dropout(dropout)(targetEmbedding(tokens))
    if isPeeky {
      let shape: Shape = [tokens.shape[0], tokens.shape[1], memory.summary.shape[1]]
      words = Tensor.concatenate([words, memory.summary.expanded(axis: 1).broadcast(to: shape)], axis: 2)
    }
    return words
  }

  /// The part of the gates' sums that words `[..., features]` make.
  private func projected(_ words: Tensor) -> Tensor {
    let weight = decoder.inputWeight.value
    let own = needsSteps ? weight.sliced(0..<featureCount, axis: 0) : weight
    let product = matmul(words, own)
    return decoder.bias.map { product + $0.value } ?? product
  }

  private func attended(_ hidden: Tensor, _ memory: Memory) -> (context: Tensor, weights: Tensor) {
    let weights = alignment!.weights(hidden, memory)
    return (matmul(weights, memory.states), weights)
  }

  /// One step: from what the word makes of the gates' sums to what the next token follows from, `[batch, units]`.
  private func step(
    _ projected: Tensor, _ before: Step, _ memory: Memory
  ) -> (after: Step, shown: Tensor, weights: Tensor?) {
    guard let alignment, let mix else {
      let state = decoder.advance(projected, before.state)
      return (Step(state: state), state[0], nil)
    }
    var (sums, context, weights): (Tensor, Tensor?, Tensor?) = (projected, nil, nil)
    var fed = before.fed
    if alignment.score == .additive {
      let found = attended(before.state[0].expanded(axis: 1), memory)
      (context, weights) = (found.context.squeezed(axis: 1), found.weights)
      fed = context
    }
    if needsSteps, let fed {
      sums = sums + matmul(fed, decoder.inputWeight.value.sliced(featureCount..<decoder.inputs, axis: 0))
    }
    let state = decoder.advance(sums, before.state)
    if context == nil {
      let found = attended(state[0].expanded(axis: 1), memory)
      (context, weights) = (found.context.squeezed(axis: 1), found.weights)
    }
    let shown = mix(Tensor.concatenate([state[0], context!], axis: 1))
    return (Step(state: state, fed: feedsInput ? shown : nil), shown, weights)
  }

  /// With what a peeky decoder sees, and without what dropout takes.
  private func seen(_ shown: Tensor, _ memory: Memory) -> Tensor {
    guard isPeeky else { return Dropout(dropout)(shown) }
    let summary =
      shown.rank == 2
      ? memory.summary
      : memory.summary.expanded(axis: 1).broadcast(to: [
        shown.shape[0], shown.shape[1], memory.summary.shape[1],
      ])
    return Dropout(dropout)(Tensor.concatenate([shown, summary], axis: shown.rank - 1))
  }

  /// What the tokens after each of `inputs`, `[batch, steps]`, follow from, `[batch, steps, features]`, and the weights
  /// `[batch, steps, source]` of what is attended to.
  ///
  /// - Parameter own: in training, at which rate the decoder sees what it said itself instead of the input, and what is
  ///   drawn from (scheduled sampling; Bengio et al. 2015)
  func features(
    _ inputs: Tensor, _ memory: Memory, _ state: [Tensor], own: (rate: Double, random: RandomGenerator)? = nil
  ) -> (features: Tensor, weights: Tensor?) {
    if let own, own.rate > 0 { return saidAndHeard(inputs, memory, state, own.rate, own.random) }
    let words = words(inputs, memory)
    guard needsSteps else {
      let states = decoder.all(words, from: state)
      guard let mix else { return (seen(states, memory), nil) }
      let (context, weights) = attended(states, memory)
      return (seen(mix(Tensor.concatenate([states, context], axis: 2)), memory), weights)
    }
    var step = Step(state: state)
    var (shown, weights): ([Tensor], [Tensor]) = ([], [])
    for input in projected(words).unstacked(axis: 1) {
      let found = self.step(input, step, memory)
      step = found.after
      shown.append(found.shown)
      weights.append(found.weights!)
    }
    return (seen(Tensor.stack(shown, axis: 1), memory), Tensor.concatenate(weights, axis: 1))
  }

  private func saidAndHeard(
    _ inputs: Tensor, _ memory: Memory, _ state: [Tensor], _ rate: Double, _ random: RandomGenerator
  ) -> (features: Tensor, weights: Tensor?) {
    var (random, step) = (random, Step(state: state))
    var (shown, weights): ([Tensor], [Tensor]) = ([], [])
    var said: Tensor?
    for heard in inputs.unstacked(axis: 1) {
      var token = heard
      if let said {
        let isOwn = Tensor(uniform: [heard.shape[0]], using: &random) .< rate
        token = Tensor.where(isOwn, said, heard)
      }
      let word = words(token.expanded(axis: 1), memory).squeezed(axis: 1)
      let found = self.step(projected(word), step, memory)
      step = found.after
      let seen = seen(found.shown, memory)
      shown.append(seen)
      if let own = found.weights { weights.append(own) }
      said = withoutGradient { output(seen).argmax(axis: 1).cast(to: .int32) }
    }
    return (
      Tensor.stack(shown, axis: 1), weights.isEmpty ? nil : Tensor.concatenate(weights, axis: 1)
    )
  }

  /// The logits `[batch, steps, vocabulary]` of the token after each of `inputs`, `[batch, steps]`, given sources
  /// `[batch, source]` of the lengths `[batch]`, and the weights `[batch, steps, source]` of what is attended to.
  public func callAsFunction(
    _ source: Tensor, lengths: Tensor, _ inputs: Tensor
  ) -> (logits: Tensor, weights: Tensor?) {
    let (memory, state) = read(source, lengths: lengths)
    let (features, weights) = features(inputs, memory, state)
    return (output(features), weights)
  }

  /// The negated logarithm of the targets' probability, a sum over the tokens and ends of all pairs.
  public func cost(
    _ batch: PairBatch, own: (rate: Double, random: RandomGenerator)? = nil
  ) -> Tensor {
    let (memory, state) = read(batch.source, lengths: batch.sourceLengths)
    let features = features(batch.inputs, memory, state, own: own).features
    // Only tokens that are there are compared with the vocabulary.
    let shown = features.flattened(from: 0, to: 1).gathered(batch.places)
    return crossEntropy(output(shown), batch.targets, reduction: .sum)
  }

  // MARK: Token by token

  func next(after tokens: Tensor, _ before: Step, _ memory: Memory) -> (logits: Tensor, after: Step) {
    let word = words(tokens.expanded(axis: 1), memory).squeezed(axis: 1)
    let found = step(projected(word), before, memory)
    return (output(seen(found.shown, memory)), found.after)
  }
}

/// A translator's decoder token by token, for a search.
public struct TranslationDecoder: SequenceDecoder {
  /// What one token hands to the next; every row is a sequence of its own.
  public struct State: Sendable {
    let memory: Translator.Memory
    /// The source that each row of the memory belongs to.
    let owners: [Int32]
    let cell: [Tensor]
    let fed: Tensor?
  }

  /// The network that translates.
  public let model: Translator

  /// The decoder of a network.
  public init(_ model: Translator) { self.model = model }

  /// The state before the first token, given sources `[batch, source]` of the lengths `[batch]`.
  public func start(_ source: Tensor, lengths: Tensor) -> State {
    let (memory, cell) = model.read(source, lengths: lengths)
    return State(memory: memory, owners: (0..<Int32(source.shape[0])).map { $0 }, cell: cell, fed: nil)
  }

  /// The logits `[rows, vocabulary]` of the token after `tokens`, int32 `[rows]`, and the state then.
  public func next(after tokens: Tensor, _ state: State) -> (logits: Tensor, state: State) {
    let step = Translator.Step(state: state.cell, fed: state.fed)
    let (logits, after) = model.next(after: tokens, step, state.memory)
    return (logits, State(memory: state.memory, owners: state.owners, cell: after.state, fed: after.fed))
  }

  /// The state's rows at the places `rows`, int32 or int64 `[count]`; a row may come twice.
  public func rows(_ rows: Tensor, of state: State) -> State {
    let owners = rows.cast(to: .int64).elements(as: Int64.self).map { state.owners[Int($0)] }
    // Where hypotheses of the same source change places, what is known of it stays.
    let memory = owners == state.owners ? state.memory : state.memory.rows(rows)
    return State(
      memory: memory, owners: owners, cell: state.cell.map { $0.gathered(rows) },
      fed: state.fed?.gathered(rows))
  }
}
