// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneRecipes

/// `kasane report RUN...`
struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write runs' configuration, curves and results into one HTML file.",
    discussion: """
      The file needs nothing else: no network, no other file. The results come from each run's trained network, or from its \
      last checkpoint while it is not finished.
      """)

  @Argument(help: ArgumentHelp("The runs' folders.", valueName: "run"), completion: .directory)
  var runs: [String]
  @Option(
    help: ArgumentHelp(
      "HTML file to write (default: report.html in the run's folder, or here for several runs).",
      valueName: "file"), completion: .file(extensions: ["html"]))
  var output: String?
  @Option(help: "The report's language.") var language = Language.english

  func validate() throws {
    if output == "" { throw ValidationError("--output: empty, a file's path expected") }
    guard runs.count <= Self.mostRuns else {
      throw ValidationError("\(runs.count) runs, at most \(Self.mostRuns) expected")
    }
  }

  private static let mostRuns = 50

  func run() throws {
    let records = try RunRecord.read(runs, in: language)
    let path = output ?? (records.count == 1 ? records[0].run.file("report.html") : "report.html")
    let page = try ReportPage(records, in: language).html()
    try Files.write(page, to: path)
    let kilobytes = fixed(Double(page.utf8.count) / 1000, 0)
    writeError("Wrote \(path): \(records.count == 1 ? "1 run" : "\(records.count) runs"), \(kilobytes) kB")
  }
}
