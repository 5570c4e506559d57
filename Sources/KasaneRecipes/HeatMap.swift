// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Shares from 0 to 1 as a figure, a row for each of some words and a column for each of others: the fuller a cell's colour,
/// the larger its share.
struct HeatMap {
  /// What stands beside the rows, from above.
  let rows: [String]
  /// What stands above the columns.
  let columns: [String]
  /// The shares by row and column.
  let shares: [[Double]]

  /// Words and their shares, of which there must be as many as there are pairs of words.
  init(rows: [String], columns: [String], shares: [[Double]]) {
    precondition(
      shares.count == rows.count && shares.allSatisfy { $0.count == columns.count },
      "HeatMap: shares of \(shares.map(\.count)) columns for \(rows.count) rows and \(columns.count) columns")
    (self.rows, self.columns, self.shares) = (rows, columns, shares)
  }

  private static let cell = 28.0

  /// The figure; `rowTitle` and `columnTitle` say what the words are.
  func figure(rowTitle: String, columnTitle: String) -> String {
    func widest(_ words: [String]) -> Double { words.map { SVG.width(of: $0, size: 12) }.max() ?? 0 }
    let (left, top) = (widest(rows) + 46, widest(columns) + 52)
    let cell = Self.cell
    let (right, bottom) = (left + Double(columns.count) * cell, top + Double(rows.count) * cell)
    var image = SVG(width: max(right, left + SVG.width(of: columnTitle, size: 12)) + 12, height: bottom + 14)
    image.text(columnTitle, x: left, y: 22, role: .quiet)
    image.text(
      rowTitle, x: 0, y: 0, anchor: .middle, role: .quiet,
      transform: "translate(22,\(SVG.at((top + bottom) / 2))) rotate(-90)")
    for (column, word) in columns.enumerated() {
      let x = left + (Double(column) + 0.5) * cell
      // Words of Japanese stand upright, letter below letter; others lie on their side.
      if word.unicodeScalars.allSatisfy({ $0.value > 0x2E7F }) {
        let scalars = word.unicodeScalars
        for (place, scalar) in scalars.enumerated() {
          image.text(
            String(scalar), x: x, y: top - 8 - 12 * Double(scalars.count - 1 - place), anchor: .middle)
        }
      } else {
        image.text(
          word, x: 0, y: 0, transform: "translate(\(SVG.at(x + 4)),\(SVG.at(top - 8))) rotate(-90)")
      }
    }
    for (row, word) in rows.enumerated() {
      let y = top + Double(row) * cell
      image.text(word, x: left - 8, y: y + cell / 2 + 4, anchor: .end)
      for (column, share) in shares[row].enumerated() {
        image.add(
          "rect",
          [
            "x": SVG.at(left + Double(column) * cell + 1), "y": SVG.at(y + 1), "width": SVG.at(cell - 2),
            "height": SVG.at(cell - 2), "rx": "3", "class": Colours.name(0), "fill": Colours.colour(0),
            "fill-opacity": fixed(0.04 + 0.96 * min(max(share, 0), 1), 3),
          ], title: "\(word) → \(columns[column]): \(fixed(100 * share, 1)) %")
      }
    }
    return image.document
  }
}
