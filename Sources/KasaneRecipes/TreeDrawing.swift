// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData

/// What a network says of a phrase.
struct PhraseAnswer {
  /// The likeliest class.
  let label: Int
  /// Its probability.
  let share: Double
}

/// The phrases of a tree, each indented below the one that it is part of, with the class that the network gives it.
func outline(of tree: SyntaxTree, _ answers: [PhraseAnswer]) -> [String] {
  let width = SentimentTrees.classNames.map(\.count).max()!
  var lines: [String] = []
  var waiting = [(node: tree.nodes.count - 1, depth: 0)]
  let phrases = phrases(of: tree)
  while let (place, depth) = waiting.popLast() {
    let node = tree.nodes[place]
    let name = SentimentTrees.classNames[answers[place].label]
    let percent = fixed(100 * answers[place].share, 2)
    let share = String(repeating: " ", count: 6 - percent.count) + percent
    let padding = String(repeating: " ", count: width - name.count)
    lines.append("\(name)\(padding)  \(share) %  \(String(repeating: "  ", count: depth))\(phrases[place])")
    if !node.isLeaf { waiting += [(node.right, depth + 1), (node.left, depth + 1)] }
  }
  return lines
}

/// The words of each node of a tree; of long phrases the first and the last.
private func phrases(of tree: SyntaxTree) -> [String] {
  let words = tree.words
  var ranges: [Range<Int>] = []
  var next = 0
  for node in tree.nodes {
    if node.isLeaf {
      ranges.append(next..<next + 1)
      next += 1
    } else {
      ranges.append(ranges[node.left].lowerBound..<ranges[node.right].upperBound)
    }
  }
  return ranges.map { range in
    guard range.count > 12 else { return words[range].joined(separator: " ") }
    return words[range.prefix(8)].joined(separator: " ") + " ... "
      + words[range.suffix(3)].joined(separator: " ")
  }
}

/// A tree as SVG: each phrase a disc in the colour of its class, its words below.
func drawing(of tree: SyntaxTree, _ answers: [PhraseAnswer]) -> String {
  let colours = ["#b2182b", "#ef8a62", "#d9d9d9", "#67a9cf", "#2166ac"]
  let signs = ["−−", "−", "0", "+", "++"]
  let (gap, top, step, radius) = (14.0, 64.0, 46.0, 13.0)
  func at(_ value: Double) -> String { String((value * 10).rounded() / 10) }
  func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  // Words stand side by side on the last line; a phrase stands above the middle of its parts, as high as it is deep.
  var place: [(x: Double, height: Int)] = []
  var right = gap
  for node in tree.nodes {
    if let word = node.word {
      let width = max(
        2 * radius, 7.5 * Double(word.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E7F ? 2 : 1) }))
      place.append((right + width / 2, 0))
      right += width + gap
    } else {
      let (first, second) = (place[node.left], place[node.right])
      place.append(((first.x + second.x) / 2, max(first.height, second.height) + 1))
    }
  }
  let highest = place.last!.height
  let width = max(right, 474)
  let shift = (width - right) / 2
  let height = top + Double(highest) * step + 56
  func x(_ node: Int) -> Double { place[node].x + shift }
  func y(_ node: Int) -> Double { top + Double(highest - place[node].height) * step }

  var lines = [
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(at(width))\" height=\"\(at(height))\" "
      + "viewBox=\"0 0 \(at(width)) \(at(height))\" font-family=\"sans-serif\" font-size=\"13\">",
    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
  ]
  for (label, name) in SentimentTrees.classNames.enumerated() {
    let left = 14 + Double(label) * 92
    lines.append("<circle cx=\"\(at(left))\" cy=\"18\" r=\"6\" fill=\"\(colours[label])\"/>")
    lines.append("<text x=\"\(at(left + 9))\" y=\"22\" font-size=\"10\" fill=\"#333\">\(name)</text>")
  }
  for (index, node) in tree.nodes.enumerated() where !node.isLeaf {
    for child in [node.left, node.right] {
      lines.append(
        "<line x1=\"\(at(x(index)))\" y1=\"\(at(y(index)))\" x2=\"\(at(x(child)))\" y2=\"\(at(y(child)))\" "
          + "stroke=\"#999\"/>")
    }
  }
  let phrases = phrases(of: tree)
  for (index, node) in tree.nodes.enumerated() {
    let answer = answers[index]
    let ink = answer.label == 0 || answer.label == 4 ? "white" : "#222"
    let title =
      "\(phrases[index]): \(SentimentTrees.classNames[answer.label]), \(fixed(100 * answer.share, 1)) %"
    lines.append("<g><title>\(escaped(title))</title>")
    lines.append(
      "<circle cx=\"\(at(x(index)))\" cy=\"\(at(y(index)))\" r=\"\(at(radius))\" fill=\"\(colours[answer.label])\" "
        + "stroke=\"#555\"/>")
    lines.append(
      "<text x=\"\(at(x(index)))\" y=\"\(at(y(index) + 4))\" text-anchor=\"middle\" font-size=\"11\" fill=\"\(ink)\">"
        + "\(signs[answer.label])</text></g>")
    if let word = node.word {
      lines.append(
        "<text x=\"\(at(x(index)))\" y=\"\(at(y(index) + radius + 18))\" text-anchor=\"middle\" fill=\"#222\">"
          + "\(escaped(word))</text>")
    }
  }
  lines.append("</svg>\n")
  return lines.joined(separator: "\n")
}
