// SPDX-License-Identifier: Apache-2.0

import Foundation
import KasaneData
import Testing

/// The recipes `autoencoder` and `vae`, and what can be done with their runs.
@Suite struct AutoencoderTests {
  let folder: TemporaryFolder
  private let noData = ["KASANE_DATA": "none"]

  init() throws { folder = try TemporaryFolder() }

  private func arguments(_ recipe: String, _ name: String, _ options: [String] = []) -> [String] {
    let small = [
      "--data", "small", "--epochs", "3", "--batch", "20", "--hidden", "50", "--latent", "2", "--seed", "1",
      "--threads", "1", "--output", name,
    ]
    return ["train", recipe] + small + options
  }

  private func figures(_ outcome: Outcome, _ name: String) -> [Double] {
    outcome.lines.compactMap { line in
      guard line.contains("epoch"), let range = line.range(of: name + " ") else { return nil }
      return Double(line[range.upperBound...].prefix { $0.isNumber || $0 == "." })
    }
  }

  private func isPicture(_ name: String) throws -> Bool {
    try folder.data(name).starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  // MARK: Training

  @Test func quickVAELearnsFromABareClone() throws {
    let outcome = try folder.run(
      [
        "train", "vae", "--preset", "quick", "--epochs", "6", "--seed", "1", "--output",
        "r",
      ],
      environment: noData)
    #expect(outcome.status == 0, "\(outcome.stderr)")
    #expect(
      outcome.errorLines[1] == "Learning from 500 images of the sample, 28 by 28 pixels, judged by 200 others"
    )
    let bounds = figures(outcome, "negative ELBO")
    #expect(bounds.count == 6)
    // A network that knows only how bright each pixel is on average is at about 207.
    #expect(bounds.last! < 175, "\(outcome.stdout)")
    #expect(figures(outcome, "KL").last! > 1)

    let evaluation = try folder.run(["evaluate", "r", "--samples", "8"], environment: noData)
    #expect(evaluation.status == 0, "\(evaluation.stderr)")
    #expect(
      evaluation.lines[0].hasPrefix("200 images: negative ELBO \(String(format: "%.2f", bounds.last!)) nats"))
    let estimate = try #require(
      evaluation.lines[1].firstMatch(of: #/Log-likelihood: (-\d+\.\d\d) nats/#).flatMap { Double($0.1) })
    #expect(estimate > -bounds.last!)
  }

