// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The norms of a gradient at each step, the first step first.
struct FlowSeries {
  let label: String
  let norms: [Double]
}

/// Series that are drawn together.
struct FlowPanel {
  let title: String
  let series: [FlowSeries]
}

/// A number in four characters and its power of ten.
func scientificText(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return "\(value)" }
  let exponent = Int(log10(abs(value)).rounded(.down))
  return "\(fixed(value / pow(10, Double(exponent)), 2))e\(exponent)"
}

/// Norms by their distance from the last step as SVG, panel beside panel on one logarithmic scale.
func flowFigure(_ panels: [FlowPanel], title: String) -> String {
  let (width, height, columns) = (300.0, 210.0, 3)
  let (left, top, gapX, gapY) = (64.0, 64.0, 26.0, 80.0)
  // Everything that is not zero to the last, between bounds that a float32 can have.
  let logs = panels.flatMap(\.series).flatMap(\.norms).filter { $0.isFinite && $0 > 0 }.map { log10($0) }
  let low = max(-20, (logs.min() ?? -1).rounded(.down))
  let high = max(low + 1, min(20, (logs.max() ?? 1).rounded(.up)))
  let rows = (panels.count + columns - 1) / columns
  var image = SVG(
    width: left + Double(columns) * (width + gapX), height: top + Double(rows) * (height + gapY) + 10)
  image.text(title, x: left, y: 26, size: 16)
  let decade = max(1, ((high - low) / 6).rounded(.up))
  for (index, panel) in panels.enumerated() {
    let x0 = left + Double(index % columns) * (width + gapX)
    let y0 = top + Double(index / columns) * (height + gapY)
    let steps = panel.series.map(\.norms.count).max() ?? 1
    func x(_ distance: Int) -> Double { x0 + Double(distance) / Double(max(1, steps - 1)) * width }
    func y(_ power: Double) -> Double { y0 + (high - min(high, max(low, power))) / (high - low) * height }
    image.text(panel.title, x: x0, y: y0 - 10, isBold: true)
    for power in stride(from: (low / decade).rounded(.up) * decade, through: high, by: decade) {
      image.line(from: (x0, y(power)), to: (x0 + width, y(power)))
      guard index % columns == 0 else { continue }
      image.text(powerOfTen(Int(power)), x: x0 - 8, y: y(power) + 4, anchor: .end, role: .quiet)
    }
    for distance in [0, steps / 2, steps - 1] {
      image.text("\(distance)", x: x(distance), y: y0 + height + 16, anchor: .middle, role: .quiet)
    }
    var keyEnd = x0
    for (number, series) in panel.series.enumerated() {
      // c has no part in the last step's answer but through h. Further back a norm of zero is one that vanished: it has no
      // place on the scale, and the curve lies at its foot.
      let reversed = series.norms.reversed().enumerated().drop { $0.element == 0 }
      let points = reversed.compactMap { distance, norm -> (x: Double, y: Double)? in
        guard !norm.isNaN else { return nil }
        return (x(distance), y(norm == .infinity ? high : norm > 0 ? log10(norm) : low))
      }
      let dashes = ["", "7 3", "2 2"][number % 3]
      image.curve(points, series: number, dashes: dashes)
      keyEnd =
        image.key(series.label, series: number, x: keyEnd, y: y0 + height + 38, size: 11.5, dashes: dashes)
        + 12
    }
  }
  return image.document
}

/// A power of ten with its exponent raised.
private func powerOfTen(_ exponent: Int) -> String {
  let raised: [Character: Character] = [
    "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷", "8": "⁸",
    "9": "⁹",
  ]
  return "10" + String("\(exponent)".map { raised[$0]! })
}
