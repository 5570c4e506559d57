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

/// A tree as SVG: each phrase a disc in the colour of its class, its words below. `classes` are the names of the classes.
func drawing(
  of tree: SyntaxTree, _ answers: [PhraseAnswer], classes: [String] = SentimentTrees.classNames
) -> String {
  let colours = ["#b2182b", "#ef8a62", "#d9d9d9", "#67a9cf", "#2166ac"]
  let signs = ["−−", "−", "0", "+", "++"]
  let (gap, top, step, radius) = (14.0, 64.0, 46.0, 13.0)

  // Words stand side by side on the last line; a phrase stands above the middle of its parts, as high as it is deep.
  var place: [(x: Double, height: Int)] = []
  var right = gap
  for node in tree.nodes {
    if let word = node.word {
      let width = max(2 * radius, SVG.width(of: word, size: 13))
      place.append((right + width / 2, 0))
      right += width + gap
    } else {
      let (first, second) = (place[node.left], place[node.right])
      place.append(((first.x + second.x) / 2, max(first.height, second.height) + 1))
    }
  }
  let highest = place.last!.height
  let width = max(right, 480)
  let shift = (width - right) / 2
  func x(_ node: Int) -> Double { place[node].x + shift }
  func y(_ node: Int) -> Double { top + Double(highest - place[node].height) * step }

  var image = SVG(width: width, height: top + Double(highest) * step + 56)
  func disc(_ x: Double, _ y: Double, _ radius: Double, _ label: Int, title: String? = nil) {
    image.add(
      "circle",
      [
        "cx": SVG.at(x), "cy": SVG.at(y), "r": SVG.at(radius), "fill": colours[label], "stroke": "#6e7781",
      ],
      title: title)
  }
  var left = 14.0
  for (label, name) in classes.enumerated() {
    disc(left, 18, 6, label)
    image.text(name, x: left + 11, y: 22, size: 11, role: .quiet)
    left += 30 + SVG.width(of: name, size: 11)
  }
  for (index, node) in tree.nodes.enumerated() where !node.isLeaf {
    for child in [node.left, node.right] {
      image.add(
        "line",
        [
          "x1": SVG.at(x(index)), "y1": SVG.at(y(index)), "x2": SVG.at(x(child)), "y2": SVG.at(y(child)),
          "stroke": "#8c959f",
        ])
    }
  }
  let phrases = phrases(of: tree)
  for (index, node) in tree.nodes.enumerated() {
    let answer = answers[index]
    disc(
      x(index), y(index), radius, answer.label,
      title: "\(phrases[index]): \(classes[answer.label]), \(fixed(100 * answer.share, 1)) %")
    image.add(
      "text",
      [
        "x": SVG.at(x(index)), "y": SVG.at(y(index) + 4), "text-anchor": "middle", "font-size": "11",
        "fill": answer.label == 0 || answer.label == 4 ? "#ffffff" : "#1f2328", "pointer-events": "none",
      ], text: signs[answer.label])
    if let word = node.word {
      image.text(word, x: x(index), y: y(index) + radius + 18, anchor: .middle, size: 13)
    }
  }
  return image.document
}
