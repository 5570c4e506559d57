// SPDX-License-Identifier: Apache-2.0

import CReport
import Kasane
import KasaneRecipes

/// A report as one HTML page, which is well-formed XML too.
struct ReportPage {
  let records: [RunRecord]
  let language: Language

  init(_ records: [RunRecord], in language: Language) {
    (self.records, self.language) = (records, language)
  }

  /// The whole file.
  func html() throws -> String {
    let charts = ReportCharts(records, in: language)
    let sections = [
      ("curves", language("Curves", "曲線"), curves(charts)),
      ("results", language("Results", "結果"), results),
      ("configuration", language("Configuration", "設定"), ReportTables(records, in: language).html),
    ].filter { !$0.2.isEmpty }
    let links = sections.map { "<a href=\"#\($0.0)\">\($0.1)</a>" }.joined()
    let body = sections.map { id, title, content in
      "<section id=\"\(id)\"><h2>\(title)</h2>\n\(content)\n</section>"
    }
    // The comments around the script's CDATA make the page the same to readers of HTML and of XML.
    return """
      <!DOCTYPE html>
      <html xmlns="http://www.w3.org/1999/xhtml" lang="\(language.rawValue)">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta name="generator" content="Kasane \(kasaneVersion)"/>
      <title>\(escapedMarkup(title)) – Kasane</title>
      <style>
      \(String(cString: ks_report_style()))</style>
      </head>
      <body>
      <header>
      <p class="brand" translate="no"><i class="mark"></i>Kasane</p>
      <h1>\(heading)</h1>
      <nav aria-label="\(language("Sections", "目次"))">\(links)</nav>
      </header>
      <main>
      \(overview)
      \(body.joined(separator: "\n"))
      </main>
      <script type="application/json" id="report-data">\(try charts.data())</script>
      <script>
      //<![CDATA[
      \(String(cString: ks_report_script()))//]]>
      </script>
      </body>
      </html>

      """
  }

  // MARK: Head

  private var recipes: [String] {
    records.map(\.run.configuration.recipe).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
  }

  private var title: String { recipes.joined(separator: ", ") }

  private var heading: String {
    let names = recipes.map { raw($0) }.joined(separator: ", ")
    return records.count == 1
      ? names : names + " <small>\(language("\(records.count) runs", "\(records.count) 回の学習"))</small>"
  }

  // MARK: Overview

  /// A card for each run: how far it came and how good it is.
  private var overview: String {
    let cards = records.enumerated().map { number, record in
      let state =
        record.run.isFinished
        ? "<span class=\"state finished\">\(language("finished", "完了"))</span>"
        : "<span class=\"state\">\(language("not finished", "未完了"))</span>"
      let swatch = records.count > 1 ? "<i class=\"swatch \(Colours.name(number))\"></i>" : ""
      let telling = ReportTables.differing(records).compactMap { option in
        record.run.configuration.options[option].map { raw("\(option) \($0)", "li") }
      }
      let chips = telling.isEmpty ? "" : "<ul class=\"chips\">\(telling.prefix(6).joined())</ul>"
      let facts = facts(of: record).map { "<div><dt>\(escapedMarkup($0.0))</dt><dd>\($0.1)</dd></div>" }
      return """
        <article class="card"><h2>\(swatch)\(raw(record.name))\(state)</h2>\(chips)
        <dl>\(facts.joined())</dl></article>
        """
    }
    return "<div class=\"cards\">\(cards.joined(separator: "\n"))</div>"
  }

  private func facts(of record: RunRecord) -> [(String, String)] {
    var facts = [
      (language("Steps", "ステップ数"), ReportNumbers.text(record.steps)),
      (language("Time", "時間"), ReportNumbers.time(record.seconds, in: language)),
    ]
    if let loss = record.last(RunRecord.loss) {
      facts.append((language("Last loss", "最後の損失"), ReportNumbers.text(loss)))
    }
    if let loss = record.lowest(RunRecord.validationPrefix + RunRecord.loss) {
      facts.append((language("Best validation loss", "検証損失の最良値"), ReportNumbers.text(loss)))
    }
    if let accuracy = record.highest(RunRecord.validationPrefix + "accuracy") {
      facts.append((language("Best validation accuracy", "検証正解率の最良値"), ReportNumbers.percent(accuracy)))
    }
    return facts
  }

  // MARK: Sections

