// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Binary trees taken together, so that all phrases of one height of all trees are computed at once: as many products as
/// the highest tree is high, whatever the number of trees.
///
/// The states of all nodes are the rows of one matrix: the leaves first, then the phrases by their height.
public struct TreeBatch: Sendable {
  /// The children of a node of a tree, by their places in it.
  public typealias Children = (left: Int, right: Int)

  /// How many nodes the trees have.
  public let nodeCount: Int
  /// How many of them are leaves; these are the first rows.
  public let leafCount: Int
  /// The row of each node of each tree.
  public let rows: [[Int]]
  /// The rows of the trees' roots, `[trees]`, int64.
  public let roots: Tensor

  /// Rows of one level that the phrases of another are made of.
  private struct Part: Sendable {
    let level: Int
    let rows: Range<Int>
  }

  /// The phrases of one height.
  private struct Level: Sendable {
    var parts: [Part] = []
    /// Where each child is among the parts' rows, left and right in turns; nil where they come in that order.
    var order: Tensor?
  }

  private let levels: [Level]

  /// The trees, each by the children of its nodes, nil for a leaf; children come before their parent, and the root is
  /// the last.
  public init(_ trees: [[Children?]]) {
    let forest = Forest(trees)
    var nodesOfHeight = [[Int]](repeating: [], count: (forest.height.max() ?? -1) + 1)
    for (node, height) in forest.height.enumerated() { nodesOfHeight[height].append(node) }
    // The rows of a level are in the order of the levels that use them, so that each use is a stretch of them.
    var levels = [Level](repeating: Level(), count: nodesOfHeight.count)
    var gathered = [Int](repeating: 0, count: levels.count)
    var row = [Int](repeating: 0, count: forest.height.count)
    var position = row
    var first = 0
    for level in nodesOfHeight.indices {
      let nodes = nodesOfHeight[level].map { (user: forest.user(of: $0), node: $0) }.sorted { $0 < $1 }
      var start = 0
      while start < nodes.count {
        let user = nodes[start].user
        let end = nodes[start...].firstIndex { $0.user != user } ?? nodes.count
        if user < Int.max {
          for place in start..<end { position[nodes[place].node] = gathered[user] + place - start }
          levels[user].parts.append(Part(level: level, rows: start..<end))
          gathered[user] += end - start
        }
        start = end
      }
      for (offset, item) in nodes.enumerated() { row[item.node] = first + offset }
      first += nodes.count
      guard level > 0 else { continue }
      var order: [Int] = []
      for item in nodes {
        let pair = forest.children[item.node]!
        order += [position[pair.left], position[pair.right]]
      }
      levels[level].order = order == Array(order.indices) ? nil : Tensor(order)
    }
    nodeCount = forest.height.count
    leafCount = nodesOfHeight.first?.count ?? 0
    rows = zip(forest.starts, trees).map { start, tree in Array(row[start..<start + tree.count]) }
    roots = Tensor(rows.map { $0[$0.count - 1] })
    self.levels = levels
  }

  /// The states of all nodes, `[nodes, features]` each, from those of the leaves, `[leaves, features]` each.
  ///
  /// - Parameter compose: The states of phrases, `[phrases, features]` each, from those of their children,
  ///   `[2 * phrases, features]` each: the left and the right one of a phrase in turns.
  public func states(leaves: [Tensor], compose: (_ children: [Tensor]) -> [Tensor]) -> [Tensor] {
    precondition(
      leaves.allSatisfy { $0.rank == 2 && $0.shape[0] == leafCount },
      "TreeBatch: states of shapes \(leaves.map(\.shape)) for \(leafCount) leaves")
    var states = [leaves]
    for level in levels.dropFirst() {
      let children = leaves.indices.map { kind in
        let parts = level.parts.map { part -> Tensor in
          let whole = states[part.level][kind]
          return part.rows.count == whole.shape[0] ? whole : whole.sliced(part.rows, axis: 0)
        }
        let together = parts.count == 1 ? parts[0] : Tensor.concatenate(parts)
        return level.order.map { together.gathered($0) } ?? together
      }
      states.append(compose(children))
    }
    return leaves.indices.map { kind in
      states.count == 1 ? leaves[kind] : Tensor.concatenate(states.map { $0[kind] })
    }
  }
}

/// All nodes of several trees, counted through.
private struct Forest {
  var height: [Int] = []
  var children: [TreeBatch.Children?] = []
  /// Where each tree begins.
  var starts: [Int] = []
  private var parent: [Int] = []

  init(_ trees: [[TreeBatch.Children?]]) {
    for tree in trees {
      precondition(!tree.isEmpty, "TreeBatch: a tree without nodes")
      let start = children.count
      starts.append(start)
      parent += [Int](repeating: -1, count: tree.count)
      for (place, pair) in tree.enumerated() {
        guard let pair else {
          height.append(0)
          children.append(nil)
          continue
        }
        precondition(
          (0..<place).contains(pair.left) && (0..<place).contains(pair.right) && pair.left != pair.right
            && parent[start + pair.left] < 0 && parent[start + pair.right] < 0,
          "TreeBatch: node \(place) has the children \(pair.left) and \(pair.right)")
        parent[start + pair.left] = start + place
        parent[start + pair.right] = start + place
        height.append(max(height[start + pair.left], height[start + pair.right]) + 1)
        children.append((start + pair.left, start + pair.right))
      }
      precondition(
        (start..<children.count - 1).allSatisfy { parent[$0] >= 0 }, "TreeBatch: a tree with several roots")
    }
  }

  /// The height of the phrase that a node is part of; of a root, above all.
  func user(of node: Int) -> Int { parent[node] < 0 ? Int.max : height[parent[node]] }
}
