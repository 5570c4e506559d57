// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `kasane report` writes.
@Suite struct PageTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The page that a report of some runs is.
  private func page(_ arguments: String..., location: SourceLocation = #_sourceLocation) throws -> PageReader
  {
    let outcome = try folder.run(["report"] + arguments + ["--output", "page.html"])
    try #require(outcome.status == 0, "\(outcome.stderr)", sourceLocation: location)
    #expect(outcome.stdout.isEmpty && folder.partials == [], sourceLocation: location)
    return try PageReader(try folder.text("page.html"))
  }

  // MARK: What it holds

  @Test func aPageOfARunStandsAlone() throws {
    try folder.train("r")
    let outcome = try folder.run(["report", "r"])
    #expect(outcome.stderr.hasPrefix("Wrote r/report.html: 1 run, ") && outcome.errorLines.count == 1)
    let page = try PageReader(try folder.text("r/report.html"))
    #expect(page.all("html")[0].attributes["lang"] == "en")
    #expect(page.all("h1").map(\.text) == ["binary-addition"])
    #expect(page.all("section").compactMap { $0.attributes["id"] } == ["curves", "results", "configuration"])
    // Nothing comes from elsewhere.
    for element in page.elements {
      for name in ["src", "href", "srcset", "data", "action"] {
        let value = element.attributes[name]
        #expect(value == nil || value!.hasPrefix("#"), "\(element)")
      }
      #expect(!["link", "iframe", "object", "img"].contains(element.name))
    }
    let style = try #require(page.all("style").first?.text)
    #expect(!style.contains("@import") && !style.contains("url("))
    for mark in ["prefers-color-scheme: dark", "@media print", "max-width"] { #expect(style.contains(mark)) }

    // The curves are there without the script, and each has its values in a table.
    let charts = page.all("figure", class: "chart")
    #expect(charts.compactMap { $0.attributes["id"] } == ["chart-loss", "chart-iterations_per_second"])
    #expect(
      page.all("div", class: "plot").allSatisfy { $0.attributes["aria-label"]?.contains("lowest") == true })
    #expect(page.all("path", class: "curve").allSatisfy { $0.attributes["d"]!.hasPrefix("M") })
    #expect(page.all("path", class: "curve").count == 2 && page.all("table", class: "values").count == 2)
    #expect(page.all("table", class: "values")[0].text.contains("200"))
    #expect(page.all("div", class: "switches")[0].attributes["hidden"] != nil)
    // Configuration, state, the recipe's own.
    let settings = try #require(page.all("table", class: "settings").first?.text)
    for part in ["hidden8", "Seed1", "Statefinished", "Steps300", "Threads1", "Folderr"] {
      #expect(settings.contains(part), "\(settings)")
    }
    #expect(page.all("figure", class: "exhibit").count == 2)
    #expect(page.all("article").count == 1 && page.all("tr", class: "differs").isEmpty)
  }

  @Test func severalRunsAreOverlaidAndTheirDifferencesMarked() throws {
    try folder.train("a")
    try folder.train("b", ["--activation", "tanh", "--iterations", "250"])
    let page = try page("a", "b")
    #expect(page.all("path", class: "curve").count == 4)
    #expect(page.all("article").map { $0.text.contains("activation tanh") } == [false, true])
    let differing = page.all("tr", class: "differs").compactMap { $0.text.split(separator: " ").first }
    #expect(differing == ["activation", "iterations"])
    #expect(page.all("li").filter { $0.attributes["data-run"] != nil }.map(\.text) == ["a", "b"])
    // Folders of the same name are told apart by their paths.
    try FileManager.default.createDirectory(at: folder.file("other"), withIntermediateDirectories: false)
    try folder.copy("a", to: "other/a")
    let twins = try self.page("a", "other/a")
    #expect(twins.all("li").filter { $0.attributes["data-run"] != nil }.map(\.text) == ["a", "other/a"])
    #expect(twins.all("tr", class: "differs").isEmpty)
  }

  @Test func sameRunSamePage() throws {
    try folder.train("r")
    _ = try page("r", "--language", "ja")
    let first = try folder.data("page.html")
    _ = try page("r", "--language", "ja")
    #expect(try folder.data("page.html") == first)
  }

  @Test func runThatIsNotFinished() throws {
    try folder.train("r", ["--checkpoint-every", "100"])
    try folder.remove("r/model.safetensors")
    let page = try page("r")
    #expect(page.all("article")[0].text.contains("not finished"))
    #expect(page.all("figure", class: "exhibit").count == 2)
    try folder.remove("r/checkpoints")
    #expect(
      try self.page("r").all("p", class: "note").map(\.text) == ["Not shown, because of: r: no model yet"])
  }

  /// A line for each of many iterations: peaks stay, and the page says what is left out.
  @Test func manyPointsAreThinned() throws {
    try folder.train("r")
    let lines = (0..<20_000).map { iteration in
      let loss = iteration == 7_777 ? 123.25 : iteration == 12_345 ? 0.0625 : 2 + 1 / Double(iteration + 1)
      return #"{"iteration":\#(iteration * 100),"loss":1,"mean_loss":\#(loss),"time":\#(1000 + iteration)}"#
    }
    try folder.write(lines.joined(separator: "\n") + "\n", to: "r/metrics.jsonl")
    let page = try page("r")
    #expect(try folder.data("page.html").count < 150_000)
    let note = try #require(page.all("p", class: "note").first?.text)
    #expect(note.hasPrefix("Of the 20,059 points recorded, "), "\(note)")
    let data = try #require(page.all("script").first?.text)
    for value in ["123.25", "0.0625", "777700", "1234500", "1999900"] {
      #expect(data.contains(value), "\(value)")
    }
  }

  // MARK: What it is given

  /// Whatever a run's files say stands in the page as text.
  @Test func everythingIsEscaped() throws {
    let wild = #"</script><x y="1">&amp;]]>'\#u{7}\#u{FFFE}"#
    try folder.write((0..<20).map { "<b>&'\"]]>\($0 % 10)\n" }.joined(), to: "names.txt")
    let name = "r<i>&\""
    try folder.trainText([
      "train", "names", "--corpus", "names.txt", "--epochs", "1", "--hidden", "4", "--seed", "1", "--output",
      name,
    ])
    var configuration = try folder.text("\(name)/config.json")
    let machine = try #require(configuration.firstMatch(of: /"machine" : "[^"]*"/))
    let quoted = String(decoding: try JSONEncoder().encode(wild), as: UTF8.self)
    configuration.replaceSubrange(machine.range, with: "\"machine\" : \(quoted)")
    try folder.write(configuration, to: "\(name)/config.json")
    let line = #"{"iteration":5,"loss":1,"mean_loss":1,"time":5,\#(quoted):3}"# + "\n"
    try folder.write(try folder.text("\(name)/metrics.jsonl") + line, to: "\(name)/metrics.jsonl")
    for language in ["en", "ja"] {
      let page = try page(name, "--language", language)
      #expect(page.all("x").isEmpty && page.all("b").isEmpty && page.all("script").count == 2)
      let shown = wild.replacing("\u{7}", with: "\u{FFFD}").replacing("\u{FFFE}", with: "\u{FFFD}")
      #expect(page.texts.contains { $0.text == shown && !$0.isTranslated })
      #expect(page.all("h2").contains { $0.text.hasPrefix(name) })
      #expect(try JSONSerialization.jsonObject(with: Data(page.all("script")[0].text.utf8)) is [String: Any])
    }
  }

  /// Every word of the program's own is Japanese in a Japanese page, but for names that are the same there.
  @Test func everyWordIsInBothLanguages() throws {
    try folder.makeText()
    try folder.makeDigits()
    try folder.write((0..<40).map { _ in "is it you ? __eou__ it is .\n" }.joined(), to: "talk.txt")
    try folder.write((0..<40).map { "mari\(["a", "e", "o", "us"][$0 % 4])\($0)\n" }.joined(), to: "names.txt")
    let few = ["--seed", "1", "--threads", "1", "--output"]
    let trainings = [
      ["binary-addition", "--iterations", "300"], ["digits", "--data", "small", "--epochs", "1"],
      ["names", "--corpus", "names.txt", "--epochs", "1", "--print-every", "1"],
      ["next-word", "--corpus", "corpus.txt", "--epochs", "1"],
      ["language-model", "--corpus", "corpus.txt", "--epochs", "1", "--hidden", "8", "--batch", "4"],
      [
        "gradient-flow", "--preset", "quick", "--iterations", "20", "--hidden", "4", "--steps", "5",
        "--print-every", "2",
      ],
      [
        "tagging", "--corpus", "corpus.txt", "--epochs", "1", "--hidden", "8", "--steps", "16",
        "--print-every", "1",
      ],
      ["hred", "--corpus", "talk.txt", "--epochs", "2", "--hidden", "8", "--print-every", "1"],
      ["vhred", "--corpus", "talk.txt", "--epochs", "2", "--hidden", "8", "--print-every", "1"],
      ["sentiment-tree", "--preset", "quick", "--epochs", "2", "--features", "4", "--hidden", "4"],
    ]
    let same = Set([
      "Kasane", "RNN", "LSTM", "GRU", "ReLU", "Xavier", "Orthogonal", "tanh", "sigmoid", "lstm",
    ])
    for training in trainings {
      let name = training[0]
      try folder.trainText(["train"] + training + few + [name])
      let japanese = try page(name, "--language", "ja")
      #expect(japanese.all("html")[0].attributes["lang"] == "ja")
      // The words below a tree are the sentence's.
      let sentence = name == "sentiment-tree" ? try wordsInFigures(page(name), japanese) : []
      for (text, isTranslated) in japanese.texts where isTranslated {
        let words = text.matches(of: /[A-Za-z]{3,}/).map { String($0.0) }.filter {
          !same.union(sentence).contains($0)
        }
        #expect(words == [] || text == "\(training[0]) – Kasane", "\(name): \(text)")
      }
      for label in japanese.elements.compactMap({ $0.attributes["aria-label"] }) {
        #expect(label.unicodeScalars.contains { $0.value > 0x3040 }, "\(name): \(label)")
      }
      let english = try page(name)
      #expect(
        !english.texts.contains { $0.isTranslated && $0.text.unicodeScalars.contains { $0.value > 0x3040 } })
      #expect(english.elements.map(\.name) == japanese.elements.map(\.name), "\(name)")
      #expect(!english.all("figure", class: "exhibit").isEmpty, "\(name)")
    }
    // Together in one page, too.
    #expect(try self.page("names", "digits", "gradient-flow").all("article").count == 3)
    // Data that are no longer there leave the curves and the reason.
    try folder.remove("small")
    let left = try page("digits")
    #expect(left.all("figure", class: "exhibit").isEmpty && left.all("figure", class: "chart").count > 1)
    #expect(left.all("p", class: "note")[0].text.hasPrefix("Not shown, because of: "))
  }

  /// The words that stand in the figures of both pages.
  private func wordsInFigures(_ first: PageReader, _ second: PageReader) -> Set<String> {
    func words(_ page: PageReader) -> Set<String> {
      Set(page.all("text").flatMap { $0.text.matches(of: /[A-Za-z]{3,}/).map { String($0.0) } })
    }
    return words(first).intersection(words(second))
  }

  // MARK: Errors

  @Test func badRunsAndPlaces() throws {
    try folder.train("r")
    let metrics = try folder.text("r/metrics.jsonl")
    let configuration = try folder.text("r/config.json")
    for (name, reason) in [("none", "no such run folder"), (".", "config.json is missing")] {
      try folder.expectError(["report", "r", name, "--output", "page.html"], names: name, reason)
    }
    for place in ["none/page.html", "r/config.json/page.html"] {
      try folder.expectError(["report", "r", "--output", place], names: "\(place): cannot be written")
    }
    for (damaged, reason) in [
      ("", "nothing to report yet"), ("x" + metrics, "line 1 is not a metric"),
      ("{\"iteration\":1}\n" + metrics, "line 1 is not a metric"),
      (metrics.replacing("\"loss\"", with: "\"los\""), "line 1 is not a metric"),
    ] {
      try folder.write(damaged, to: "r/metrics.jsonl")
      try folder.expectError(["report", "r"], names: "r", reason)
    }
    try folder.remove("r/metrics.jsonl")
    try folder.expectError(["report", "r"], names: "r: nothing to report yet")
    try folder.write(metrics, to: "r/metrics.jsonl")
    for (old, new, reason) in [
      ("\"hidden\" : 8,", "", "options: hidden missing"), ("\"bits\"", "\"bytes\"", "r/config.json: options"),
      ("binary-addition", "subtraction", "unknown recipe subtraction"),
      ("\"hidden\" : 8", "\"hidden\" : 9", "hidden"),
    ] {
      try folder.write(configuration.replacing(old, with: new), to: "r/config.json")
      try folder.expectError(
        ["report", "r"], names: "r/", new == "\"hidden\" : 9" ? "model.safetensors" : reason)
    }
    try folder.write(configuration, to: "r/config.json")
    for words in [["--language", "fr"], ["--output", ""], ["--width", "3"]] {
      let outcome = try folder.run(["report", "r"] + words)
      #expect(outcome.status == 64 && outcome.stderr.contains(words[0]), "\(outcome.stderr)")
    }
    #expect(try folder.run(["report"]).status == 64)
    #expect(folder.names() == ["r"] && !folder.has("r/report.html"))
  }
}
