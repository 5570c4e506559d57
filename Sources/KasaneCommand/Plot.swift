// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane plot RUN...`
struct Plot: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the loss curves of several runs in one chart, or a figure of one run.",
    discussion: """
      Runs that differ in nothing but their seed are drawn as one curve: their median, in a band from the \
      lowest to the highest.

      A file that ends in .png needs the library librsvg (Debian and Ubuntu: librsvg2-2; Homebrew: librsvg).
      """)

  @Argument(help: "The runs' folders.", completion: .directory) var runs: [String]
  @Option(help: "SVG or PNG file to write, by its ending.", completion: .file(extensions: ["svg", "png"]))
  var output: String
  @Option(help: "The chart's title.") var title: String?
  @Option(help: ArgumentHelp("Draw this metric of the recipe's instead of the loss.", valueName: "name"))
  var metric: String?
  @Flag(name: .customLong("log"), help: "Draw on a logarithmic scale.") var isLogarithmic = false
  @Option(
    help: ArgumentHelp(
      "Draw this figure of the recipe's, as in its report, instead of curves.", valueName: "name"))
  var figure: String?
  @Option(help: "The language of a figure.") var language = Language.english
  @Option(help: "Width in pixels (16 to 16384; default: the image's own); the height goes with it.")
  var width: Int?

  private var isPNG: Bool { output.lowercased().hasSuffix(".png") }

  func validate() throws {
    guard isPNG || output.lowercased().hasSuffix(".svg") else {
      throw ValidationError("--output: \(output), a name that ends in .svg or .png expected")
    }
    if let width { try require("--width", width, in: 16...16384) }
    guard figure != nil else { return }
    guard runs.count == 1 else {
      throw ValidationError("--figure: \(runs.count) runs, 1 expected")
    }
    if metric != nil || isLogarithmic || title != nil {
      throw ValidationError("--figure: does not go with --metric, --log and --title")
    }
  }

  func run() throws {
    let opened = try runs.map { try RunFolder.open($0) }
    let (drawn, what) = try figure.map { (try svg(of: $0, in: opened[0]), $0) } ?? curves(of: opened)
    let image = VectorImage(drawn)
    if isPNG {
      try Files.write([try image.png(width: width, for: output)], to: output)
    } else {
      try Files.write(image.svg(width: width), to: output)
    }
    writeError("Wrote \(output): \(what)")
  }

  // MARK: Figures

  private func svg(of name: String, in run: RunFolder) throws -> String {
    let exhibits = try exhibits(
      try recipe(named: run.configuration.recipe, from: run.file("config.json")), in: run)
    let figures = exhibits.compactMap { exhibit -> (name: String, image: String)? in
      guard case .figure(let image) = exhibit.content else { return nil }
      return (exhibit.name, image)
    }
    guard let found = figures.first(where: { $0.name == name }) else {
      let known = figures.isEmpty ? "none" : figures.map(\.name).joined(separator: ", ")
      throw KasaneError("--figure: \(run.path) has no figure \(name); known: \(known)")
    }
    return found.image
  }

  private func exhibits<R: Recipe>(_ type: R.Type, in run: RunFolder) throws -> [Exhibit] {
    try trained(type, in: run).exhibits(in: language)
  }

  // MARK: Curves

  private typealias Group = (options: [String: OptionValue], runs: [[(x: Double, y: Double)]])

  /// Runs that differ in nothing but their seed, together.
  private func groups(of opened: [RunFolder]) throws -> [Group] {
    var groups: [Group] = []
    for run in opened {
      let metrics = try Metric.read(run.metricsPath)
      guard !metrics.isEmpty else { throw KasaneError("\(run.metricsPath): no metrics to draw") }
      let points = try metrics.points(of: metric, in: run)
      var options = run.configuration.options
      options["recipe"] = .text(run.configuration.recipe)
      if let index = groups.firstIndex(where: { $0.options == options }) {
        groups[index].runs.append(points)
      } else {
        groups.append((options, [points]))
      }
    }
    return groups
  }

  private func curves(of opened: [RunFolder]) throws -> (svg: String, what: String) {
    let groups = try groups(of: opened)
    let name = metric ?? "mean loss"
    let curves = groups.map { group in
      Self.curve(group.runs, label: Self.label(group.options, among: groups.map(\.options)) ?? name)
    }
    var chart = Chart(
      title: title ?? opened[0].configuration.recipe, xLabel: "iteration", yLabel: name, curves: curves)
    chart.startsAtZero = metric == nil
    chart.isLogarithmic = isLogarithmic
    return (chart.svg, "\(groups.count) curves from \(opened.count) runs")
  }

  /// The options in which a group differs from others; nil where there are none.
  private static func label(_ options: [String: OptionValue], among all: [[String: OptionValue]]) -> String? {
    let telling = options.keys.sorted().filter { key in all.contains { $0[key] != options[key] } }
    if telling.isEmpty { return nil }
    return telling.map { "\($0) \(options[$0]!)" }.joined(separator: ", ")
  }

  private static func curve(_ runs: [[(x: Double, y: Double)]], label: String) -> Chart.Curve {
    let length = runs.map(\.count).min()!
    var curve = Chart.Curve(label: runs.count > 1 ? "\(label) (\(runs.count) runs)" : label, points: [])
    for index in 0..<length {
      let values = runs.map { $0[index].y }.sorted()
      curve.points.append((x: runs[0][index].x, y: values[values.count / 2]))
      if runs.count > 1 { curve.band.append((lower: values[0], upper: values[values.count - 1])) }
    }
    return curve
  }
}
