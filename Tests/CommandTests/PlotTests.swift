// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// `kasane plot` beyond the curves of losses.
@Suite struct PlotTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func trainFlow() throws {
    try folder.trainText([
      "train", "gradient-flow", "--preset", "quick", "--iterations", "20", "--hidden", "4", "--steps", "5",
      "--seed", "1", "--output", "r",
    ])
  }

  @Test func figuresOfARecipe() throws {
    try trainFlow()
    let outcome = try folder.run(["plot", "r", "--figure", "gradient-flow", "--output", "flow.svg"])
    #expect(outcome.status == 0 && outcome.stderr == "Wrote flow.svg: gradient-flow\n", "\(outcome.stderr)")
    #expect(try folder.text("flow.svg").contains(">This run (lstm)</text>"))
    let arguments = ["plot", "r", "--figure", "gradient-flow", "--language", "ja", "--width", "500"]
    #expect(try folder.run(arguments + ["--output", "ja.svg"]).status == 0)
    let japanese = try folder.text("ja.svg")
    #expect(japanese.contains("この学習") && japanese.hasPrefix("<svg ") && japanese.contains("width=\"500\""))
    // Smaller, with everything in it where it was.
    #expect(japanese.contains("viewBox=\"0 0 1042 "))
    try folder.expectError(
      ["plot", "r", "--figure", "tree", "--output", "x.svg"], names: "--figure: r has no figure tree",
      "known: gradient-flow")
    try folder.train("add")
    try folder.expectError(
      ["plot", "add", "--figure", "x", "--output", "x.svg"], names: "add has no figure x", "known: none")
    #expect(!folder.has("x.svg"))
  }

  @Test func logarithmicScale() throws {
    try folder.train("r")
    #expect(try folder.run(["plot", "r", "--output", "even.svg"]).status == 0)
    #expect(try folder.run(["plot", "r", "--log", "--output", "log.svg"]).status == 0)
    let (even, log) = (try folder.text("even.svg"), try folder.text("log.svg"))
    #expect(even.contains(">0</text>\n<line") && even != log)
    #expect(log.components(separatedBy: "<polyline").count == even.components(separatedBy: "<polyline").count)
  }

  /// With librsvg a picture, without it a line that says what is missing.
  @Test func pictures() throws {
    try folder.train("r")
    let arguments = ["plot", "r", "--width", "380", "--title", "重ね", "--output", "r.PNG"]
    let outcome = try folder.run(arguments)
    guard outcome.status == 0 else {
      try folder.expectError(arguments, names: "r.PNG: PNG needs the library librsvg")
      return
    }
    let bytes = [UInt8](try folder.data("r.PNG"))
    #expect(bytes.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
    #expect(bytes[16..<20] == [0, 0, 1, 0x7C], "the width")
    #expect(try folder.run(arguments).status == 0)
    #expect(try [UInt8](folder.data("r.PNG")) == bytes)
    try folder.expectError(
      ["plot", "r", "--output", "none/r.png"], names: "none/r.png: cannot be written")
  }

  @Test func badOptions() throws {
    try folder.train("r", ["--iterations", "1"])
    for (words, name) in [
      (["--output", "x.jpg"], "--output"), (["--output", "r"], "--output"),
      (["--output", "x.svg", "--width", "15"], "--width"),
      (["--output", "x.svg", "--width", "16385"], "--width"),
      (["--output", "x.svg", "--figure", "y", "--log"], "--figure"),
      (["r", "--output", "x.svg", "--figure", "y"], "--figure"),
      (["--output", "x.svg", "--language", "fr"], "--language"),
    ] {
      let outcome = try folder.run(["plot", "r"] + words)
      #expect(outcome.status == 64 && outcome.stderr.contains(name), "\(words): \(outcome.stderr)")
    }
    #expect(folder.names() == ["r"])
  }
}
