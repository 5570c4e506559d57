// SPDX-License-Identifier: Apache-2.0

/// A binary tree over the words of a sentence, in which every phrase, a word too, may have a class: as in the Stanford
/// Sentiment Treebank (Socher et al. 2013).
///
///     (3 (2 It) (4 (2 's) (4 (3 lovely) (2 .))))
public struct SyntaxTree: Hashable, Sendable {
  /// A phrase: a word or two phrases.
  public struct Node: Hashable, Sendable {
    /// Its class, or nil where it has none.
    public let label: Int?
    /// The word, or nil where it has children.
    public let word: String?
    /// The places of its children in `nodes`, 0 where it is a word.
    public let left, right: Int

    /// Whether it is a word.
    public var isLeaf: Bool { word != nil }
  }

  /// The phrases, every one after its children, the left child's part before the right one's: the last is the whole.
  public let nodes: [Node]

  /// The words in their order.
  public var words: [String] { nodes.compactMap(\.word) }
  /// The class of the whole.
  public var label: Int? { nodes[nodes.count - 1].label }

  init(nodes: [Node]) { self.nodes = nodes }

  /// Words without classes that branch to the right: the first beside all that follows, and so on.
  public init(rightBranching words: [String]) {
    precondition(!words.isEmpty, "SyntaxTree: no words")
    var nodes = words.map { Node(label: nil, word: $0, left: 0, right: 0) }
    for place in stride(from: words.count - 2, through: 0, by: -1) {
      nodes.append(Node(label: nil, word: nil, left: place, right: nodes.count - 1))
    }
    self.nodes = nodes
  }

  /// The same tree with other classes, one for each node.
  public func relabelled(_ labels: [Int?]) -> SyntaxTree {
    precondition(
      labels.count == nodes.count, "SyntaxTree: \(labels.count) labels for \(nodes.count) nodes")
    return SyntaxTree(
      nodes: zip(nodes, labels).map { node, label in
        Node(label: label, word: node.word, left: node.left, right: node.right)
      })
  }
}

extension SyntaxTree: CustomStringConvertible {
  /// The tree in brackets, as it is read.
  public var description: String {
    // Not by recursion: a tree may be as deep as its sentence is long.
    var text = ""
    var waiting: [(node: Int?, close: Bool)] = [(nodes.count - 1, false)]
    while let (place, isClosing) = waiting.popLast() {
      guard let place else {
        text += isClosing ? ")" : " "
        continue
      }
      let node = nodes[place]
      text += "("
      if let label = node.label { text += "\(label)" }
      if let word = node.word {
        text += node.label == nil ? "\(word))" : " \(word))"
      } else {
        if node.label != nil { text += " " }
        waiting += [(nil, true), (node.right, false), (nil, false), (node.left, false)]
      }
    }
    return text
  }
}
