// SPDX-License-Identifier: Apache-2.0

import Kasane

/// How often a classifier answered each class to each label.
public struct ConfusionMatrix: Equatable, Sendable {
  /// The counts: `counts[label][answer]`.
  public private(set) var counts: [[Int]]

  /// A matrix of zeros.
  public init(classCount: Int) {
    counts = [[Int]](repeating: [Int](repeating: 0, count: classCount), count: classCount)
  }

  /// Counts one answer.
  public mutating func add(label: Int, answer: Int) { counts[label][answer] += 1 }

  /// How many answers there are.
  public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }
  /// How many of them are right.
  public var right: Int { counts.indices.reduce(0) { $0 + counts[$1][$1] } }
  /// The share of right answers.
  public var accuracy: Double { Double(right) / Double(total) }

  /// The share of right ones among the answers of a class; nil where it was never answered.
  public func precision(of kind: Int) -> Double? {
    Self.share(counts[kind][kind], of: counts.reduce(0) { $0 + $1[kind] })
  }

  /// The share of right answers to the labels of a class; nil where there is none.
  public func recall(of kind: Int) -> Double? {
    Self.share(counts[kind][kind], of: counts[kind].reduce(0, +))
  }

  private static func share(_ part: Int, of whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }

  /// A table: a row for each label, a column for each answer, then precision and recall of the row's class.
  public var table: [String] {
    let width = max(4, String(counts.joined().max() ?? 0).count)
    func right(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(0, width - text.count)) + text
    }
    func percent(_ share: Double?) -> String { share.map { fixed(100 * $0, 2) + " %" } ?? "-" }
    func row(_ head: String, _ cells: [String], _ precision: String, _ recall: String) -> String {
      right(head, 5) + "  " + cells.map { right($0, width) }.joined(separator: " ") + "  "
        + right(precision, 9)
        + "  " + right(recall, 9)
    }
    let head = row("label", counts.indices.map(String.init), "precision", "recall")
    return [head]
      + counts.indices.map { kind in
        row(
          String(kind), counts[kind].map(String.init), percent(precision(of: kind)), percent(recall(of: kind))
        )
      }
  }
}
