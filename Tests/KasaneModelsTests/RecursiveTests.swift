// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

@Suite struct RecursiveTests {
  /// The trees of Tests/Fixtures/recursive.py.
  private static let trees: [[TreeBatch.Children?]] = [
    [nil, nil, nil, (1, 2), (0, 3)],
    [nil],
    [nil, nil, (0, 1), nil, nil, (3, 4), (2, 5)],
    [nil, nil, (0, 1), nil, (2, 3), nil, (4, 5), nil, (6, 7)],
    [nil, nil, nil, nil, nil, nil, (4, 5), (3, 6), (2, 7), (1, 8), (0, 9)],
    [nil, nil, nil, (1, 2), (0, 3), nil, nil, (5, 6), (4, 7)],
    [nil, nil, (0, 1)],
  ]

  private func encoder(_ name: String, _ random: inout RandomGenerator) -> any TreeEncoder {
    switch name {
    case "rnn": RecursiveNetwork(4, using: &random)
    case "mv-rnn": MatrixVectorNetwork(4, rank: 2, using: &random)
    case "rntn": RecursiveTensorNetwork(4, using: &random)
    case "tree-lstm": BinaryTreeLSTM(5, 4, using: &random)
    default: ChildSumTreeLSTM(5, 4, using: &random)
    }
  }

  /// PyTorch's values and gradients, computed node by node.
  @Test(arguments: ["rnn", "mv-rnn", "rntn", "tree-lstm", "child-sum"])
  func matchesPyTorch(_ name: String) throws {
    let path = Bundle.module.path(
      forResource: "recursive-\(name)", ofType: "safetensors", inDirectory: "Fixtures")
    let fixture = try Safetensors(contentsOf: try #require(path)).tensors
    var random = RandomGenerator(seed: 1)
    try check(encoder(name, &random), fixture)
  }

  private func check<Encoder: TreeEncoder>(_ encoder: Encoder, _ fixture: [String: Tensor]) throws {
    let batch = TreeBatch(Self.trees)
    #expect(batch.nodeCount == fixture["states"]!.shape[0])
    for (name, parameter) in encoder.parameters {
      parameter.assign(try #require(fixture["parameter.\(name)"]))
    }
    // The fixture's words go tree by tree.
    var leafRows: [Int] = []
    for (tree, rows) in zip(Self.trees, batch.rows) {
      for (node, row) in zip(tree, rows) where node == nil { leafRows.append(row) }
    }
    #expect(Set(leafRows) == Set(0..<batch.leafCount))
    var inverse = [Int](repeating: 0, count: leafRows.count)
    for (word, row) in leafRows.enumerated() { inverse[row] = word }
    let nodeRows = Tensor(Array(batch.rows.joined()))
    var states: Tensor?
    let result = valueWithGradient(at: encoder, fixture["words"]!) { encoder, words in
      let found = encoder(words.gathered(Tensor(inverse)), batch).gathered(nodeRows)
      states = found.detached()
      return (found * fixture["weights"]!).sum()
    }
    expectNear(states!, fixture["states"]!, "states")
    expectNear(result.inputGradient, fixture["gradient.words"]!, "words")
    for (name, parameter) in encoder.parameters {
      expectNear(result.gradients[parameter]!, fixture["gradient.\(name)"]!, name)
    }
  }

  private func expectNear(_ found: Tensor, _ expected: Tensor, _ what: String) {
    #expect(found.shape == expected.shape, "\(what)")
    let pairs = zip(found.elements(as: Float.self), expected.elements(as: Float.self))
    let worst = pairs.reduce(Float(0)) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
    #expect(worst < 1e-5, "\(what): \(worst)")
  }

  /// A tree's states do not hang on what is computed beside it.
  @Test(arguments: ["rnn", "mv-rnn", "rntn", "tree-lstm", "child-sum"])
  func treesDoNotMeet(_ name: String) {
    var random = RandomGenerator(seed: 4)
    let encoder = encoder(name, &random)
    let together = TreeBatch(Self.trees)
    let words = Tensor(normal: [together.leafCount, encoder.inputs], using: &random)
    let all = encoder(words, together)
    #expect(all.shape == [together.nodeCount, encoder.hidden])
    for (tree, rows) in zip(Self.trees, together.rows) {
      let alone = TreeBatch([tree])
      var own = [Int](repeating: 0, count: alone.leafCount)
      for (place, node) in tree.enumerated() where node == nil { own[alone.rows[0][place]] = rows[place] }
      let states = encoder(words.gathered(Tensor(own)), alone).gathered(Tensor(alone.rows[0]))
      expectNear(states, all.gathered(Tensor(rows)), name)
      #expect(alone.roots.elements(as: Int.self) == [alone.nodeCount - 1])
    }
  }
}
