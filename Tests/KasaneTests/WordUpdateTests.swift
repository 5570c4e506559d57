// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// Word vectors, which learn in place.
@Suite struct WordUpdateTests {
  private struct Case: CustomStringConvertible {
    var width = 100, window = 5, drawn = 5
    var takesMean = false, hasTree = false, hasParts = false
    var sample = 0.0
    var description: String {
      "width \(width), window \(window), drawn \(drawn), mean \(takesMean), tree \(hasTree), parts \(hasParts), "
        + "sample \(sample)"
    }
  }

  private static let words = 40, parts = 25

  private struct Vectors {
    let tables: WordTables
    let input: Parameter
    let output, nodes: Parameter?

    init(_ given: Case) {
      var random = RandomGenerator(seed: 5)
      let counts = (0..<words).map { 1 + 400 / ($0 + 1) }
      let rows: [[Int32]] = (0..<words).map { word in
        (0..<word % 4).map { _ in Int32(words) + Int32(random.next() % UInt64(parts)) }
      }
      tables = WordTables(
        counts: counts, sample: given.sample, drawn: given.drawn, hasTree: given.hasTree,
        parts: given.hasParts ? rows : [])
      func vectors(_ count: Int) -> Parameter {
        Parameter(Tensor(normal: [count, given.width], using: &random) * 0.3)
      }
      input = vectors(words + parts)
      output = given.drawn > 0 ? vectors(words) : nil
      nodes = given.hasTree ? vectors(words - 1) : nil
    }

    var all: [Parameter] { [input, output, nodes].compactMap { $0 } }

    /// Learns from a sentence of its own or from all at once; a sentence is one thread's.
    func learn(
      with given: Case, on engine: any Engine, seed: UInt64 = 9, atOnce: Bool = false
    ) -> WordUpdateOutcome {
      var random = RandomGenerator(seed: 3)
      let sentences = [12, 1, 0, 30, 2, 7].map { length in
        (0..<length).map { _ in Int32(random.next() % UInt64(words)) }
      }
      func update(_ sentences: [[Int32]]) -> WordUpdateOutcome {
        engine.learnWords(
          WordUpdate(
            tables: tables, tokens: sentences.flatMap { $0 },
            starts: sentences.reduce(into: [0]) { $0.append($0.last! + Int64($1.count)) },
            input: input.mutableStorage(), output: output?.mutableStorage(), nodes: nodes?.mutableStorage(),
            window: given.window, takesMean: given.takesMean, rate: 0.05, seed: seed))
      }
      if atOnce { return update(sentences) }
      return sentences.reduce(into: WordUpdateOutcome()) { sum, sentence in
        let found = update([sentence])
        sum.loss += found.loss
        sum.predictions += found.predictions
        sum.kept += found.kept
      }
    }
  }

  private static var cases: [Case] {
    var all: [Case] = []
    for takesMean in [false, true] {
      for hasParts in [false, true] {
        for (drawn, hasTree) in [(5, false), (0, true), (3, true), (13, false)] {
          all.append(Case(drawn: drawn, takesMean: takesMean, hasTree: hasTree, hasParts: hasParts))
        }
      }
    }
    all += [1, 7, 16, 33].map { Case(width: $0) }
    all += [1, 2, 50].map { Case(width: 20, window: $0) }
    all += [Case(sample: 0.01), Case(takesMean: true, sample: 0.003)]
    return all
  }

  @Test func equalsTheComposition() {
    for given in Self.cases {
      let (fused, composed) = (Vectors(given), Vectors(given))
      let found = fused.learn(with: given, on: CPUEngine())
      let expected = composed.learn(with: given, on: ReferenceEngine())
      #expect(found.predictions == expected.predictions && found.kept == expected.kept, "\(given)")
      #expect(abs(found.loss - expected.loss) < 1e-4 * expected.loss, "\(given)")
      for (a, b) in zip(fused.all, composed.all) { expectClose(a.value, b.value, 2e-5, "\(given)") }
    }
  }

  @Test func repeatsToTheBit() {
    let given = Case(sample: 0.01)
    func learned(_ seed: UInt64) -> [Float] {
      let vectors = Vectors(given)
      _ = vectors.learn(with: given, on: CPUEngine(), seed: seed)
      return vectors.input.value.elements(as: Float.self)
    }
    #expect(learned(1) == learned(1))
    #expect(learned(1) != learned(2))
  }

