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
  let colours = ["#1f6feb", "#d1242f", "#1a7f37", "#9a6700"]
  let (width, height, columns) = (300.0, 210.0, 3)
  let (left, top, gapX, gapY) = (64.0, 56.0, 26.0, 78.0)
  // Everything that is not zero to the last, between bounds that a float32 can have.
  let logs = panels.flatMap(\.series).flatMap(\.norms).filter { $0.isFinite && $0 > 0 }.map { log10($0) }
  let low = max(-20, (logs.min() ?? -1).rounded(.down))
  let high = max(low + 1, min(20, (logs.max() ?? 1).rounded(.up)))
  let rows = (panels.count + columns - 1) / columns
  let total = (
    width: left + Double(columns) * (width + gapX), height: top + Double(rows) * (height + gapY) + 10
  )
  func at(_ value: Double) -> String { String((value * 10).rounded() / 10) }
  var lines = [
    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(at(total.width))\" height=\"\(at(total.height))\" "
      + "viewBox=\"0 0 \(at(total.width)) \(at(total.height))\" font-family=\"sans-serif\" font-size=\"12\">",
    "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
    "<text x=\"\(at(left))\" y=\"26\" font-size=\"16\">\(title)</text>",
  ]
  let decade = max(1, ((high - low) / 6).rounded(.up))
  for (index, panel) in panels.enumerated() {
    let x0 = left + Double(index % columns) * (width + gapX)
    let y0 = top + Double(index / columns) * (height + gapY)
    let steps = panel.series.map(\.norms.count).max() ?? 1
    func x(_ distance: Int) -> Double { x0 + Double(distance) / Double(max(1, steps - 1)) * width }
    func y(_ power: Double) -> Double { y0 + (high - min(high, max(low, power))) / (high - low) * height }
    lines.append("<text x=\"\(at(x0))\" y=\"\(at(y0 - 8))\" font-weight=\"bold\">\(panel.title)</text>")
    for power in stride(from: (low / decade).rounded(.up) * decade, through: high, by: decade) {
      lines.append(
        "<line x1=\"\(at(x0))\" x2=\"\(at(x0 + width))\" y1=\"\(at(y(power)))\" y2=\"\(at(y(power)))\" "
          + "stroke=\"#ddd\"/>")
      guard index % columns == 0 else { continue }
      lines.append(
        "<text x=\"\(at(x0 - 8))\" y=\"\(at(y(power) + 4))\" text-anchor=\"end\">10<tspan dy=\"-5\" font-size=\"9\">"
          + "\(Int(power))</tspan></text>")
    }
    for distance in [0, steps / 2, steps - 1] {
      lines.append(
        "<text x=\"\(at(x(distance)))\" y=\"\(at(y0 + height + 16))\" text-anchor=\"middle\">\(distance)</text>"
      )
    }
    for (number, series) in panel.series.enumerated() {
      let colour = colours[number % colours.count]
      // c has no part in the last step's answer but through h. Further back a norm of zero is one that vanished: it has no
      // place on the scale, and the curve lies at its foot.
      let reversed = series.norms.reversed().enumerated().drop { $0.element == 0 }
      let points = reversed.compactMap { distance, norm -> String? in
        guard !norm.isNaN else { return nil }
        let power = norm == .infinity ? high : norm > 0 ? log10(norm) : low
        return "\(at(x(distance))),\(at(y(power)))"
      }
      let dashes = ["", " stroke-dasharray=\"7 3\"", " stroke-dasharray=\"2 2\""][number % 3]
      lines.append(
        "<polyline points=\"\(points.joined(separator: " "))\" fill=\"none\" stroke=\"\(colour)\" "
          + "stroke-width=\"1.8\"\(dashes)/>")
      lines.append(
        "<text x=\"\(at(x0 + Double(number) * 100))\" y=\"\(at(y0 + height + 34))\" fill=\"\(colour)\">"
          + "\(series.label)</text>")
    }
  }
  lines.append("</svg>\n")
  return lines.joined(separator: "\n")
}
