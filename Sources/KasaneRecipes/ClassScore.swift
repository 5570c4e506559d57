// SPDX-License-Identifier: Apache-2.0

import Kasane

/// How well a class was found.
struct ClassScore {
  /// How often it was there.
  var labelled = 0
  /// How often it was answered.
  var answered = 0
  /// How often rightly.
  var right = 0

  /// Takes note of an answer.
  static func count(label: Int, answer: Int, in scores: inout [ClassScore]) {
    scores[label].labelled += 1
    scores[answer].answered += 1
    if label == answer { scores[label].right += 1 }
  }

  /// All of some classes counted together, for micro averages.
  static func sum(_ scores: some Sequence<ClassScore>) -> ClassScore {
    scores.reduce(into: ClassScore()) {
      $0.labelled += $1.labelled
      $0.answered += $1.answered
      $0.right += $1.right
    }
  }

  /// The share of right ones among the answers; nil where there was none.
  var precision: Double? { answered == 0 ? nil : Double(right) / Double(answered) }
  /// The share of those there that were found; nil where there was none.
  var recall: Double? { labelled == 0 ? nil : Double(right) / Double(labelled) }
  /// The harmonic mean of both; nil where the class was neither there nor answered.
  var f1: Double? {
    labelled + answered == 0 ? nil : 2 * Double(right) / Double(labelled + answered)
  }

  /// A table: a row for each class with its name.
  static func table(_ rows: [(name: String, score: ClassScore)]) -> [String] {
    let width = rows.reduce(0) { max($0, $1.name.count) }
    func line(_ name: String, _ cells: [String]) -> String {
      name + String(repeating: " ", count: width - name.count)
        + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
    }
    return [line("", ["count", "precision", "recall", "F1"])]
      + rows.map { name, score in
        line(name, ["\(score.labelled)"] + [score.precision, score.recall, score.f1].map(percent))
      }
  }

  static func percent(_ share: Double?) -> String { share.map { fixed(100 * $0, 2) + " %" } ?? "-" }
}
