// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// Dialogue models against PyTorch's numbers (Tests/Fixtures/dialogue.py), closed forms and themselves.
@Suite struct DialogueTests {
  private static let dialogues: [[[Int32]]] = [
    [[2, 3, 4], [5], [6, 7]], [[8, 2], [3, 3, 5, 2]], [[4], [2, 8], [7, 6, 5], [3]],
  ]

  private func model(_ name: String) -> DialogueModel {
    var random = RandomGenerator(seed: 3)
    let sizes = DialogueModel.Sizes(
      words: 9, features: 3, hidden: 4, context: 5, latent: name == "vhred" ? 2 : 0)
    return DialogueModel(
      sizes, readsBothWays: name == "hred", remembers: name != "last-turn", hasBag: true, using: &random)
  }

  private func values(_ tensor: Tensor) -> [Float] { tensor.elements(as: Float.self) }

  private func expect(_ found: Tensor, _ expected: Tensor, _ what: String, _ tolerance: Float = 2e-5) {
    let (a, b) = (found.elements(as: Float.self), expected.elements(as: Float.self))
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
      let isTable = place[0] == "embedding"
      let last = place.removeLast()
      if let name = names.first(where: { last.hasPrefix($0.key) }) {
        place += ["layers", "0", last.hasSuffix("reverse") ? "backward" : "forward", name.value]
      } else {
        place.append(last)
      }
      result[place.joined(separator: ".")] = value.rank == 2 && !isTable ? value.transposed() : value
    }
    return result
  }

  @Test(arguments: ["hred", "last-turn", "vhred"]) func parity(_ name: String) throws {
    let path = Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Dialogue")
    let tensors = try Safetensors(contentsOf: try #require(path)).tensors
    let model = model(name)
    try model.load(own(tensors, "weight."), from: name)
    let batch = DialogueBatch(Self.dialogues, end: 0)
    func costs(_ model: DialogueModel) -> [Tensor] {
      let cost = model(batch, noise: model.latent == nil ? nil : tensors["noise"]!)
      return [cost.words, cost.divergence, cost.bag].compactMap { $0 }
    }
    expect(Tensor.stack(costs(model)), tensors["costs"]!, "costs")
    let (_, gradients) = valueWithGradient(at: model) { model in
      costs(model).enumerated().map { Double($0 + 1) * $1 }.reduce(Tensor(Float(0)), +)
    }
    let expected = own(tensors, "gradient.weight.")
    for (key, parameter) in model.parameters {
      expect(try #require(gradients[parameter], "\(key)"), try #require(expected[key], "\(key)"), key)
    }
  }

  /// A dialogue costs the same beside longer ones.
  @Test(arguments: ["hred", "last-turn", "vhred"]) func paddingChangesNothing(_ name: String) {
    let model = model(name)
    let noise = model.latent == nil ? nil : Tensor(zeros: [6, 2])
    func cost(_ dialogues: [[[Int32]]]) -> Double {
      let batch = DialogueBatch(dialogues, end: 0)
      let cost = model(batch, noise: noise.map { $0[..<batch.replyCount] })
      return cost.words.scalar + (cost.divergence?.scalar ?? 0) + (cost.bag?.scalar ?? 0)
    }
    let apart = Self.dialogues.map { cost([$0]) }.reduce(0, +)
    #expect(abs(apart - cost(Self.dialogues)) < 1e-4)
  }

  /// What is said later changes no logit before it; and the decoder word by word says what it says at once.
  @Test func noFutureIsSeen() {
    let model = model("hred")
    var random = RandomGenerator(seed: 4)
    let given = Tensor(normal: [2, 5], using: &random)
    let inputs: [Int32] = [0, 3, 5, 7, 0, 2, 2, 8]
    let logits = model.logits(Tensor(inputs, shape: [2, 4]), given: given)
    var other = inputs
    (other[2], other[7]) = (8, 1)
    let changed = model.logits(Tensor(other, shape: [2, 4]), given: given)
    for (row, place) in [(0, 2), (1, 3)] {
      #expect(values(logits.select(row)[..<place]) == values(changed.select(row)[..<place]))
      #expect(values(logits.select(row).select(place)) != values(changed.select(row).select(place)))
    }
    let decoder = ReplyDecoder(model)
    var state = decoder.start(given: given)
    for place in 0..<4 {
      let (found, after) = decoder.next(after: Tensor([inputs[place], inputs[4 + place]]), state)
      state = after
      expect(found, logits.select(place, axis: 1), "word \(place)")
    }
    let swapped = decoder.rows(Tensor([Int32(1), 0, 1]), of: state)
    #expect(values(swapped.hidden.select(2)) == values(state.hidden.select(1)))
    #expect(swapped.given.shape == [3, 5])
  }

  /// Contexts remember all turns, or the last alone.
  @Test func memory() {
    for (name, remembers) in [("hred", true), ("last-turn", false)] {
      let model = model(name)
      func context(_ first: Int32) -> Tensor {
        let turns: [[Int32]] = [[first], [4]]
        return turns.reduce(nil as Tensor?) { before, turn in
          model.context(after: model.meanings(of: Tensor(turn, shape: [1, 1])), before)
        }!
      }
      #expect((values(context(2)) != values(context(3))) == remembers)
    }
  }

  /// The divergence against an integral over the posterior, one variable at a time.
  @Test func divergenceIsTheIntegral() {
    let posterior = TurnLatent.Normal(
      mean: Tensor([0.3, -1.2] as [Float]), logVariance: Tensor([0.4, -0.7] as [Float]))
    let prior = TurnLatent.Normal(
      mean: Tensor([-0.5, 0.1] as [Float]), logVariance: Tensor([-0.2, 0.9] as [Float]))
    var integral = 0.0
    for (m, s, n, t) in [(0.3, 0.4, -0.5, -0.2), (-1.2, -0.7, 0.1, 0.9)] {
      func logDensity(_ x: Double, _ mean: Double, _ logVariance: Double) -> Double {
        -0.5 * (log(2 * Double.pi) + logVariance + (x - mean) * (x - mean) / exp(logVariance))
      }
      let step = 1e-3
      for x in stride(from: m - 12, to: m + 12, by: step) {
        let q = logDensity(x, m, s)
        integral += exp(q) * (q - logDensity(x, n, t)) * step
      }
    }
    #expect(abs(posterior.divergence(from: prior).scalar - integral) < 1e-4)
    #expect(abs(prior.divergence(from: prior).scalar) < 1e-6)
  }
}
