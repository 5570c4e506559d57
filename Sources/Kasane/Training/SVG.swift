// SPDX-License-Identifier: Apache-2.0

/// An SVG image that grows element by element. What is written into it is escaped.
///
/// Every element has its colour for white paper, and a class by which a page that shows the image can give it another: see
/// `Role` and `Colours`.
package struct SVG {
  /// Width and height, in pixels.
  package let width: Double
  package let height: Double
  private var elements: [String] = []

  /// What an element is for.
  package enum Role: String {
    /// What is read.
    case ink
    /// What is read beside it, such as the numbers of an axis.
    case quiet
    /// Lines behind the rest.
    case rule
    /// The ground.
    case paper

    package var colour: String {
      switch self {
      case .ink: "#1f2328"
      case .quiet: "#57606a"
      case .rule: "#d9dee3"
      case .paper: "#ffffff"
      }
    }
  }

  /// Where a text's place lies in it.
  package enum Anchor: String { case start, middle, end }

  /// An image with nothing but its ground.
  package init(width: Double, height: Double) {
    (self.width, self.height) = (width, height)
    add("rect", ["width": "100%", "height": "100%", "class": Role.paper.rawValue, "fill": Role.paper.colour])
  }

  /// A place or a length, to a tenth of a pixel.
  package static func at(_ value: Double) -> String {
    let tenths = (value * 10).rounded() / 10
    return tenths == tenths.rounded() && abs(tenths) < 1e15 ? String(Int(tenths)) : String(tenths)
  }

  /// About how wide a text is.
  package static func width(of text: String, size: Double) -> Double {
    size * text.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E7F ? 1 : 0.58) }
  }

  /// Adds an element; `title` is shown where the pointer rests on it.
  package mutating func add(
    _ name: String, _ attributes: KeyValuePairs<String, String>, text: String? = nil, title: String? = nil
  ) {
    let written = attributes.map { " \($0.key)=\"\(escapedMarkup($0.value))\"" }.joined()
    let content = (title.map { "<title>\(escapedMarkup($0))</title>" } ?? "") + escapedMarkup(text ?? "")
    elements.append(content.isEmpty ? "<\(name)\(written)/>" : "<\(name)\(written)>\(content)</\(name)>")
  }

  /// Adds a line of text.
  package mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, size: Double = 12, isBold: Bool = false,
    role: Role = .ink, transform: String? = nil
  ) {
    var attributes = "x=\"\(Self.at(x))\" y=\"\(Self.at(y))\" class=\"\(role)\" fill=\"\(role.colour)\""
    if anchor != .start { attributes += " text-anchor=\"\(anchor)\"" }
    if size != 12 { attributes += " font-size=\"\(Self.at(size))\"" }
    if isBold { attributes += " font-weight=\"bold\"" }
    if let transform { attributes += " transform=\"\(transform)\"" }
    elements.append("<text \(attributes)>\(escapedMarkup(text))</text>")
  }

  /// Adds a straight line.
  package mutating func line(
    from start: (x: Double, y: Double), to end: (x: Double, y: Double), role: Role = .rule
  ) {
    add(
      "line",
      [
        "x1": Self.at(start.x), "y1": Self.at(start.y), "x2": Self.at(end.x), "y2": Self.at(end.y),
        "class": role.rawValue, "stroke": role.colour,
      ])
  }

  /// Adds a curve in the colour of a series, and with its dashes unless others are given.
  package mutating func curve(_ points: [(x: Double, y: Double)], series: Int, dashes: String? = nil) {
    let places = points.map { "\(Self.at($0.x)),\(Self.at($0.y))" }.joined(separator: " ")
    elements.append(
      "<polyline points=\"\(places)\" fill=\"none\" \(Self.stroke(series, dashes)) stroke-linejoin=\"round\"/>"
    )
  }

  /// Adds a short piece of a series' curve with its name behind it, and returns where it ends.
  @discardableResult
  package mutating func key(
    _ label: String, series: Int, x: Double, y: Double, size: Double = 12, dashes: String? = nil
  ) -> Double {
    let (start, end, height) = (Self.at(x), Self.at(x + 20), Self.at(y - size / 3))
    elements.append(
      "<line x1=\"\(start)\" y1=\"\(height)\" x2=\"\(end)\" y2=\"\(height)\" \(Self.stroke(series, dashes))/>"
    )
    text(label, x: x + 26, y: y, size: size)
    return x + 26 + Self.width(of: label, size: size)
  }

  private static func stroke(_ series: Int, _ dashes: String?) -> String {
    let dashes = dashes ?? Colours.dashes(series)
    return "class=\"\(Colours.name(series))\" stroke=\"\(Colours.colour(series))\" stroke-width=\"1.8\""
      + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"")
  }

  /// The whole file.
  package var document: String {
    let (width, height) = (Self.at(width), Self.at(height))
    let head =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
      + "viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"12\">"
    return ([head] + elements + ["</svg>\n"]).joined(separator: "\n")
  }
}

/// The colours of series that are drawn together: Okabe and Ito's (2008), which people who are blind to some colours can
/// tell apart too, dark enough for thin lines on white. Where they begin again the lines are dashed.
package enum Colours {
  package static let all = ["#0072b2", "#c8500a", "#008a63", "#a8447f", "#8a6400", "#2b86bb", "#57606a"]

  package static func colour(_ series: Int) -> String { all[series % all.count] }
  /// The class by which a page gives it another.
  package static func name(_ series: Int) -> String { "series-\(series % all.count)" }
  /// The pattern of a line, empty for one without gaps.
  package static func dashes(_ series: Int) -> String { ["", "7 3", "2 2"][series / all.count % 3] }
}

/// Text as it may stand in HTML or XML, within an element or an attribute. Characters that no XML file may hold become
/// the replacement character.
package func escapedMarkup(_ text: String) -> String {
  var result = ""
  result.reserveCapacity(text.utf8.count)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "\t", "\n": result.unicodeScalars.append(scalar)
    case "\0"..<" ", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