  @Test(arguments: ["plain", "denoising", "convolutional"])
  func autoencodersLearn(_ kind: String) throws {
    let outcome = try folder.run(
      [
        "train", "autoencoder", "--preset", "quick", "--kind", kind, "--epochs", "6", "--seed", "1",
        "--output",
        "r",
      ], environment: noData)
    #expect(outcome.status == 0, "\(outcome.stderr)")
    let losses = figures(outcome, "cross-entropy")
    #expect(losses.last! < 0.8 * losses[0], "\(outcome.stdout)")
    #expect(
      try folder.run(["evaluate", "r"], environment: noData).lines[0].hasPrefix("200 images: cross-entropy "))
  }

  @Test func imagesOfAnotherSize() throws {
    let pixels = (0..<40 * 6 * 9).map { UInt8($0 % 9 * 25) }
    try folder.writeIDX([40, 6, 9], pixels, to: "images.idx")
    for recipe in ["vae", "autoencoder"] {
      let outcome = try folder.run(
        arguments(
          recipe, recipe, ["--data", "images.idx"] + (recipe == "vae" ? ["--decoder", "gaussian"] : [])))
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(outcome.stderr.contains("36 images of \(folder.file("images.idx").path), 6 by 9 pixels"))
      let picture = try folder.run(["predict", recipe, "reconstructions", "--count", "3"])
      #expect(
        picture.lines.last == "The picture is reconstructions.png (35 by 18 pixels)", "\(picture.stderr)")
    }
    try folder.makeDigits()
    let wrong = try folder.run(["evaluate", "vae", "--data", "small"])
    #expect(wrong.status == 1 && wrong.errorLines.count == 1)
    #expect(wrong.stderr.contains("28 by 28 pixels, 6 by 9 expected"))
  }

  @Test(arguments: ["vae", "autoencoder"])
  func goesOnToTheSameBits(_ recipe: String) throws {
    try folder.makeDigits()
    let kind = recipe == "vae" ? [] : ["--kind", "denoising"]
    let options = kind + ["--epochs", "8", "--print-every", "1", "--checkpoint-every", "2"]
    try folder.trainText(arguments(recipe, "whole", options))
    try folder.stopAndResume("stopped", arguments(recipe, "stopped", options), by: SIGKILL, after: 7)
    #expect(try folder.data("stopped/model.safetensors") == folder.data("whole/model.safetensors"))
  }

  // MARK: Pictures

  @Test func everyPicture() throws {
    try folder.makeDigits()
    try folder.trainText(arguments("vae", "r"))
    for name in ["reconstructions", "samples", "interpolations", "map", "manifold"] {
      let outcome = try folder.run(["predict", "r", name])
      #expect(outcome.status == 0, "\(outcome.stderr)")
      #expect(try isPicture("\(name).png"), "\(name)")
      // The same seed draws the same.
      let again = try folder.run(["predict", "r", name, "--output", "again.png"])
      #expect(again.status == 0)
      #expect(try folder.data("again.png") == folder.data("\(name).png"), "\(name)")
    }
    let other = try folder.run([
      "predict", "r", "samples", "--seed", "9", "--count", "100", "--output", "x.png",
    ])
    #expect(other.status == 0)
    #expect(try folder.data("x.png") != folder.data("samples.png"))
    #expect(try folder.run(["predict", "r", "samples", "--like-codes"]).status == 0)

    try folder.trainDigits("d")
    let judged = try folder.run(["predict", "r", "samples", "--count", "7", "--classifier", "d"])
    #expect(judged.status == 0, "\(judged.stderr)")
    #expect(judged.lines[1].wholeMatch(of: #/The classifier is .* % sure on average, .*/#) != nil)
    #expect(judged.lines[2].hasPrefix("Its answers: 0: "))
  }

  @Test func mistakes() throws {
    try folder.makeDigits()
    try folder.trainText(arguments("vae", "r", ["--latent", "3"]))
    try folder.write("{\"height\": 28}", to: "other")
    let cases: [(arguments: [String], status: Int32, message: String)] = [
      (["predict", "r"], 1, "nothing found, the name of a picture: reconstructions, samples"),
      (["predict", "r", "smaples"], 1, "smaples found"),
      (["predict", "r", "manifold"], 1, "the run has 3 latent variables, 2 expected"),
      (["predict", "r", "samples", "--count", "0"], 64, "--count: 0 is out of range"),
      (["predict", "r", "samples", "--output", "none/x.png"], 1, "none/x.png: cannot be written"),
      (
        ["predict", "r", "samples", "--classifier", "r"], 1, "a run of the recipe vae, one of digits expected"
      ),
      (["predict", "r", "map", "--classifier", "r"], 1, "only samples are classified"),
      (["predict", "r", "interpolations", "--count", "50"], 1, "50 pairs, 30 images are there"),
      (["train", "vae", "--data", "nowhere"], 1, "no such file or folder"),
      (["train", "vae", "--beta", "-1"], 64, "--beta"),
      (["train", "autoencoder", "--noise", "1"], 64, "--noise: 1.0 is out of range"),
      (["train", "vae", "--data", "other"], 1, "other"),
    ]
    for (arguments, status, message) in cases {
      let outcome = try folder.run(arguments, environment: noData)
      #expect(outcome.status == status, "\(arguments): \(outcome.stderr)")
      #expect(outcome.stderr.contains(message), "\(arguments): \(outcome.stderr)")
    }
    #expect(!folder.has("runs") && !folder.has("samples.png"))
    try folder.write("{}", to: "r/image-size.json")
    let damaged = try folder.run(["predict", "r", "samples"])
    #expect(damaged.status == 1 && damaged.errorLines.count == 1)
    #expect(damaged.stderr.contains("r/image-size.json: damaged"))
  }

  @Test func foldersOfImages() throws {
    for place in 0..<40 {
      var picture = Picture(width: 12 + place % 2, height: 12, background: .init(grey: 1))
      for row in 2..<10 { picture[row, place % 10] = .init(grey: 0) }
      try folder.write(Data(picture.png), to: "image\(place).png")
    }
    let arguments = [
      "train", "vae", "--data", ".", "--epochs", "2", "--batch", "4", "--hidden", "16", "--latent", "2",
    ]
    let uneven = try folder.run(arguments)
    #expect(uneven.status == 1 && uneven.stderr.contains("--side makes them equal"), "\(uneven.stderr)")
    let trained = try folder.run(arguments + ["--side", "8", "--seed", "1", "--output", "r"])
    #expect(trained.status == 0, "\(trained.stderr)")
    #expect(try folder.run(["predict", "r", "reconstructions", "--output", "p.png"]).status == 0)
    #expect(try folder.run(["evaluate", "r"]).status == 0)
    try folder.write(Data("no image".utf8), to: "image7.png")
    let damaged = try folder.run(arguments + ["--side", "8"])
    #expect(
      damaged.status == 1 && damaged.stderr.contains("image7.png: neither PNG nor JPEG"), "\(damaged.stderr)")
  }
}
