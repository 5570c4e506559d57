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
  /// Whether the vertical axis is logarithmic; what is not above 0 then has no place on it.
  public var isLogarithmic = false

  /// A chart of the given curves.
  public init(title: String, xLabel: String, yLabel: String, curves: [Curve]) {
    self.title = title
    self.xLabel = xLabel
    self.yLabel = yLabel
    self.curves = curves
  }

  // MARK: Scales

  private var xScale: ChartScale { ChartScale(curves.flatMap { $0.points.map(\.x) }) }
  private var yScale: ChartScale {
    ChartScale(
      curves.flatMap { $0.points.map(\.y) + $0.band.map(\.upper) + $0.band.map(\.lower) },
      fromZero: startsAtZero, isLogarithmic: isLogarithmic)
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

  /// The chart as an SVG image, 760 pixels wide and 420 high, or higher where there are many curves to name.
  public var svg: String {
    let (width, left, right) = (760.0, 70.0, 740.0)
    let keys = keyLines(width: right - left)
    let top = 44 + Double(keys.count) * 20
    let bottom = max(360, top + 250)
    let (xs, ys) = (xScale, yScale)
    func x(_ value: Double) -> Double { left + (xs.position(value) ?? 0) * (right - left) }
    func y(_ value: Double) -> Double? { ys.position(value).map { bottom - $0 * (bottom - top) } }

    var image = SVG(width: width, height: bottom + 60)
    image.text(title, x: left, y: 26, size: 16)
    for (row, line) in keys.enumerated() {
      var start = left
      for index in line {
        start = image.key(curves[index].label, series: index, x: start, y: 48 + Double(row) * 20) + 22
      }
    }
    for tick in ys.ticks {
      guard let height = y(tick) else { continue }
      image.line(from: (left, height), to: (right, height))
      image.text(Self.label(tick), x: left - 8, y: height + 4, anchor: .end, role: .quiet)
    }
    for tick in xs.ticks {
      image.text(Self.label(tick), x: x(tick), y: bottom + 18, anchor: .middle, role: .quiet)
    }
    image.text(xLabel, x: (left + right) / 2, y: bottom + 42, anchor: .middle, role: .quiet)
    let middle = SVG.at((top + bottom) / 2)
    image.text(
      yLabel, x: 0, y: 0, anchor: .middle, role: .quiet, transform: "translate(16,\(middle)) rotate(-90)")
    for (index, curve) in curves.enumerated() {
      if curve.band.count == curve.points.count, !curve.band.isEmpty {
        func edge(_ values: [Double]) -> [String] {
          zip(curve.points, values).compactMap { point, value in
            y(value).map { "\(SVG.at(x(point.x))),\(SVG.at($0))" }
          }
        }
        let around = edge(curve.band.map(\.upper)) + edge(curve.band.map(\.lower)).reversed()
        image.add(
          "polygon",
          [
            "points": around.joined(separator: " "), "fill": Colours.colour(index), "fill-opacity": "0.15",
            "class": Colours.name(index) + " area",
          ])
      }
      image.curve(curve.points.compactMap { point in y(point.y).map { (x(point.x), $0) } }, series: index)
    }
    return image.document
  }

  /// The curves' names in lines of a width.
  private func keyLines(width: Double) -> [[Int]] {
    var lines: [[Int]] = [[]]
    var left = width
    for (index, curve) in curves.enumerated() {
      let needed = 48 + SVG.width(of: curve.label, size: 12)
      if needed > left, !lines[lines.count - 1].isEmpty {
        lines.append([])
        left = width
      }
      lines[lines.count - 1].append(index)
      left -= needed
    }
    return lines
  }

  // MARK: Terminal

  /// The chart drawn with Braille characters, two by four dots in each.
  public func terminal(width: Int = 64, height: Int = 12) -> String {
    let (xs, ys) = (xScale, yScale)
    var cells = [[UInt32]](repeating: [UInt32](repeating: 0, count: width), count: height)
    // The bit of each dot of a cell, by row and column (Unicode block U+2800).
    let bits: [[UInt32]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
    func set(_ column: Int, _ row: Int) {
      guard column >= 0, column < width * 2, row >= 0, row < height * 4 else { return }
      cells[row / 4][column / 2] |= bits[row % 4][column % 2]
    }
    for curve in curves {
      var last: (Int, Int)?
      for point in curve.points {
        guard let x = xs.position(point.x), let y = ys.position(point.y) else { continue }
        let column = Int(x * Double(width * 2 - 1))
        let row = Int((1 - y) * Double(height * 4 - 1))
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
    let labels = [Self.label(ys.high), Self.label(ys.low)]
    let margin = labels.map(\.count).max()!
    var lines = cells.enumerated().map { row, line in
      let label = row == 0 ? labels[0] : row == height - 1 ? labels[1] : ""
      let padding = String(repeating: " ", count: margin - label.count)
      let text = String(String.UnicodeScalarView(line.map { Unicode.Scalar(0x2800 + $0)! }))
      return padding + label + " │" + text
    }
    let (first, last) = (Self.label(xs.low), Self.label(xs.high))
    let indent = String(repeating: " ", count: margin + 2)
    let gap = String(repeating: " ", count: max(1, width - first.count - last.count))
    lines.append(String(repeating: " ", count: margin + 1) + "└" + String(repeating: "─", count: width))
    lines.append(indent + first + gap + last)
    return lines.joined(separator: "\n")
  }
}
