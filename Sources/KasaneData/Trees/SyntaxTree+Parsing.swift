// SPDX-License-Identifier: Apache-2.0

import Kasane

extension SyntaxTree {
  /// A tree from its brackets, `(2 (3 good) (2 film))`, every phrase with a class from 0 to below `classCount`.
  ///
  /// - Parameters:
  ///   - source: What errors call the text, such as `train.txt: line 17`.
  ///   - labelled: Whether phrases have classes; without them it is `((good) (film))` or `(good film)`.
  public init(
    parsing text: some StringProtocol, classCount: Int, source: String, labelled: Bool = true
  ) throws {
    var parser = TreeParser(classCount: classCount, source: source, isLabelled: labelled)
    self.init(nodes: try parser.parse(text.utf8))
  }

  /// A tree for a sentence as a person writes it: brackets with classes, brackets without, or plain words, which branch
  /// to the right.
  public init(sentence text: String, classCount: Int, source: String) throws {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard let first = words.first else { throw KasaneError("\(source): no words") }
    guard first.hasPrefix("(") else {
      if let odd = words.first(where: { $0.contains("(") || $0.contains(")") }) {
        throw KasaneError("\(source): a bracket in \(odd), words or one bracketed tree expected")
      }
      self.init(rightBranching: words.map(String.init))
      return
    }
    // A class is a number after the first bracket, with something behind it.
    let inner = first.dropFirst()
    let isLabelled = !inner.isEmpty && inner.allSatisfy { $0.isASCII && $0.isNumber } && words.count > 1
    try self.init(parsing: text, classCount: classCount, source: source, labelled: isLabelled)
  }
}

/// Reads one tree; with a stack of its own, so that the depth of a tree is bounded by memory alone.
private struct TreeParser {
  let classCount: Int
  let source: String
  let isLabelled: Bool
  private var nodes: [SyntaxTree.Node] = []
  private var open: [Phrase] = []

  /// A bracket that is not closed yet.
  private struct Phrase {
    let column: Int
    var label: Int?
    var word: String?
    var children: [Int] = []
  }

  init(classCount: Int, source: String, isLabelled: Bool) {
    (self.classCount, self.source, self.isLabelled) = (classCount, source, isLabelled)
  }

  mutating func parse(_ bytes: some Collection<UInt8>) throws -> [SyntaxTree.Node] {
    let bytes = Array(bytes)
    var place = 0
    var isDone = false
    while place < bytes.count {
      let byte = bytes[place]
      if Self.isSpace(byte) {
        place += 1
        continue
      }
      guard !isDone else { throw wrong("more after the tree's last bracket", place) }
      switch byte {
      case UInt8(ascii: "("):
        if let last = open.last, isLabelled, last.label == nil {
          throw wrong("a phrase without its class", place)
        }
        if let last = open.last, last.word != nil {
          throw wrong("a bracket after the word \(last.word!)", place)
        }
        open.append(Phrase(column: place + 1))
        place += 1
      case UInt8(ascii: ")"):
        guard !open.isEmpty else { throw wrong("a closing bracket without an opening one", place) }
        let made = try close(open.removeLast())
        if open.isEmpty { isDone = true } else { open[open.count - 1].children.append(made) }
        place += 1
      default:
        var end = place
        while end < bytes.count, !Self.isSpace(bytes[end]), bytes[end] != UInt8(ascii: "("),
          bytes[end] != UInt8(ascii: ")")
        { end += 1 }
        try take(String(decoding: bytes[place..<end], as: UTF8.self), place)
        place = end
      }
    }
    guard open.isEmpty else {
      throw KasaneError(
        "\(source): unbalanced brackets: \(open.count) not closed, the first at column \(open[0].column)")
    }
    guard isDone else { throw KasaneError("\(source): no tree, one in brackets expected") }
    return nodes
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  private func wrong(_ what: String, _ place: Int) -> KasaneError {
    KasaneError("\(source): \(what), at column \(place + 1)")
  }

  private mutating func take(_ token: String, _ place: Int) throws {
    guard !open.isEmpty else { throw wrong("\(shown(token)) outside of brackets", place) }
    let last = open.count - 1
    if isLabelled && open[last].label == nil {
      guard let label = Int(token), (0..<classCount).contains(label) else {
        throw wrong("label \(shown(token)) is out of range, 0 to \(classCount - 1) expected", place)
      }
      open[last].label = label
    } else if isLabelled {
      guard open[last].word == nil else {
        throw wrong("two words, \(shown(open[last].word!)) and \(shown(token)), in one bracket", place)
      }
      guard open[last].children.isEmpty else { throw wrong("the word \(shown(token)) beside phrases", place) }
      open[last].word = token
    } else {
      open[last].children.append(add(SyntaxTree.Node(label: nil, word: token, left: 0, right: 0)))
    }
  }

  /// The place of the node that a bracket is.
  private mutating func close(_ phrase: Phrase) throws -> Int {
    if isLabelled && phrase.label == nil {
      throw wrong("a bracket without label and word", phrase.column - 1)
    }
    if let word = phrase.word {
      return add(SyntaxTree.Node(label: phrase.label, word: word, left: 0, right: 0))
    }
    let children = phrase.children
    // Without labels a word may stand in a bracket of its own.
    if !isLabelled && children.count == 1 { return children[0] }
    guard children.count == 2 else {
      let found =
        children.isEmpty ? "nothing" : children.count == 1 ? "one phrase" : "\(children.count) phrases"
      throw wrong("\(found) in a bracket, a word or two phrases expected", phrase.column - 1)
    }
    return add(SyntaxTree.Node(label: phrase.label, word: nil, left: children[0], right: children[1]))
  }

  private mutating func add(_ node: SyntaxTree.Node) -> Int {
    nodes.append(node)
    return nodes.count - 1
  }

  /// A token, or the beginning of a long one.
  private func shown(_ token: String) -> String { token.count > 40 ? token.prefix(40) + "..." : token }
}
