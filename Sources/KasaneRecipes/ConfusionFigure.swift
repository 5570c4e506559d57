// SPDX-License-Identifier: Apache-2.0

import Kasane

extension ConfusionMatrix {
  /// The matrix as a figure, and precision and recall of each class as a table.
  func exhibits(classes: [String], in language: Language) -> [Exhibit] {
    let share = "\(right) / \(total) (\(fixed(100 * accuracy, 2)) %)"
    func percent(_ share: Double?) -> String { share.map { fixed(100 * $0, 2) + " %" } ?? "–" }
    return [
      Exhibit(
        "confusion-matrix", title: language("Confusion matrix", "混同行列"),
        caption: language(
          "A row for each class as it is, a column for each answer. Right: \(share).",
          "行が正解、列が予測です。正解数: \(share)。"),
        .figure(figure(classes: classes, in: language))),
      Exhibit(
        "classes", title: language("Precision and recall", "適合率と再現率"),
        caption: language(
          "How many of a class's answers are right, and how many of its cases are found.",
          "各クラスの予測のうち正しい割合と、各クラスの正解のうち見つかった割合です。"),
        .table(
          columns: [
            .init(language("Class", "クラス")), .init(language("Cases", "件数"), isNumeric: true),
            .init(language("Precision", "適合率"), isNumeric: true),
            .init(language("Recall", "再現率"), isNumeric: true),
          ],
          rows: classes.enumerated().map { kind, name in
            [
              name, String(counts[kind].reduce(0, +)), percent(precision(of: kind)),
              percent(recall(of: kind)),
            ]
          })),
    ]
  }

  /// The matrix as SVG: the fuller a cell's colour, the larger its part of the row. Right answers are blue, wrong ones
  /// orange.
  func figure(classes: [String], in language: Language) -> String {
    let names = classes.map { SVG.width(of: $0, size: 12) }.max() ?? 0
    let (cell, height) = (max(44, names + 12), 36.0)
    let (left, top) = (names + 52, 64.0)
    let right = left + Double(classes.count) * cell
    var image = SVG(width: right + 12, height: top + Double(classes.count) * height + 14)
    image.text(language("Answer", "予測"), x: (left + right) / 2, y: 22, anchor: .middle, role: .quiet)
    let middle = SVG.at(top + Double(classes.count) * height / 2)
    image.text(
      language("Label", "正解"), x: 0, y: 0, anchor: .middle, role: .quiet,
      transform: "translate(22,\(middle)) rotate(-90)")
    for (label, row) in counts.enumerated() {
      let y = top + Double(label) * height
      image.text(classes[label], x: left - 10, y: y + height / 2 + 4, anchor: .end)
      image.text(classes[label], x: left + (Double(label) + 0.5) * cell, y: top - 12, anchor: .middle)
      let total = max(1, row.reduce(0, +))
      for (answer, count) in row.enumerated() {
        let x = left + Double(answer) * cell
        // A single wrong answer among a thousand has to be seen, too.
        let fill = count == 0 ? 0.04 : 0.12 + 0.88 * Double(count) / Double(total)
        let series = label == answer ? 0 : 1
        let (name, colour) =
          count == 0
          ? (SVG.Role.ink.rawValue, SVG.Role.ink.colour) : (Colours.name(series), Colours.colour(series))
        image.add(
          "rect",
          [
            "x": SVG.at(x + 1), "y": SVG.at(y + 1), "width": SVG.at(cell - 2), "height": SVG.at(height - 2),
            "rx": "3", "class": name, "fill": colour,
            "fill-opacity": fixed(fill, 3),
          ], title: "\(classes[label]) → \(classes[answer]): \(count)")
        guard count > 0 else { continue }
        let (place, text) = ((x: x + cell / 2, y: y + height / 2 + 4), String(count))
        if fill > 0.55 {
          image.add(
            "text",
            [
              "x": SVG.at(place.x), "y": SVG.at(place.y), "text-anchor": "middle", "class": "on-colour",
              "fill": "#ffffff",
            ], text: text)
        } else {
          image.text(text, x: place.x, y: place.y, anchor: .middle)
        }
      }
    }
    return image.document
  }
}
