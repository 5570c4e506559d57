// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Digits that cannot be learned from or read: one line that names the file or the flag, and nothing made.
@Suite struct DigitsBadInputTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.makeDigits()
  }

  // MARK: Options

  @Test(arguments: [
    ("--preset", "slow"), ("--epochs", "0"), ("--epochs", "10001"), ("--epochs", "x"), ("--epochs", "1.5"),
    ("--batch", "0"), ("--batch", "10001"), ("--optimizer", "foo"), ("--learning-rate", "0"),
    ("--learning-rate", "-1"), ("--learning-rate", "nan"), ("--learning-rate", "1e39"), ("--dropout", "1"),
    ("--dropout", "-0.1"), ("--dropout", "nan"), ("--shift", "-1"), ("--shift", "9"), ("--data", ""),
    ("--iterations", "5"), ("--hidden", "3"),
  ]) func option(_ flag: String, _ value: String) throws {
    let outcome = try folder.run(digitsArguments("r", ["\(flag)=\(value)"]))
    #expect(outcome.status == 64, "\(outcome.stderr)")
    #expect(outcome.errorLines.first?.hasPrefix("Error: ") == true)
    #expect(outcome.errorLines.first?.contains(flag) == true, "\(outcome.stderr)")
    #expect(outcome.stdout.isEmpty && folder.names() == ["small"])
  }

  // MARK: Data to learn from

  private func expectRefusal(
    _ parts: String, _ more: String = "", location: SourceLocation = #_sourceLocation
  ) throws {
    try folder.expectError(
      digitsArguments("r"), names: parts, more.isEmpty ? parts : more, location: location)
    #expect(!folder.has("r"), sourceLocation: location)
  }

  @Test func missingData() throws {
    for name in [
      "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
      "t10k-labels-idx1-ubyte",
    ] {
      let content = try folder.data("small/\(name).gz")
      try folder.remove("small/\(name).gz")
      try expectRefusal("small: \(name) is missing")
      try folder.write(content, to: "small/\(name).gz")
    }
    try folder.expectError(
      digitsArguments("r", ["--data", "none"]), names: "none: no such folder", "train-images-idx3-ubyte.gz",
      "--preset quick")
    let outcome = try folder.run(
      ["train", "digits", "--preset", "full", "--output", "r"], environment: ["KASANE_DATA": "nowhere"])
    #expect(outcome.status == 1 && outcome.errorLines.count == 1)
    #expect(outcome.stderr.hasPrefix("Error: nowhere/mnist: no such folder: put train-images-idx3-ubyte.gz"))
    #expect(!folder.has("r"))
  }

  @Test func damagedData() throws {
    let (images, labels) = ("small/train-images-idx3-ubyte.gz", "small/train-labels-idx1-ubyte.gz")
    let (goodImages, goodLabels) = (try folder.data(images), try folder.data(labels))
    func with(_ bytes: Data, _ file: String, _ parts: String..., location: SourceLocation = #_sourceLocation)
      throws
    {
      try folder.write(bytes, to: file)
      for part in parts { try expectRefusal("\(file): ", part, location: location) }
      try folder.write(goodImages, to: images)
      try folder.write(goodLabels, to: labels)
    }
    try with(goodImages.prefix(goodImages.count / 2), images, "cut off")
    try with(goodImages.dropLast(), images, "cut off")
    try with(goodImages + [0], images, "bytes after the end")
    try with(Data(), images, "truncated: 0 bytes")
    try with(Data("P5 28 28 255\n".utf8), images, "not an IDX file")
    var flipped = goodImages
    flipped[flipped.count / 2] ^= 4
    try with(flipped, images, "damaged gzip data")
    try with(goodLabels, images, "no images: it holds [50] uint8")
    try with(goodImages, labels, "no labels: it holds [50, 28, 28] uint8")
    let plain = Data(try IDXCopy.plain(folder.file(images)))
    try with(
      plain.dropLast(), images, "truncated: 39199 bytes of elements, 39200 expected for [50, 28, 28] uint8")
    try with(plain + [0, 0], images, "2 bytes after the last element")
    try with(Data([0, 0, 7, 3]) + plain.dropFirst(4), images, "unknown IDX element type 07")
    try with(
      Data([0, 0, 8, 3, 255, 255, 255, 255]) + plain.dropFirst(8), images, "truncated: 39200 bytes",
      "3367254359280 expected")
    func made(_ dimensions: [Int], _ bytes: [UInt8]? = nil) throws -> Data {
      try folder.writeIDX(dimensions, bytes, to: "made")
      defer { try? folder.remove("made") }
      return try folder.data("made")
    }
    try with(try made([49]), labels, "49 labels for the 50 images of", images)
    try with(
      try made([50], [UInt8](repeating: 9, count: 49) + [10]), labels, "label 10 at index 49, 0 to 9 expected"
    )
    try with(try made([50, 32, 32]), images, "images of 32 by 32 pixels, 28 by 28 expected")
    try with(try made([0, 28, 28]), images, "no images")
  }

  // MARK: Using a run

  @Test func predictFromWhatDoesNotFit() throws {
    try folder.trainDigits("r", ["--epochs", "1"])
    let file = "small/t10k-images-idx3-ubyte.gz"
    for index in ["30", "-1", "x", "1.5", "", "99999999999999999999"] {
      try folder.expectError(
        ["predict", "r", file, index], names: "predict: \(index) is no image of \(file)", "0 to 29")
    }
    for words in [[], [file], [file, "1", "2"]] {
      try folder.expectError(["predict", "r"] + words, names: "predict: \(words.count) words", "an index")
    }
    try folder.expectError(["predict", "r", "none", "0"], names: "none: cannot be read: No such file")
    try folder.expectError(["predict", "r", "small", "0"], names: "small: not a regular file")
    try folder.expectError(["predict", "r", "r/config.json", "0"], names: "r/config.json: not an IDX file")
    try folder.expectError(
      ["predict", "r", "small/t10k-labels-idx1-ubyte.gz", "0"],
      names: "small/t10k-labels-idx1-ubyte.gz: no images")
    try folder.writeIDX([2, 32, 28], to: "wide")
    try folder.expectError(
      ["predict", "r", "wide", "0"], names: "wide: images of 32 by 28 pixels, 28 by 28 expected")
    // The labels beside it belong to other images.
    try folder.writeIDX([29], to: "small/t10k-labels-idx1-ubyte")
    try folder.expectError(["predict", "r", file, "0"], names: "29 labels for the 30 images of \(file)")
  }

  @Test func evaluateOnWhatDoesNotFit() throws {
    try folder.trainDigits("r", ["--epochs", "1"])
    for (flag, value) in [("--data", ""), ("--split", "foo"), ("--problems", "1")] {
      let outcome = try folder.run(["evaluate", "r", "\(flag)=\(value)"])
      #expect(outcome.status == 64 && outcome.stderr.contains(flag), "\(outcome.stderr)")
    }
    try folder.expectError(["evaluate", "r", "--data", "none"], names: "none: no such folder of digits")
    try folder.expectError(["evaluate", "r", "--data", "r"], names: "r: t10k-images-idx3-ubyte is missing")
    try folder.writeIDX([29], to: "small/t10k-labels-idx1-ubyte")
    try folder.expectError(["evaluate", "r"], names: "29 labels for the 30 images of")
    // The run itself needs no data.
    try folder.remove("small")
    try folder.expectError(["evaluate", "r"], names: "small: no such folder")
    #expect(try folder.run(["evaluate", "r", "--data", "sample"]).status == 0)
    #expect(try folder.run(["predict", "r", "sample", "0"]).status == 0)
    #expect(try folder.run(["show", "r"]).status == 0)
  }
}
