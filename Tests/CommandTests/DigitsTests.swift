// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Training on digits, and what can be done with the run.
@Suite struct DigitsTests {
  let folder: TemporaryFolder
  /// Where no data set is, whatever there is on this machine.
  private let noData = ["KASANE_DATA": "none"]

  init() throws { folder = try TemporaryFolder() }

  private struct Configuration: Decodable {
    struct Options: Decodable {
      let preset, optimizer: String
      let epochs, batch, shift: Int
      let learningRate, dropout: Double
      let data: String?
    }
    let options: Options
  }

  private func options(_ run: String) throws -> Configuration.Options {
    try JSONDecoder().decode(Configuration.self, from: folder.data("\(run)/config.json")).options
  }

  // MARK: Training

  @Test func quickLearnsFromABareClone() throws {
    // A part of the preset's epochs: this build is not optimised.
    let outcome = try folder.run(
      ["train", "digits", "--preset", "quick", "--epochs", "4", "--seed", "1", "--output", "r"],
      environment: noData)
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(outcome.lines.first?.wholeMatch(of: #/epoch 1/4  iteration 0  loss \d\.\d{4}/#) != nil)
    let epochs = outcome.lines.compactMap {
      $0.wholeMatch(of: #/epoch (\d)/4  validation accuracy (\d+\.\d\d) %  loss (\d\.\d{4})/#)
    }
    #expect(epochs.map { $0.1 } == ["1", "2", "3", "4"])
    let last = try #require(epochs.last.flatMap { Double($0.2) })
    #expect(last >= 85, "\(outcome.stdout)")
    #expect(outcome.errorLines[1] == "Learning from 500 images of the sample, judged by 200 others")
    #expect(outcome.stderr.contains("Images right, of those not learned from: "))
    let found = try options("r")
    #expect(found.preset == "quick" && found.epochs == 4 && found.batch == 25 && found.data == nil)

    // What was measured is in the metrics, in TensorBoard's events and in the charts.
    struct Line: Decodable {
      let iteration: Int
      let validation_accuracy, validation_loss: Double?
    }
    let lines = try folder.text("r/metrics.jsonl").split(separator: "\n").map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
    #expect(lines.map(\.iteration) == [0, 19, 39, 59, 79])
    #expect(lines[0].validation_accuracy == nil)
    #expect(lines[4].validation_accuracy.map { abs($0 * 100 - last) < 0.01 } == true)
    let events = try #require(folder.names("r").first { $0.contains("tfevents") })
    #expect(try folder.data("r/\(events)").range(of: Data("validation_accuracy".utf8)) != nil)
    let shown = try folder.run(["show", "r", "--metric", "validation_accuracy"])
    #expect(shown.status == 0 && shown.stdout.contains("metric   validation_accuracy 0."))
    #expect(
      try folder.run(["plot", "r", "--metric", "validation_accuracy", "--output", "a.svg"]).status == 0)
    #expect(try folder.text("a.svg").contains(">validation_accuracy</text>"))
    try folder.expectError(
      ["show", "r", "--metric", "foo"], names: "no metric foo; known: validation_accuracy, validation_loss")
  }

  @Test func presetIsThatOfTheDataAtHandUnlessGiven() throws {
    try folder.makeDigits("data/mnist", train: 20, test: 10)
    func train(_ name: String, _ words: [String], data: String) throws -> Outcome {
      let common = ["train", "digits", "--seed", "1", "--threads", "1", "--output", name]
      let outcome = try folder.run(common + words, environment: ["KASANE_DATA": data])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      return outcome
    }
    // MNIST is there: the whole of it, with the full preset's options.
    let full = try train("full", [], data: "data")
    #expect(full.errorLines[1] == "Learning from 20 images of data/mnist, judged by 10 others")
    let found = try options("full")
    #expect(found.preset == "full" && found.epochs == 10 && found.batch == 100)
    #expect(full.lines.last?.hasPrefix("epoch 10/10  ") == true)
    // A preset sets defaults only, and never where the data are.
    let mixed = try train(
      "mixed", ["--preset", "quick", "--epochs", "1", "--data", "data/mnist"], data: "data")
    #expect(mixed.errorLines[1].contains("20 images of \(folder.file("data/mnist").path)"))
    let mixedOptions = try options("mixed")
    #expect(mixedOptions.preset == "quick" && mixedOptions.epochs == 1 && mixedOptions.batch == 25)
    // It is not there: the sample, and it says so.
    let quick = try train("quick", ["--epochs", "1", "--batch", "500"], data: "none")
    #expect(quick.errorLines[1] == "No MNIST in none/mnist and no --data: taking --preset quick")
    #expect(try options("quick").preset == "quick")
  }

  @Test func everyOptionCounts() throws {
    try folder.trainDigits("r")
    let weights = try folder.data("r/model.safetensors")
    for (flag, value) in [
      ("--optimizer", "sgd"), ("--learning-rate", "0.01"), ("--dropout", "0"), ("--shift", "0"),
      ("--batch", "10"), ("--epochs", "1"), ("--seed", "2"),
    ] {
      try folder.trainDigits("r\(flag)", [flag, value])
      #expect(try folder.data("r\(flag)/model.safetensors") != weights, "\(flag)")
    }
    try folder.trainDigits("again")
    #expect(try folder.data("again/model.safetensors") == weights)
  }

  // MARK: Evaluating

  @Test func evaluatePrintsAConfusionMatrix() throws {
    try folder.trainDigits("r", ["--epochs", "1"])
    try folder.makeDigits("other", train: 11, test: 27)
    for (words, count) in [
      ([], 30), (["--data", "other"], 27), (["--data", "other", "--split", "train"], 11),
      (["--data", "sample"], 200),
    ] {
      let outcome = try folder.run(["evaluate", "r"] + words)
      #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
      try #require(outcome.lines.count == 14, "\(outcome.stdout)")
      let head = try #require(
        outcome.lines[0].wholeMatch(of: #/Images right: (\d+) of (\d+) \((\d+\.\d\d) %\)/#))
      #expect(Int(head.2) == count)
      #expect(outcome.lines[1].hasPrefix("Mean loss: "))
      #expect(
        outcome.lines[3].split(separator: " ")
          == "label 0 1 2 3 4 5 6 7 8 9 precision recall".split(separator: " "))
      var table: [[Int]] = []
      for (digit, line) in outcome.lines[4...].enumerated() {
        let cells = line.replacing(" %", with: "").split(separator: " ").map(String.init)
        try #require(cells.count == 13)
        #expect(cells[0] == "\(digit)")
        table.append(cells[1...10].compactMap { Int($0) })
        let row = table[digit].reduce(0, +)
        #expect(cells[12] == share(table[digit][digit], row))
      }
      #expect(table.joined().reduce(0, +) == count)
      #expect((0..<10).reduce(0) { $0 + table[$1][$1] } == Int(head.1))
      for (digit, line) in outcome.lines[4...].enumerated() {
        let column = table.reduce(0) { $0 + $1[digit] }
        let cells = line.replacing(" %", with: "").split(separator: " ").map(String.init)
        #expect(cells[11] == share(table[digit][digit], column))
      }
    }
  }

  private func share(_ part: Int, _ whole: Int) -> String {
    whole == 0 ? "-" : String(format: "%.2f", 100 * Double(part) / Double(whole))
  }

  // MARK: Predicting

  @Test func predictDrawsTheDigitWithItsProbabilities() throws {
    try folder.trainDigits("r", ["--epochs", "1"])
    func lines(_ words: String...) throws -> [String] {
      let outcome = try folder.run(["predict", "r"] + words)
      #expect(outcome.status == 0 && outcome.stderr.isEmpty, "\(outcome.stderr)")
      try #require(outcome.lines.count == 15, "\(outcome.stdout)")
      var probabilities: [Double] = []
      for line in outcome.lines[2..<12] {
        let found = try #require(
          line.firstMatch(of: #/ (\d)  +(\d+\.\d\d) %(?:  ([█▉▊▋▌▍▎▏]+))?$/#), "\(line)")
        #expect(Int(found.1) == probabilities.count)
        let percent = try #require(Double(found.2))
        #expect(abs(Double(found.3?.count ?? 0) - percent / 5) <= 1)
        probabilities.append(percent)
      }
      #expect(abs(probabilities.reduce(0, +) - 100) < 0.06)
      let answer = try #require(outcome.lines[14].firstMatch(of: #/^Answer: (\d)/#).flatMap { Int($0.1) })
      #expect(probabilities[answer] == probabilities.max())
      return outcome.lines
    }
    let drawn = try lines("small/t10k-images-idx3-ubyte.gz", "0")
    // The sample's first test image is a seven.
    let verdict = try #require(
      drawn[14].wholeMatch(of: #/Answer: (\d)  \((right|wrong: it is 7)\)/#), "\(drawn[14])")
    #expect((verdict.1 == "7") == (verdict.2 == "right"))
    #expect(drawn[..<14].contains { $0.prefix(28).contains("█") })
    #expect(drawn[..<14].allSatisfy { $0.prefix(28).allSatisfy { " █▀▄".contains($0) } })
    #expect(try lines("sample", "0") == drawn)
    #expect(try lines("sample", "199") != drawn)
    // Without labels there is no verdict, and without compression no difference.
    let whole = try IDXCopy.plain(folder.file("small/t10k-images-idx3-ubyte.gz"))
    try folder.write(Data(whole), to: "alone-images")
    let alone = try lines("alone-images", "0")
    #expect(alone[..<14] == drawn[..<14])
    #expect(alone[14] == "Answer: \(verdict.1)")
    #expect(try lines("alone-images", "29") != drawn)
  }
}
