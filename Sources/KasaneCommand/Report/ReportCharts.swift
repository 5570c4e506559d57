// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The curves of a report. Each chart is drawn here as SVG, so that it is there without a script; the script, which gets
/// the same points, adds what moves.
struct ReportCharts {
  private let records: [RunRecord]
  private let language: Language
  private let charts: [Drawn]
  /// How many points are drawn, and of how many.
  private(set) var drawnPoints = 0
  private(set) var recordedPoints = 0

  /// So many points of a curve are drawn at most: more than a screen has room for.
  static let mostPoints = 1000
  /// About so many lines has the table behind a curve.
  private static let tableLines = 24

  /// A curve in a chart.
  private struct Series: Encodable {
    /// The number of the run.
    let run: Int
    let label: String
    let colour: Int
    /// Whether it was measured on validation data, and is drawn with dashes.
    let isDashed: Bool
    /// Whether its points are few, and drawn as dots too.
    let isDotted: Bool
    let x: [Double]
    let y: [Double]

    var points: [CurvePoint] { zip(x, y).map { CurvePoint(x: $0, y: $1) } }
  }

  /// When a vertical axis begins at 0.
  private enum Baseline: String, Encodable {
    case always, never
    /// Where that does not press the curves together at its other end.
    case near

    init(_ name: String, isShare: Bool) {
      self = RunRecord.rates.contains(name) ? .always : isShare || name == "learning_rate" ? .never : .near
    }

    func isZero(for values: [Double]) -> Bool {
      self == .always || self == .near && values.min()! < values.max()! / 3
    }
  }

  private struct Drawn: Encodable {
    let id: String
    let baseline: Baseline
    let isShare: Bool
    let series: [Series]
  }

  init(_ records: [RunRecord], in language: Language) {
    self.records = records
    self.language = language
    var all: [Drawn] = []
    for name in Self.chartNames(records) {
      let beside = RunRecord.validationPrefix + name
      var series: [Series] = []
      for (number, record) in records.enumerated() {
        for (kind, metric) in [name, beside].enumerated() {
          guard let points = record.curves[metric], !points.isEmpty else { continue }
          let thinned = points.thinned(to: Self.mostPoints)
          recordedPoints += points.count
          drawnPoints += thinned.count
          let isValidation = metric.hasPrefix(RunRecord.validationPrefix)
          series.append(
            Series(
              run: number,
              label: records.count > 1
                ? record.name + (kind == 1 ? language(" (validation)", " (検証)") : "")
                : isValidation ? language("Validation", "検証") : Self.ownLabel(name, language),
              colour: records.count > 1 ? number : isValidation ? 1 : 0,
              isDashed: isValidation, isDotted: isValidation && points.count <= 200,
              x: thinned.map(\.x), y: thinned.map { ReportNumbers.rounded($0.y) }))
        }
      }
      let title = MetricName(name, in: language)
      all.append(
        Drawn(
          id: name, baseline: Baseline(name, isShare: title.isShare), isShare: title.isShare, series: series))
    }
    charts = all
  }

  private static func ownLabel(_ name: String, _ language: Language) -> String {
    name == RunRecord.loss ? language("Training", "学習") : MetricName(name, in: language).text
  }

  /// The charts there are: the loss, then what else was recorded, and the speed last. What was measured on validation data
  /// stands with the same of the training data where there is that.
  private static func chartNames(_ records: [RunRecord]) -> [String] {
    let names = Set(records.flatMap(\.curves.keys))
    let others = names.filter { name in
      guard name != RunRecord.loss, !RunRecord.rates.contains(name) else { return false }
      guard name.hasPrefix(RunRecord.validationPrefix) else { return true }
      return !names.contains(String(name.dropFirst(RunRecord.validationPrefix.count)))
    }
    let validation = others.filter { $0.hasPrefix(RunRecord.validationPrefix) }
    return [RunRecord.loss] + validation.sorted() + others.subtracting(validation).sorted()
      + RunRecord.rates.filter(names.contains)
  }

  // MARK: Markup

  /// The charts, one after the other.
  var html: String { charts.map(html).joined(separator: "\n") }

