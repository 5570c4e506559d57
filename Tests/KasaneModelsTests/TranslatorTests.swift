// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// Translators against PyTorch's numbers (Tests/Fixtures/translators.py), and themselves.
@Suite struct TranslatorTests {
  private static let sources: [[Int32]] = [[2, 3, 4, 0], [6, 0], [5, 5, 2, 3, 6, 0], [4, 2, 0]]
  private static let targets: [[Int32]] = [[5, 2], [3, 3, 7, 4], [], [6]]
  static let names = ["plain", "peeky", "dot", "general", "concat", "additive", "local"]
  static let attentive = ["dot", "general", "concat", "additive", "local"]

  private func model(_ name: String, dropout: Double = 0) -> Translator {
    var random = RandomGenerator(seed: 3)
    let sizes = Translator.Sizes(source: 7, target: 8, features: 3, hidden: 4)
    func make(
      _ cell: RecurrentKind, _ bothWays: Bool, _ peeky: Bool = false, _ score: Alignment.Score? = nil,
      window: Int? = nil, feeds: Bool = false
    ) -> Translator {
      Translator(
        sizes, cell: cell, readsBothWays: bothWays, isPeeky: peeky, attention: score, window: window,
        feedsInput: feeds, dropout: dropout, using: &random)
    }
    return switch name {
    case "plain": make(.lstm, true)
    case "peeky": make(.gru, false, true)
    case "dot": make(.lstm, false, false, .dot)
    case "general": make(.lstm, true, false, .general, feeds: true)
    case "concat": make(.rnn, true, false, .concat)
    case "additive": make(.gru, true, false, .additive)
    default: make(.gru, false, true, .general, window: 2, feeds: true)
    }
  }

  private func values(_ tensor: Tensor) -> [Float] { tensor.elements(as: Float.self) }

  private func expect(_ found: Tensor, _ expected: Tensor, _ what: String, _ tolerance: Float = 2e-5) {
    let (a, b) = (values(found), values(expected))
    let scale = b.reduce(1e-6) { max($0, abs($1)) }
    #expect(found.shape == expected.shape, "\(what)")
    #expect(zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * scale }, "\(what): \(a) and \(b)")
  }