  private func curves(_ charts: ReportCharts) -> String {
    let legend = records.enumerated().map { number, record in
      "<li data-run=\"\(number)\"><i class=\"swatch \(Colours.name(number))\"></i>\(raw(record.name))</li>"
    }
    let thinned =
      charts.drawnPoints == charts.recordedPoints
      ? ""
      : "<p class=\"note\">"
        + language(
          "Of the \(ReportNumbers.text(charts.recordedPoints)) points recorded, "
            + "\(ReportNumbers.text(charts.drawnPoints)) are drawn: of each stretch of a curve the first, the last, the "
            + "lowest and the highest.",
          "記録された \(ReportNumbers.text(charts.recordedPoints)) 点のうち \(ReportNumbers.text(charts.drawnPoints)) "
            + "点を描いています。曲線の区間ごとに、最初・最後・最小・最大の点です。") + "</p>"
    return """
      <div class="controls">
      \(records.count > 1 ? "<ul class=\"legend\">\(legend.joined())</ul>" : "")
      <div class="switches" hidden="hidden">
      <label><input type="checkbox" id="logarithmic"/> \(language("Logarithmic", "対数目盛"))</label>
      <label>\(language("Smoothing", "平滑化")) <input type="range" id="smoothing" min="0" max="99" value="0"/> \
      <output for="smoothing">0</output></label>
      </div>
      </div>
      \(thinned)
      <div class="charts">
      \(charts.html)
      </div>
      <p class="sr" id="announcer" aria-live="polite"></p>
      """
  }

  private var results: String {
    let runs = records.enumerated().filter { !$0.element.exhibits.isEmpty || $0.element.missing != nil }
    return runs.map { number, record in
      let heading =
        records.count > 1
        ? "<h3 class=\"run\"><i class=\"swatch \(Colours.name(number))\"></i>\(raw(record.name))</h3>" : ""
      let missing =
        record.missing.map {
          "<p class=\"note\">\(language("Not shown, because of", "次の理由で表示できません")): \(raw($0, "code"))</p>"
        } ?? ""
      let shown = record.exhibits.map { html($0) }.joined(separator: "\n")
      return "\(heading)\(missing)<div class=\"exhibits\">\n\(shown)\n</div>"
    }.joined(separator: "\n")
  }

  private func html(_ exhibit: Exhibit) -> String {
    let words = "<h3>\(escapedMarkup(exhibit.title))</h3><p>\(escapedMarkup(exhibit.caption))</p>"
    switch exhibit.content {
    case .figure(let image):
      let label = escapedMarkup("\(exhibit.title). \(exhibit.caption)")
      return """
        <figure class="exhibit\(Self.width(of: image) > 560 ? " wide" : "")"><figcaption>\(words)</figcaption>
        <div class="scroll figure" tabindex="0" role="group" aria-label="\(escapedMarkup(exhibit.title))">
        \(Self.inlined(image, label: label))</div></figure>
        """
    case .table(let columns, let rows):
      func style(_ column: Int) -> String { columns[column].isNumeric ? " class=\"number\"" : "" }
      let head = columns.indices.map {
        "<th scope=\"col\"\(style($0))>\(escapedMarkup(columns[$0].title))</th>"
      }.joined()
      let body = rows.map { row in
        "<tr>"
          + columns.indices.map { "<td\(style($0)) translate=\"no\">\(escapedMarkup(row[$0]))</td>" }.joined()
          + "</tr>"
      }.joined()
      let longest = rows.map { $0.reduce(0) { $0 + $1.count } }.max() ?? 0
      return """
        <figure class="exhibit\(longest > 60 ? " wide" : "")"><figcaption>\(words)</figcaption>
        <div class="scroll" tabindex="0"><table><thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table></div></figure>
        """
    case .text(let lines):
      return """
        <figure class="exhibit"><figcaption>\(words)</figcaption>
        <pre class="sample" translate="no">\(escapedMarkup(lines.joined(separator: "\n")))</pre></figure>
        """
    }
  }

  private static func width(of image: String) -> Double {
    image.firstMatch(of: /<svg [^>]*?width="([\d.]+)"/).flatMap { Double($0.1) } ?? 600
  }

  /// An SVG file as part of the page. It may become somewhat smaller than it is, and is scrolled when there is less room.
  private static func inlined(_ image: String, label: String) -> String {
    guard let start = image.firstRange(of: "<svg ") else { return "" }
    let attributes =
      "role=\"img\" aria-label=\"\(label)\" style=\"min-width:\(SVG.at(0.72 * width(of: image)))px\" "
    return image[..<start.upperBound] + attributes + image[start.upperBound...]
  }
}
