// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneData

/// The arguments of a small training on the digits in the folder `small`. Later options win over earlier ones.
func digitsArguments(_ name: String, _ options: [String] = []) -> [String] {
  let small = [
    "--data", "small", "--epochs", "2", "--batch", "20", "--seed", "1", "--threads", "1", "--output", name,
  ]
  return ["train", "digits"] + small + options
}

extension TemporaryFolder {
  /// Makes a folder with the first images of the sample, under the usual names.
  func makeDigits(_ name: String = "small", train: Int = 50, test: Int = 30) throws {
    try FileManager.default.createDirectory(at: file(name), withIntermediateDirectories: true)
    for (split, prefix, count) in [(DigitImages.Split.train, "train", train), (.test, "t10k", test)] {
      let sample = try DigitImages.load(split, from: DigitImages.sample)
      let pixels = sample.images.elements(as: UInt8.self)[..<(count * 28 * 28)]
      let labels = sample.labels.elements(as: Int64.self)[..<count].map { UInt8($0) }
      try IDX(.uint8, dimensions: [count, 28, 28], bytes: Array(pixels))
        .write(to: file("\(name)/\(prefix)-images-idx3-ubyte.gz").path)
      try IDX(.uint8, dimensions: [count], bytes: labels)
        .write(to: file("\(name)/\(prefix)-labels-idx1-ubyte.gz").path)
    }
  }

  /// Trains a small run on digits that must succeed.
  func trainDigits(_ name: String, _ options: [String] = []) throws {
    if !has("small") { try makeDigits() }
    let outcome = try run(digitsArguments(name, options))
    guard outcome.status == 0 else { throw KasaneError(outcome.stderr) }
  }

  /// Writes an array of bytes as an IDX file.
  func writeIDX(_ dimensions: [Int], _ bytes: [UInt8]? = nil, to name: String) throws {
    let count = dimensions.reduce(1, *)
    try IDX(.uint8, dimensions: dimensions, bytes: bytes ?? [UInt8](repeating: 0, count: count))
      .write(to: file(name).path)
  }
}

enum IDXCopy {
  /// The content of an IDX file, no longer compressed.
  static func plain(_ file: URL) throws -> [UInt8] { try IDX(contentsOf: file.path).fileBytes }
}