  @Test func learnsFromAllSentencesOnAnyThreads() {
    let given = Case()
    let (fused, composed) = (Vectors(given), Vectors(given))
    let found = fused.learn(with: given, on: CPUEngine(), atOnce: true)
    let expected = composed.learn(with: given, on: ReferenceEngine(), atOnce: true)
    #expect(found.predictions == expected.predictions && found.kept == expected.kept)
    // Threads may lose a few of each other's updates.
    #expect(abs(found.loss - expected.loss) < 0.02 * expected.loss)
    expectClose(fused.input.value, composed.input.value, 0.1, "words")
  }

  /// The gradient by automatic differentiation of a window's loss, of which no two targets are the same word.
  @Test func movesAgainstTheGradient() {
    let words = 30, width = 12, rate = 0.01
    let tables = WordTables(counts: [Int](repeating: 1, count: words), drawn: 0, hasTree: true)
    var random = RandomGenerator(seed: 1)
    let start = Tensor(normal: [words, width], using: &random)
    let tree = Tensor(normal: [words - 1, width], using: &random)
    let (input, nodes) = (Parameter(start), Parameter(tree))
    // Of two words each foretells the other, one after another: the first alone is what the gradient is of.
    _ = learnWords(
      tables, [4, 7], starts: [0, 2], input: input, output: nil, nodes: nodes, window: 1, takesMean: false,
      rate: rate, seed: 1)
    func moved(_ input: Tensor, _ nodes: Tensor, _ seen: Int, _ word: Int) -> (Tensor, Tensor) {
      let path = Int(tables.paths[word])..<Int(tables.paths[word + 1])
      let rows = Tensor(tables.pathNodes[path]).cast(to: .int64)
      let signs = Tensor(tables.pathTurns[path].map { 1 - 2 * Float($0) })
      let (_, gradients) = valueWithGradient(at: input, nodes) { input, nodes in
        let scores = (nodes.gathered(rows) * input.sliced(seen..<seen + 1, axis: 0)).sum(axes: [1]) * signs
        return softplus(-scores).sum()
      }
      return (input - gradients.0 * rate, nodes - gradients.1 * rate)
    }
    let first = moved(start, tree, 7, 4)
    let second = moved(first.0, first.1, 4, 7)
    expectClose(input.value, second.0, 1e-5, "words")
    expectClose(nodes.value, second.1, 1e-5, "nodes")
  }

  // MARK: Tables

  @Test func drawsByCountsToThePowerOfThreeQuarters() {
    let counts = [1000, 300, 50, 7, 1, 1]
    let tables = WordTables(counts: counts, drawn: 5)
    var shares = [Double](repeating: 0, count: counts.count)
    for place in counts.indices {
      let own = Double(tables.shares[place]) / 4_294_967_295
      shares[place] += own / Double(counts.count)
      shares[Int(tables.aliases[place])] += (1 - own) / Double(counts.count)
    }
    let weights = counts.map { pow(Double($0), 0.75) }
    for (share, weight) in zip(shares, weights) {
      #expect(abs(share - weight / weights.reduce(0, +)) < 1e-8)
    }
  }

  @Test func keepsRareWords() {
    let counts = [100_000, 5000, 100, 1]
    let tables = WordTables(counts: counts, sample: 1e-3, drawn: 1)
    let threshold = 1e-3 * Double(counts.reduce(0, +))
    for (word, count) in counts.enumerated() {
      let ratio = Double(count) / threshold
      let expected = min(1, (ratio.squareRoot() + 1) / ratio)
      #expect(abs(Double(tables.keep[word]) / 4_294_967_295 - expected) < 1e-8)
    }
  }

  /// Huffman's tree: the way to each word ends there alone, and no tree has shorter ones for these counts.
  @Test(arguments: [1, 2, 3, 9, 200]) func makesATree(_ words: Int) {
    let counts = (0..<words).map { 1 + ($0 * 7919) % 97 }
    let tables = WordTables(counts: counts, drawn: 0, hasTree: true)
    #expect(tables.paths.count == words + 1)
    var (ways, cost) = (Set<String>(), 0)
    var sum = 0.0
    for word in 0..<words {
      let path = Int(tables.paths[word])..<Int(tables.paths[word + 1])
      ways.insert(
        zip(tables.pathNodes[path], tables.pathTurns[path]).map { "\($0).\($1)" }.joined(separator: " "))
      cost += counts[word] * path.count
      sum += pow(0.5, Double(path.count))
    }
    #expect(ways.count == words)
    #expect(abs(sum - 1) < 1e-12, "Kraft's sum")
    var (left, least) = (counts.sorted(), 0)
    while left.count > 1 {
      let made = left[0] + left[1]
      least += made
      left = (left.dropFirst(2) + [made]).sorted()
    }
    #expect(cost == least)
  }
}
