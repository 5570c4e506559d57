// SPDX-License-Identifier: Apache-2.0

/// A chart of curves over a common axis, as SVG or drawn in a terminal.
public struct Chart: Sendable {
  /// One curve, with a band around it where there is a spread to show.
  public struct Curve: Sendable {
    /// What it is.
    public var label: String
    /// Its points, x ascending.
    public var points: [(x: Double, y: Double)]
    /// The band's lower and upper edge at each point, or empty.
    public var band: [(lower: Double, upper: Double)]

    /// A curve through the given points.
    public init(
      label: String, points: [(x: Double, y: Double)], band: [(lower: Double, upper: Double)] = []
    ) {
      self.label = label
      self.points = points
      self.band = band
    }
  }

  /// Above the chart.
  public var title: String
  /// Below the horizontal axis.
  public var xLabel: String
  /// Beside the vertical axis.
  public var yLabel: String
  /// The curves.
  public var curves: [Curve]
  /// Whether the vertical axis begins at 0, also where no curve comes near it: right for a loss.
  public var startsAtZero = true

  /// A chart of the given curves.
  public init(title: String, xLabel: String, yLabel: String, curves: [Curve]) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.curves = curves
  }

  // MARK: Scales

  private var xRange: (Double, Double) { range(curves.flatMap { $0.points.map(\.x) }, fromZero: false) }
  private var yRange: (Double, Double) {
    range(
      curves.flatMap { $0.points.map(\.y) + $0.band.map(\.upper) + $0.band.map(\.lower) },
      fromZero: startsAtZero)
  }

  private func range(_ values: [Double], fromZero: Bool) -> (Double, Double) {
    let finite = values.filter(\.isFinite)
    let low = fromZero ? min(0, finite.min() ?? 0) : finite.min() ?? 0
    let high = finite.max() ?? 1
    return (low, high > low ? high : low + 1)
  }

  /// Round numbers that divide a range into about five parts.
  static func ticks(_ range: (Double, Double)) -> [Double] {
    let span = range.1 - range.0
    var step = 1.0
    while step * 5 < span { step *= 10 }
    while step * 5 > span { step /= 10 }
    // Now 5 step <= span < 50 step.
    if span / step > 25 {
      step *= 10
    } else if span / step > 10 {
      step *= 5
    } else if span / step > 6 {
      step *= 2
    }
    var ticks: [Double] = []
    var index = (range.0 / step).rounded(.up)
    while index * step <= range.1 + step * 1e-9 {
      ticks.append(index * step)
      index += 1
    }
    return ticks
  }

  /// A number with at most four significant digits.
  public static func label(_ value: Double) -> String {
    if value == value.rounded() && abs(value) < 1e15 { return String(Int(value)) }
    let magnitude = abs(value)
    var scale = 1.0
    while magnitude * scale < 1000 { scale *= 10 }
    let rounded = (value * scale).rounded() / scale
    return "\(rounded)"
  }

  // MARK: SVG

  private static let colours = ["#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#57606a"]

  /// The chart as an SVG image of 760 by 420.
  public var svg: String {
    let (left, right, top, bottom) = (70.0, 740.0, 40.0, 360.0)
    let (xs, ys) = (xRange, yRange)
    func x(_ value: Double) -> Double { left + (value - xs.0) / (xs.1 - xs.0) * (right - left) }
    func y(_ value: Double) -> Double { bottom - (value - ys.0) / (ys.1 - ys.0) * (bottom - top) }
    func at(_ value: Double) -> String { String((value * 10).rounded() / 10) }
    func place(_ point: (x: Double, y: Double)) -> String { at(x(point.x)) + "," + at(y(point.y)) }

    var lines = [
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"420\" font-family=\"sans-serif\" "
        + "font-size=\"12\">",
      "<rect width=\"760\" height=\"420\" fill=\"white\"/>",
      "<text x=\"\(at(left))\" y=\"24\" font-size=\"15\">\(Self.escaped(title))</text>",
    ]
    for tick in Self.ticks(ys) {
      let height = at(y(tick))
      lines.append(
        "<line x1=\"\(at(left))\" x2=\"\(at(right))\" y1=\"\(height)\" y2=\"\(height)\" stroke=\"#ddd\"/>")
      lines.append(
        "<text x=\"\(at(left - 8))\" y=\"\(at(y(tick) + 4))\" text-anchor=\"end\">\(Self.label(tick))</text>")
    }
    for tick in Self.ticks(xs) {
      lines.append(
        "<text x=\"\(at(x(tick)))\" y=\"\(at(bottom + 18))\" text-anchor=\"middle\">\(Self.label(tick))</text>"
      )
    }
    lines.append(
      "<text x=\"\(at((left + right) / 2))\" y=\"\(at(bottom + 40))\" text-anchor=\"middle\">"
        + Self.escaped(xLabel) + "</text>")
    lines.append(
      "<text transform=\"translate(18,\(at((top + bottom) / 2))) rotate(-90)\" text-anchor=\"middle\">"
        + Self.escaped(yLabel) + "</text>")
    for (index, curve) in curves.enumerated() {
      let colour = Self.colours[index % Self.colours.count]
      if curve.band.count == curve.points.count, !curve.band.isEmpty {
        let upper = zip(curve.points, curve.band).map { place((x: $0.x, y: $1.upper)) }
        let lower = zip(curve.points, curve.band).map { place((x: $0.x, y: $1.lower)) }.reversed()
        let edge = (upper + lower).joined(separator: " ")
        lines.append("<polygon points=\"\(edge)\" fill=\"\(colour)\" fill-opacity=\"0.15\"/>")
      }
      let points = curve.points.filter { $0.y.isFinite }.map(place).joined(separator: " ")
      lines.append(
        "<polyline points=\"\(points)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.6\"/>")
      let height = top + 8 + Double(index) * 18
      lines.append(
        "<text x=\"\(at(right - 8))\" y=\"\(at(height))\" text-anchor=\"end\" fill=\"\(colour)\">"
          + Self.escaped(curve.label) + "</text>")
    }
    lines.append("</svg>\n")
    return lines.joined(separator: "\n")
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  // MARK: Terminal

  /// The chart drawn with Braille characters, two by four dots in each.
  public func terminal(width: Int = 64, height: Int = 12) -> String {
    let (xs, ys) = (xRange, yRange)
    var cells = [[UInt32]](repeating: [UInt32](repeating: 0, count: width), count: height)
    // The bit of each dot of a cell, by row and column (Unicode block U+2800).
    let bits: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
    func set(_ column: Int, _ row: Int) {
      guard column >= 0, column < width * 2, row >= 0, row < height * 4 else { return }
      cells[row / 4][column / 2] |= bits[row % 4][column % 2]
    }
    for curve in curves {
      var last: (Int, Int)?
      for point in curve.points where point.y.isFinite {
        let column = Int((point.x - xs.0) / (xs.1 - xs.0) * Double(width * 2 - 1))
        let row = Int((ys.1 - point.y) / (ys.1 - ys.0) * Double(height * 4 - 1))
        if let (lastColumn, lastRow) = last {
          let steps = max(abs(column - lastColumn), abs(row - lastRow), 1)
          for step in 0...steps {
            set(
              lastColumn + (column - lastColumn) * step / steps, lastRow + (row - lastRow) * step / steps)
          }
        }
        set(column, row)
        last = (column, row)
      }
    }
    let labels = [Self.label(ys.1), Self.label(ys.0)]
    let margin = labels.map(\.count).max()!
    var lines = cells.enumerated().map { row, line in
      let label = row == 0 ? labels[0] : row == height - 1 ? labels[1] : ""
      let padding = String(repeating: " ", count: margin - label.count)
      let text = String(String.UnicodeScalarView(line.map { Unicode.Scalar(0x2800 + $0)! }))
      return padding + label + " │" + text
    }
    let (first, last) = (Self.label(xs.0), Self.label(xs.1))
    let indent = String(repeating: " ", count: margin + 2)
    let gap = String(repeating: " ", count: max(1, width - first.count - last.count))
    lines.append(String(repeating: " ", count: margin + 1) + "└" + String(repeating: "─", count: width))
    lines.append(indent + first + gap + last)
    return lines.joined(separator: "\n")
  }
}
