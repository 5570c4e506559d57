// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Runs whose files are damaged, cut off, foreign or edited: one line that names the file, and nothing changed.
@Suite struct DamagedRunTests {
  let folder: TemporaryFolder

  private static let checkpoint = "r/checkpoints/step-000000200.safetensors"

  /// A run `r` that stopped after 200 of 300 iterations.
  init() throws {
    folder = try TemporaryFolder()
    try folder.train("r", ["--checkpoint-every", "100"])
    try folder.remove("r/model.safetensors")
    try folder.remove("r/checkpoints/step-000000300.safetensors")
  }

  /// Expects that going on is refused with a line that names `file`, and that the run's files stay as they are.
  private func expectRefusal(
    _ file: String, _ parts: String..., comment: String = "", location: SourceLocation = #_sourceLocation
  ) throws {
    let files = ["config.json", "metrics.jsonl"]
    let before = try files.map { try folder.data("r/\($0)") }
    let outcome = try folder.run(["train", "--resume", "r"])
    let what = "\(comment) \(outcome.status) \(outcome.stderr)"
    #expect(outcome.status == 1, "\(what)", sourceLocation: location)
    #expect(outcome.stderr.hasPrefix("Error: \(file): "), "\(what)", sourceLocation: location)
    #expect(outcome.errorLines.count == 1, "\(what)", sourceLocation: location)
    for part in parts { #expect(outcome.stderr.contains(part), "\(what)", sourceLocation: location) }
    #expect(outcome.stdout.isEmpty, sourceLocation: location)
    #expect(!folder.has("r/model.safetensors"), "\(comment)", sourceLocation: location)
    let after = try files.map { try folder.data("r/\($0)") }
    #expect(before == after, "\(comment)", sourceLocation: location)
    #expect(folder.partials == [], "\(comment)", sourceLocation: location)
  }

  // MARK: Checkpoints

  @Test func wholeCheckpointIsGoneOnWith() throws {
    // The other tests change one thing each in a run that goes on without them.
    let outcome = try folder.run(["train", "--resume", "r"])
    #expect(outcome.status == 0)
    #expect(outcome.errorLines.first == "Going on after 200 iterations")
  }

  @Test func cutOffCheckpoint() throws {
    let whole = try folder.data(Self.checkpoint)
    for length in [0, 7, 8, 100, whole.count / 2, whole.count - 1] {
      try folder.write(whole.prefix(length), to: Self.checkpoint)
      try expectRefusal(Self.checkpoint, "not a whole safetensors file", comment: "\(length) bytes")
    }
    try folder.write(whole + [0], to: Self.checkpoint)
    try expectRefusal(Self.checkpoint, "1 bytes after the last tensor")
  }

  @Test func flippedBitInTheElements() throws {
    let whole = try folder.data(Self.checkpoint)
    // 2 x 8, 8 x 8 and 8 weights of four bytes come last.
    let elements = whole.count - (16 + 64 + 8) * 4..<whole.count
    for place in [elements.lowerBound, elements.upperBound - 1, .random(in: elements), .random(in: elements)]
    {
      let bit = Int.random(in: 0..<8)
      var damaged = whole
      damaged[place] ^= 1 << bit
      try folder.write(damaged, to: Self.checkpoint)
      try expectRefusal(Self.checkpoint, "its checksum is", comment: "bit \(bit) of byte \(place)")
    }
  }

  @Test func flippedBitInTheHeader() throws {
    let whole = try folder.data(Self.checkpoint)
    func flip(_ text: String, offset: Int) throws {
      let place = try #require(whole.range(of: Data(text.utf8))).lowerBound + offset
      var damaged = whole
      damaged[place] ^= 1
      try folder.write(damaged, to: Self.checkpoint)
      try expectRefusal(Self.checkpoint, comment: "\(text), byte \(offset)")
    }
    try flip("{\"__metadata__\"", offset: 0)
    try flip("\"completed\":\"200\"", offset: 13)
    try flip("\"format\"", offset: 2)
    try flip("\"data_offsets\":[", offset: 16)
    try flip("\"crc32c\":\"", offset: 10)
  }

  // What the random generator, the mean loss and the metrics go on from.
  @Test(arguments: ["\"random\":\"1 1 ", "\"loss_sum\":\"4", "\"loss_count\":\"", "\"metrics_l"])
  func flippedBitInTheNotes(_ text: String) throws {
    var damaged = try folder.data(Self.checkpoint)
    let place = try #require(damaged.range(of: Data(text.utf8))).upperBound
    damaged[place] ^= 1
    try folder.write(damaged, to: Self.checkpoint)
    try expectRefusal(Self.checkpoint, comment: "after \(text)")
  }

  @Test func foreignCheckpoint() throws {
    try folder.train("other", ["--checkpoint-every", "100"])
    let foreign = try folder.data("other/checkpoints/step-000000200.safetensors")
    try folder.write(foreign, to: Self.checkpoint)
    try expectRefusal(Self.checkpoint, "a checkpoint of another run")
    try folder.write(try folder.data("other/model.safetensors"), to: Self.checkpoint)
    try expectRefusal(Self.checkpoint, "not a checkpoint")
    try folder.write(try folder.data("r/loss.svg"), to: Self.checkpoint)
    try expectRefusal(Self.checkpoint, "not a whole safetensors file")
  }

  @Test func checkpointUnderAnotherName() throws {
    try folder.copy(Self.checkpoint, to: "r/checkpoints/step-000000250.safetensors")
    try expectRefusal("r/checkpoints/step-000000250.safetensors")
  }

  // MARK: config.json

  @Test(arguments: [
    ("\"bits\" : 8", "\"bits\" : 99", "--bits: 99"),
    ("\"hidden\" : 8", "\"hidden\" : 0", "--hidden: 0"),
    ("\"learningRate\" : 0.1", "\"learningRate\" : -1", "--learning-rate"),
    ("\"activation\" : \"sigmoid\"", "\"activation\" : \"foo\"", "foo"),
    ("\"method\" : \"fused\"", "\"method\" : 1", "--method"),
    ("\"bias\" : false", "\"bais\" : true", "--bais"),
    ("\"bits\" : 8", "\"bits\" : [8]", "bits"),
    ("\"bits\" : 8", "\"bits\" : null", "bits"),
    ("\"recipe\" : \"binary-addition\"", "\"recipe\" : \"foo\"", "unknown recipe foo"),
    ("\"recipe\" : \"binary-addition\"", "\"recipy\" : \"binary-addition\"", "recipe is missing"),
    ("\"seed\" : 1", "\"sead\" : 1", "seed is missing"),
    ("\"seed\" : 1", "\"seed\" : \"x\"", "seed"),
    ("\"machine\" : ", "\"engines\" : ", "machine is missing"),
    ("\"id\" : ", "\"ids\" : ", "id is missing"),
    ("{", "[", "not JSON"),
    ("}\n", "", "not JSON"),
  ]) func editedConfiguration(_ text: String, _ replacement: String, _ expected: String) throws {
    let whole = try folder.text("r/config.json")
    try #require(whole.contains(text))
    let edited = whole.replacingOccurrences(of: text, with: replacement)
    try folder.write(Data(edited.utf8), to: "r/config.json")
    try expectRefusal("r/config.json", expected)
    // `show` and `runs` need no options, and the others must refuse too.
    try folder.expectError(["predict", "r", "1", "1"], names: "r/config.json", expected)
    try folder.expectError(["evaluate", "r"], names: "r/config.json", expected)
  }

  @Test func cutOffConfiguration() throws {
    let whole = try folder.data("r/config.json")
    for length in [0, 1, whole.count / 2, whole.count - 3] {
      try folder.write(whole.prefix(length), to: "r/config.json")
      try expectRefusal("r/config.json", "not JSON", comment: "\(length) bytes")
      try folder.expectError(["show", "r"], names: "r/config.json")
    }
    // A damaged run is named among those that are well.
    try folder.train("well")
    let outcome = try folder.run(["runs", "."])
    #expect(outcome.lines.count == 1 && outcome.stdout.hasPrefix("./well  "))
    #expect(outcome.errorLines.count == 1 && outcome.stderr.hasPrefix("Error: ./r/config.json: "))
  }

  @Test func hiddenUnitsThatTheCheckpointHasNot() throws {
    let text = try folder.text("r/config.json")
    let edited = text.replacingOccurrences(of: "\"hidden\" : 8", with: "\"hidden\" : 9")
    try folder.write(Data(edited.utf8), to: "r/config.json")
    try expectRefusal(Self.checkpoint, "cell.inputWeight", "cell.recurrentWeight", "output.weight")
  }

  @Test(arguments: [
    ("\"printEvery\" : 100", "\"printEvery\" : 0"), ("\"printEvery\" : 100", "\"printEvery\" : -1"),
    ("\"checkpointEvery\" : 100", "\"checkpointEvery\" : 0"), ("\"threads\" : 1", "\"threads\" : 0"),
    ("\"threads\" : 1", "\"threads\" : 99999999999"), ("    \"bits\" : 8,\n", ""),
  ]) func runSettingsOutOfRange(_ text: String, _ replacement: String) throws {
    let whole = try folder.text("r/config.json")
    try #require(whole.contains(text))
    let edited = whole.replacingOccurrences(of: text, with: replacement)
    try folder.write(Data(edited.utf8), to: "r/config.json")
    try expectRefusal("r/config.json", comment: replacement)
  }

  // MARK: The model and the metrics

  @Test func damagedModel() throws {
    try folder.train("done")
    let whole = try folder.data("done/model.safetensors")
    for length in [0, 7, 100, whole.count - 1] {
      try folder.write(whole.prefix(length), to: "done/model.safetensors")
      for arguments in [["predict", "done", "1", "1"], ["evaluate", "done"]] {
        try folder.expectError(arguments, names: "done/model.safetensors: not a whole safetensors file")
      }
    }
    try folder.train("wider", ["--hidden", "9"])
    try folder.write(try folder.data("wider/model.safetensors"), to: "done/model.safetensors")
    try folder.expectError(
      ["predict", "done", "1", "1"], names: "done/model.safetensors: not the weights of this model",
      "cell.recurrentWeight")
  }

  @Test func damagedMetrics() throws {
    let text = try folder.text("r/metrics.jsonl")
    // A line cut off at the end is what a crash leaves behind; one in the middle is damage.
    try folder.write(Data(text.dropLast(30).utf8), to: "r/metrics.jsonl")
    #expect(try folder.run(["show", "r"]).status == 0)
    let damaged = text.replacingOccurrences(of: "\"iteration\":100", with: "\"iteration\":1,")
    try folder.write(Data(damaged.utf8), to: "r/metrics.jsonl")
    try folder.expectError(["show", "r"], names: "r/metrics.jsonl: line 2 is not a metric")
  }
}