  private func html(_ chart: Drawn) -> String {
    let values = chart.series.flatMap(\.y)
    let xs = ChartScale(chart.series.flatMap(\.x))
    let ys = ChartScale(values, fromZero: chart.baseline.isZero(for: values))
    func percent(_ share: Double) -> String { fixed(100 * share, 2) + "%" }
    let name = MetricName(chart.id, in: language)
    let yTicks = ys.ticks.compactMap { tick in ys.position(tick).map { (tick, $0) } }
    let xTicks = xs.ticks.compactMap { tick in xs.position(tick).map { (tick, $0) } }
    let title = name.isTranslated ? escapedMarkup(name.text) : raw(name.text)
    let lines = yTicks.map { "<path class=\"rule\" d=\"M0 \(at(1 - $0.1))H1000\"/>" }.joined()
    let curves = chart.series.map { series in
      let points = series.points.compactMap { point -> String? in
        guard let x = xs.position(point.x), let y = ys.position(point.y) else { return nil }
        return "\(at(x)) \(at(1 - y))"
      }
      let style = "curve series-\(series.colour % Colours.all.count)"
      let line = "<path class=\"\(style)\(dashes(series))\" d=\"M\(points.joined(separator: "L"))\"/>"
      let isAlone = points.count == 1
      guard series.isDotted || isAlone else { return line }
      return line + "<path class=\"\(style) dots\" d=\"\(points.map { "M\($0)h0" }.joined())\"/>"
    }.joined()
    return """
      <figure class="chart" id="chart-\(escapedMarkup(chart.id))">
      <figcaption><h3>\(title)</h3>\(key(chart))</figcaption>
      <div class="plot" role="img" tabindex="0" aria-label="\(escapedMarkup(summary(chart, name)))">
      <div class="y-axis" aria-hidden="true">\
      \(yTicks.map { "<span style=\"bottom:\(percent($0.1))\">\(name.text($0.0))</span>" }.joined())</div>
      <div class="area"><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">\
      <g class="rules">\(lines)</g><g class="curves">\(curves)</g></svg></div>
      <div class="x-axis" aria-hidden="true">\
      \(xTicks.map { "<span style=\"left:\(percent($0.1))\">\(ReportNumbers.text($0.0))</span>" }.joined())</div>
      </div>
      <p class="x-title">\(language("Iteration", "反復"))</p>
      <details><summary>\(language("Values", "値の表"))</summary>\(table(chart, name))</details>
      </figure>
      """
  }

  private func at(_ share: Double) -> String { SVG.at(1000 * share) }

  private func dashes(_ series: Series) -> String {
    if series.isDashed { return " dashed" }
    return series.colour >= Colours.all.count ? " dotted" : ""
  }

  /// Which line is what, where a chart shows more than one kind.
  private func key(_ chart: Drawn) -> String {
    let labels =
      records.count == 1
      ? chart.series.map { ($0.label, "series-\($0.colour)" + ($0.isDashed ? " dashed" : "")) }
      : Set(chart.series.map(\.isDashed)).count > 1
        ? [(language("Training", "学習"), "plain"), (language("Validation", "検証"), "plain dashed")] : []
    guard labels.count > 1 else { return "" }
    let items = labels.map { "<li><i class=\"line \($0.1)\"></i>\(escapedMarkup($0.0))</li>" }
    return "<ul class=\"key\">\(items.joined())</ul>"
  }

  /// A chart in words, for those who do not see it.
  private func summary(_ chart: Drawn, _ name: MetricName) -> String {
    let curves = chart.series.prefix(8).map { series in
      let (first, last) = (series.y[0], series.y[series.y.count - 1])
      let (low, high) = (series.y.min()!, series.y.max()!)
      let values = [first, last, low, high].map(name.text)
      return language(
        "\(series.label): from \(values[0]) to \(values[1]), lowest \(values[2]), highest \(values[3])",
        "\(series.label): 最初 \(values[0])、最後 \(values[1])、最小 \(values[2])、最大 \(values[3])")
    }
    return "\(name.text). \(curves.joined(separator: language("; ", "。 ")))"
  }

  /// Some values of each curve in a table.
  private func table(_ chart: Drawn, _ name: MetricName) -> String {
    var rows: [Double: [Int: Double]] = [:]
    for series in chart.series {
      let count = series.x.count
      let lines = min(count, Self.tableLines)
      for line in 0..<lines {
        rows[series.x[lines == 1 ? 0 : line * (count - 1) / (lines - 1)], default: [:]] = [:]
      }
    }
    for (number, series) in chart.series.enumerated() {
      for (x, y) in zip(series.x, series.y) where rows[x] != nil { rows[x]![number] = y }
    }
    let head =
      "<th scope=\"col\">\(language("Iteration", "反復"))</th>"
      + chart.series.map {
        "<th scope=\"col\">\(records.count > 1 ? raw($0.label) : escapedMarkup($0.label))</th>"
      }
      .joined()
    let body = rows.keys.sorted().map { x in
      let cells = chart.series.indices.map { "<td>\(rows[x]![$0].map(name.text) ?? "")</td>" }.joined()
      return "<tr><th scope=\"row\">\(ReportNumbers.text(x))</th>\(cells)</tr>"
    }
    return
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"values\"><thead><tr>\(head)</tr></thead><tbody>\(body.joined())"
      + "</tbody></table></div>"
  }

  // MARK: What the script gets

  private struct Data: Encodable {
    let charts: [Drawn]
    let iteration: String
  }

  /// The points and words for the script, as JSON that may stand in a page.
  func data() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = Data(charts: charts, iteration: language("Iteration", "反復"))
    let text = String(decoding: try encoder.encode(data), as: UTF8.self)
    // What could end the element, or is no XML, is written by its number.
    return text.replacing("&", with: "\\u0026").replacing("<", with: "\\u003c").replacing(
      ">", with: "\\u003e"
    )
    .replacing("\u{FFFE}", with: "\\ufffe").replacing("\u{FFFF}", with: "\\uffff")
  }
}

/// Text that is not the report's own, such as names and what a network wrote: not to be translated.
func raw(_ text: String, _ element: String = "span") -> String {
  "<\(element) translate=\"no\">\(escapedMarkup(text))</\(element)>"
}
