// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Kasane
import Testing

@testable import KasaneRecipes

/// Presets set defaults and nothing else.
@Suite struct PresetTests {
  private struct Options: RecipeOptions {
    @Option(help: "Preset.") var preset: Preset?
    @Option(help: "Epochs.") var epochs = ByPreset(quick: 2, full: 10)
    @Option(help: "Rate.") var rate = ByPreset(quick: 0.5, full: 0.25)
    @Option(help: "Same in both.") var batch = ByPreset(quick: 8, full: 8)
    @Option(help: "Folder.") var data: String?
    @Option(help: "Plain.") var width = 3
    @Flag var bias = false
    var chosenPreset: Preset? { preset ?? .quick }
  }

  @Test func whatIsGivenWins() throws {
    func values(_ words: String...) throws -> (Int, Double) {
      let options = try Options.parse(words)
      return (options[\.epochs], options[\.rate])
    }
    #expect(try values() == (2, 0.5))
    #expect(try values("--preset", "full") == (10, 0.25))
    #expect(try values("--preset", "full", "--epochs", "2") == (2, 0.25))
    #expect(try values("--rate", "1", "--preset", "quick") == (2, 1))
    #expect(try values("--epochs", "10", "--preset", "quick") == (10, 0.5))
  }

  @Test func savedOptionsAreWholeAndComeBack() throws {
    let options = try Options.parse(["--epochs", "7"])
    let saved = try options.values()
    #expect(
      saved == [
        "preset": .text("quick"), "epochs": .integer(7), "rate": .number(0.5), "batch": .integer(8),
        "width": .integer(3), "bias": .flag(false),
      ])
    let back = try Options(values: saved, from: "config.json")
    #expect(try back.values() == saved && back.preset == .quick && back.data == nil)
    for name in saved.keys {
      var rest = saved
      rest[name] = nil
      let error = #expect(throws: KasaneError.self) { try Options(values: rest, from: "config.json") }
      #expect(error?.description == "config.json: options: \(name) missing")
    }
  }

  @Test func helpShowsBothDefaults() {
    let help = Options.helpMessage()
    #expect(help.contains("(default: 2 in quick, 10 in full)"))
    #expect(help.contains("(default: 8)"))
  }

  @Test(arguments: [["--epochs", "x"], ["--preset", "slow"], ["--epochs"]])
  func badValues(_ words: [String]) {
    #expect(throws: (any Error).self) { try Options.parse(words) }
  }
}