  /// This library's name and layout of PyTorch's parameters.
  private func own(_ tensors: [String: Tensor], _ prefix: String) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    let names = [
      "weight_ih": "inputWeight", "weight_hh": "recurrentWeight", "bias_ih": "bias",
      "bias_hh": "recurrentBias",
    ]
    for (key, value) in tensors where key.hasPrefix(prefix) {
      var place = key.dropFirst(prefix.count).split(separator: ".").map(String.init)
      let isTable = place[0].hasSuffix("Embedding")
      let last = place.removeLast()
      if let name = names.first(where: { last.hasPrefix($0.key) }) {
        if place[0] == "encoder" {
          place += ["layers", "0", last.hasSuffix("reverse") ? "backward" : "forward"]
        }
        place.append(name.value)
      } else {
        place.append(last)
      }
      result[place.joined(separator: ".")] = value.rank == 2 && !isTable ? value.transposed() : value
    }
    return result
  }

  @Test(arguments: names) func parity(_ name: String) throws {
    let path = Bundle.module.path(
      forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Translators")
    let tensors = try Safetensors(contentsOf: try #require(path)).tensors
    let model = model(name)
    try model.load(own(tensors, "weight."), from: name)
    let batch = PairBatch(Self.sources, Self.targets, end: 0)
    let (cost, gradients) = valueWithGradient(at: model) { $0.cost(batch) }
    expect(cost, tensors["cost"]!, "cost")
    let expected = own(tensors, "gradient.weight.")
    for (key, parameter) in model.parameters {
      expect(try #require(gradients[parameter], "\(key)"), try #require(expected[key], "\(key)"), key)
    }
    guard model.alignment != nil else { return }
    var weights: [Float] = []
    for (source, target) in zip(Self.sources, Self.targets) {
      weights += values(self.weights(model, source, target))
    }
    expect(Tensor(weights), tensors["attention"]!, "attention")
  }

  private func weights(_ model: Translator, _ source: [Int32], _ target: [Int32]) -> Tensor {
    model(
      Tensor(source, shape: [1, source.count]), lengths: Tensor([Int32(source.count)]),
      Tensor([0] + target, shape: [1, target.count + 1])
    ).weights!
  }

  /// A pair costs the same beside longer ones, whatever stands in the padding, and nothing of that is attended to.
  @Test(arguments: names) func paddingChangesNothing(_ name: String) {
    let model = model(name)
    func cost(_ sources: [[Int32]], _ targets: [[Int32]]) -> Double {
      model.cost(PairBatch(sources, targets, end: 0)).scalar
    }
    let apart = zip(Self.sources, Self.targets).map { cost([$0], [$1]) }.reduce(0, +)
    #expect(abs(apart - cost(Self.sources, Self.targets)) < 1e-4)
    func logits(padding: Int32) -> (logits: Tensor, weights: Tensor?) {
      let rows: [Int32] = [2, 3, padding, padding, 5, 4, 6, 0]
      return model(
        Tensor(rows, shape: [2, 4]), lengths: Tensor([2, 4] as [Int32]),
        Tensor([0, 3, 0, 2] as [Int32], shape: [2, 2]))
    }
    let (one, other) = (logits(padding: 0), logits(padding: 6))
    #expect(values(one.logits) == values(other.logits))
    guard let weights = one.weights else { return }
    for step in 0..<2 {
      let row = values(weights.select(0).select(step))
      #expect(row[2] == 0 && row[3] == 0)
      // Under a window what is left of one is seen.
      if name != "local" { #expect(abs(row.reduce(0, +) - 1) < 1e-6) }
    }
  }

  /// What is said later changes no logit before it; and the decoder token by token says what it says at once.
  @Test(arguments: names) func noFutureIsSeen(_ name: String) {
    let model = model(name)
    let source = Tensor([2, 3, 4, 5, 6, 0] as [Int32], shape: [2, 3])
    let lengths = Tensor([3, 2] as [Int32])
    let inputs: [Int32] = [0, 3, 5, 7, 0, 2, 2, 6]
    let logits = model(source, lengths: lengths, Tensor(inputs, shape: [2, 4])).logits
    var changed = inputs
    (changed[2], changed[7]) = (6, 1)
    let other = model(source, lengths: lengths, Tensor(changed, shape: [2, 4])).logits
    for (row, place) in [(0, 2), (1, 3)] {
      #expect(values(logits.select(row)[..<place]) == values(other.select(row)[..<place]))
      #expect(values(logits.select(row).select(place)) != values(other.select(row).select(place)))
    }
    let decoder = TranslationDecoder(model)
    var state = decoder.start(source, lengths: lengths)
    for place in 0..<4 {
      let (found, after) = decoder.next(after: Tensor([inputs[place], inputs[4 + place]]), state)
      state = after
      expect(found, logits.select(place, axis: 1), "token \(place)")
    }
    // Rows that are doubled and change places go on as their originals.
    let rows = decoder.rows(Tensor([Int32(1), 0, 1]), of: state)
    let (next, _) = decoder.next(after: Tensor([Int32(4), 4, 4]), rows)
    let (originals, _) = decoder.next(after: Tensor([Int32(4), 4]), state)
    expect(next, Tensor.stack([originals.select(1), originals.select(0), originals.select(1)]), "rows")
  }

  /// A decoder that hears itself alone costs what it costs with its own likeliest tokens as inputs.
  @Test(arguments: ["peeky", "general", "additive"]) func ownTokens(_ name: String) {
    let model = model(name)
    let batch = PairBatch([[2, 5, 0]], [[3, 4, 6]], end: 0)
    let decoder = TranslationDecoder(model)
    var state = decoder.start(batch.source, lengths: batch.sourceLengths)
    var (token, cost) = (Tensor([Int32(0)]), 0.0)
    for target: Int32 in [3, 4, 6, 0] {
      let (logits, after) = decoder.next(after: token, state)
      cost += crossEntropy(logits, Tensor([target])).scalar
      (state, token) = (after, logits.argmax(axis: 1).cast(to: .int32))
    }
    let random = RandomGenerator(seed: 1)
    #expect(abs(model.cost(batch, own: (1, random)).scalar - cost) < 1e-4)
    #expect(abs(model.cost(batch, own: (0, random)).scalar - model.cost(batch).scalar) < 1e-6)
  }

  // MARK: Search

  /// Every sequence of at most `longest` tokens, by its score.
  private func all(_ decoder: TranslationDecoder, _ state: TranslationDecoder.State, _ search: BeamSearch)
    -> [(tokens: [Int32], score: Double)]
  {
    var found: [(tokens: [Int32], score: Double)] = []
    func visit(_ tokens: [Int32], _ state: TranslationDecoder.State, _ sum: Double) {
      guard tokens.count < search.maximumLength else { return }
      let (logits, after) = decoder.next(after: Tensor([tokens.last ?? 0]), state)
      let chances = values(logits - logits.logSumExp(axes: [1], keepingAxes: true))
      for (token, chance) in chances.enumerated() {
        let total = sum + Double(chance)
        if token == 0 {
          guard tokens.count >= search.minimumLength else { continue }
          let penalty = pow((6 + Double(tokens.count)) / 6, search.lengthPenalty)
          found.append((tokens, total / penalty))
        } else {
          visit(tokens + [Int32(token)], after, total)
        }
      }
    }
    visit([], state, 0)
    return found.sorted { $0.score > $1.score }
  }

  @Test(arguments: ["plain", "general", "additive"], [(0.0, 0), (0.8, 0), (0.8, 2)])
  func beamFindsWhatExhaustiveSearchFinds(
    _ name: String, _ rules: (lengthPenalty: Double, minimumLength: Int)
  ) throws {
    let model = model(name)
    let decoder = TranslationDecoder(model)
    let sources: [[Int32]] = [[2, 3, 4, 0], [6, 0, 0, 0], [5, 2, 0, 0]]
    let lengths: [Int32] = [4, 2, 3]
    let search = BeamSearch(
      width: 600, lengthPenalty: rules.lengthPenalty, minimumLength: rules.minimumLength, maximumLength: 4,
      end: 0)
    let found = search.search(
      decoder, from: decoder.start(Tensor(sources.flatMap { $0 }, shape: [3, 4]), lengths: Tensor(lengths)),
      first: Tensor([Int32(0), 0, 0]))
    for (row, source) in sources.enumerated() {
      let state = decoder.start(
        Tensor(Array(source.prefix(Int(lengths[row]))), shape: [1, Int(lengths[row])]),
        lengths: Tensor([lengths[row]]))
      let expected = all(decoder, state, search)
      // Those cut by the length come to no end in the exhaustive search.
      let own = found[row].filter(\.isFinished).prefix(5)
      #expect(own.count == 5)
      for (one, other) in zip(own, expected) {
        #expect(one.tokens == other.tokens && abs(one.score - other.score) < 1e-4, "\(name) row \(row)")
      }
    }
  }

  /// Width 1 takes the likeliest token each time, a wider beam never finds what is less likely at a finished sequence's
  /// own score, and what is forbidden does not occur.
  @Test func greedy() {
    let model = model("general")
    let decoder = TranslationDecoder(model)
    let source = Tensor([2, 3, 4, 5, 6, 0] as [Int32], shape: [2, 3])
    let start = decoder.start(source, lengths: Tensor([3, 3] as [Int32]))
    let first = Tensor([Int32(0), 0])
    let greedy = BeamSearch(width: 1, maximumLength: 6, end: 0).search(decoder, from: start, first: first)
    for row in 0..<2 {
      var state = decoder.rows(Tensor([Int32(row)]), of: start)
      var tokens: [Int32] = []
      while tokens.count < 6 {
        let (logits, after) = decoder.next(after: Tensor([tokens.last ?? 0]), state)
        let token = logits.argmax(axis: 1).cast(to: .int32).elements(as: Int32.self)[0]
        if token == 0 { break }
        tokens.append(token)
        state = after
      }
      #expect(greedy[row].count == 1 && greedy[row][0].tokens == tokens)
      #expect(greedy[row][0].isFinished == (tokens.count < 6))
    }
    let forbidden = Array(1..<8).map { Int32($0) }
    let empty = BeamSearch(width: 3, maximumLength: 6, end: 0, forbidden: forbidden).search(
      decoder, from: start, first: first)
    #expect(empty.allSatisfy { $0.map(\.tokens) == [[]] })
  }
}
