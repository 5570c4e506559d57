// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A grey image in a terminal, two rows of pixels in one of text, so that it keeps its proportions.
func drawing(of pixels: [UInt8], height: Int, width: Int) -> [String] {
  func isOn(_ row: Int, _ column: Int) -> Bool { row < height && pixels[row * width + column] >= 96 }
  return stride(from: 0, to: height, by: 2).map { row in
    let line = (0..<width).map { column -> Character in
      switch (isOn(row, column), isOn(row + 1, column)) {
      case (true, true): "█"
      case (true, false): "▀"
      case (false, true): "▄"
      case (false, false): " "
      }
    }
    return String(line)
  }
}

/// An image of which a figure shows several, each with words below it.
struct PictureWithWords {
  let pixels: [UInt8]
  let words: String
}

/// Grey images side by side as SVG, each `size` by `size` pixels, in four shades.
func figure(of pictures: [PictureWithWords], size: Int) -> String {
  let (scale, columns) = (3.0, min(6, max(1, pictures.count)))
  let (cell, line) = (Double(size) * scale + 28, Double(size) * scale + 44)
  let rows = (pictures.count + columns - 1) / columns
  var image = SVG(width: Double(columns) * cell, height: Double(rows) * line + 4)
  for (index, picture) in pictures.enumerated() {
    let (x, y) = (Double(index % columns) * cell + 14, Double(index / columns) * line + 8)
    image.add(
      "rect",
      [
        "x": SVG.at(x - 2), "y": SVG.at(y - 2), "width": SVG.at(Double(size) * scale + 4),
        "height": SVG.at(Double(size) * scale + 4), "rx": "4", "fill": "none", "class": "rule",
        "stroke": SVG.Role.rule.colour,
      ])
    for shade in 1...4 {
      let runs = runs(of: picture.pixels, width: size) { $0 == 0 ? 0 : (Int($0) + 63) / 64 }[shade] ?? []
      guard !runs.isEmpty else { continue }
      let path = runs.map { "M\($0.column) \($0.row)h\($0.length)v1h-\($0.length)z" }.joined()
      image.add(
        "path",
        [
          "d": path, "transform": "translate(\(SVG.at(x)),\(SVG.at(y))) scale(\(SVG.at(scale)))",
          "class": SVG.Role.ink.rawValue, "fill": SVG.Role.ink.colour,
          "fill-opacity": fixed(Double(shade) / 4, 2),
        ])
    }
    image.text(
      picture.words, x: x + Double(size) * scale / 2, y: y + Double(size) * scale + 20, anchor: .middle)
  }
  return image.document
}

/// Neighbouring pixels of a row that have the same shade, by shade.
private func runs(of pixels: [UInt8], width: Int, shade: (UInt8) -> Int) -> [Int: [(
  row: Int, column: Int, length: Int
)]] {
  var found: [Int: [(row: Int, column: Int, length: Int)]] = [:]
  for row in 0..<pixels.count / width {
    var column = 0
    while column < width {
      let value = shade(pixels[row * width + column])
      let end = (column..<width).first { shade(pixels[row * width + $0]) != value } ?? width
      found[value, default: []].append((row, column, end - column))
      column = end
    }
  }
  return found
}

/// A bar as long as a share of `width` characters, to an eighth of one.
func bar(_ share: Double, width: Int) -> String {
  let eighths = Int((share * Double(width) * 8).rounded())
  let whole = String(repeating: "█", count: eighths / 8)
  return eighths % 8 == 0 ? whole : whole + String(Unicode.Scalar(0x2590 - UInt32(eighths % 8))!)
}
