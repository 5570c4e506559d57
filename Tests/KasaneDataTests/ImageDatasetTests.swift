// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// Labelled images: from files, and in batches.
@Suite struct ImageDatasetTests {
  let files: TemporaryFiles

  init() throws { files = try TemporaryFiles() }

  /// Five images of 2 by 3 pixels; pixel p of image i is 10 i + p.
  private var small: ImageDataset {
    let pixels = (0..<5).flatMap { image in (0..<6).map { UInt8(10 * image + $0) } }
    return ImageDataset(
      images: Tensor(pixels, shape: [5, 2, 3]), labels: Tensor([3, 1, 4, 1, 5] as [Int]), classCount: 10)
  }

  // MARK: Batches

  @Test func batchesTakeTheImagesOfTheirIndices() {
    let (images, labels) = small.batch([4, 0, 4])
    #expect(images.shape == [3, 2, 3, 1] && images.dtype == .float32)
    #expect(labels.elements(as: Int64.self) == [5, 3, 5])
    let expected = [4, 0, 4].flatMap { image in (0..<6).map { Float(Double(10 * image + $0) / 255) } }
    #expect(images.elements(as: Float.self) == expected)
    let scaled = small.batch([1], scaling: .standardised(mean: 0.1, deviation: 0.5)).images
    #expect(scaled.elements(as: Float.self)[2] == Float((12.0 / 255 - 0.1) / 0.5))
    #expect(small.batch([Int]()).images.shape == [0, 2, 3, 1])
  }

  @Test func shiftsMoveTheWholeImage() {
    var random = RandomGenerator(seed: 1)
    let source = small.batch([2]).images.elements(as: Float.self)
    var seen: Set<[Int]> = []
    for _ in 0..<200 {
      let moved = small.batch([2], shiftedBy: 1, using: &random).images.elements(as: Float.self)
      let found = [-1, 0, 1].flatMap { down in [-1, 0, 1].map { [down, $0] } }.filter { shift in
        (0..<6).allSatisfy { place in
          let (row, column) = (place / 3 - shift[0], place % 3 - shift[1])
          let inside = (0..<2).contains(row) && (0..<3).contains(column)
          return moved[place] == (inside ? source[row * 3 + column] : 0)
        }
      }
      #expect(found.count == 1)
      seen.formUnion(found)
    }
    #expect(seen.count == 9)
    #expect(random.position == 400)
    #expect(small.batch([2], shiftedBy: 0, using: &random).images.elements(as: Float.self) == source)
  }

  @Test func everyEpochTakesAllItemsOnceInAnOrderOfItsOwn() {
    var batches = ShuffledBatches(count: 10, size: 4, seed: 1, stream: 5)
    #expect(batches.batchesPerEpoch == 3)
    var orders: [[Int]] = []
    for epoch in 0..<4 {
      let parts = (0..<3).map { Array(batches.indices(at: epoch * 3 + $0)) }
      #expect(parts.map(\.count) == [4, 4, 2])
      orders.append(parts.flatMap { $0 })
      #expect(orders[epoch].sorted() == Array(0..<10))
    }
    #expect(Set(orders).count == 4)
    // A function of the iteration, whatever was asked before.
    var other = ShuffledBatches(count: 10, size: 4, seed: 1, stream: 5)
    #expect(Array(other.indices(at: 7)) == Array(orders[2][4..<8]))
    #expect(Array(other.indices(at: 0)) == Array(orders[0][..<4]))
    var reseeded = ShuffledBatches(count: 10, size: 10, seed: 2, stream: 5)
    #expect(Array(reseeded.indices(at: 0)) != orders[0])
    var dropping = ShuffledBatches(count: 10, size: 4, droppingPartial: true, seed: 1, stream: 5)
    #expect(dropping.batchesPerEpoch == 2)
    #expect(Array(dropping.indices(at: 2)) == Array(orders[1][..<4]))
  }

  @Test func permutationsAreUniform() {
    var random = RandomGenerator(seed: 7)
    var counts: [[Int]: Int] = [:]
    for _ in 0..<6000 { counts[random.permutation(of: 3), default: 0] += 1 }
    #expect(counts.count == 6 && counts.values.allSatisfy { abs($0 - 1000) < 120 })
    #expect(random.permutation(of: 0) == [] && random.permutation(of: 1) == [0])
  }

  @Test func fingerprintsTellDataApart() {
    let dataset = small
    #expect(dataset.fingerprint == small.fingerprint)
    var pixels = dataset.images.elements(as: UInt8.self)
    pixels[29] ^= 1
    let other = ImageDataset(
      images: Tensor(pixels, shape: [5, 2, 3]), labels: dataset.labels, classCount: 10)
    let relabelled = ImageDataset(
      images: dataset.images, labels: Tensor([3, 1, 4, 1, 6] as [Int]), classCount: 10)
    #expect(Set([dataset, other, relabelled].map(\.fingerprint)).count == 3)
  }

  // MARK: Files

  private func load(_ images: IDX, _ labels: IDX) throws -> ImageDataset {
    try images.write(to: files.path("images"))
    try labels.write(to: files.path("labels.gz"))
    return try ImageDataset(
      imagesPath: files.path("images"), labelsPath: files.path("labels.gz"), height: 2, width: 3,
      classCount: 10)
  }

  private func bytes(_ dimensions: [Int], _ value: UInt8 = 0) -> IDX {
    IDX(.uint8, dimensions: dimensions, bytes: [UInt8](repeating: value, count: dimensions.reduce(1, *)))
  }

  @Test func filesThatBelongTogether() throws {
    let dataset = try load(IDX(small.images), IDX(.uint8, dimensions: [5], bytes: [3, 1, 4, 1, 5]))
    #expect(dataset.count == 5 && dataset.height == 2 && dataset.width == 3)
    #expect(dataset.fingerprint == small.fingerprint)
  }

  @Test func filesThatDoNot() throws {
    let (images, labels) = (files.path("images"), files.path("labels.gz"))
    expectError(labels, "4 labels for the 5 images of \(images)") { try load(bytes([5, 2, 3]), bytes([4])) }
    expectError(labels, "6 labels for the 5 images of \(images)") { try load(bytes([5, 2, 3]), bytes([6])) }
    expectError(images, "images of 3 by 2 pixels, 2 by 3 expected") {
      try load(bytes([5, 3, 2]), bytes([5]))
    }
    expectError(images, "no images: it holds [5] uint8") { try load(bytes([5]), bytes([5])) }
    expectError(images, "no images: it holds [0, 2, 3] uint8") { try load(bytes([0, 2, 3]), bytes([0])) }
    expectError(images, "[1, 2, 3] float32, [count, 2, 3] uint8 expected") {
      try load(IDX(Tensor(zeros: [1, 2, 3])), bytes([1]))
    }
    expectError(labels, "no labels: it holds [5, 2, 3] uint8, [count] uint8 expected") {
      try load(bytes([5, 2, 3]), bytes([5, 2, 3]))
    }
    expectError(labels, "label 10 at index 1, 0 to 9 expected") {
      try load(bytes([3, 2, 3]), IDX(.uint8, dimensions: [3], bytes: [9, 10, 0]))
    }
  }

  // MARK: Digits

  @Test func sampleIsBalanced() throws {
    for (split, each) in [(DigitImages.Split.train, 50), (.test, 20)] {
      let dataset = try DigitImages.load(split, from: DigitImages.sample)
      #expect(dataset.images.shape == [10 * each, 28, 28])
      let labels = dataset.labels.elements(as: Int64.self)
      for digit in 0..<10 { #expect(labels.count { $0 == digit } == each) }
      // Bright strokes on black.
      let pixels = dataset.images.elements(as: UInt8.self)
      #expect(pixels.count { $0 == 0 } * 10 > pixels.count * 7 && pixels.contains(255))
      #expect(DigitImages.has(split, in: "none") == false)
    }
  }

  @Test func foldersWithTheUsualNames() throws {
    let folder = files.path("mnist")
    expectError(folder, "no such folder") { try DigitImages.load(.test, from: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    expectError(folder, "t10k-images-idx3-ubyte is missing") { try DigitImages.load(.test, from: folder) }
    try bytes([2, 28, 28]).write(to: "\(folder)/t10k-images-idx3-ubyte.gz")
    expectError(folder, "t10k-labels-idx1-ubyte is missing") { try DigitImages.load(.test, from: folder) }
    try bytes([2], 7).write(to: "\(folder)/t10k-labels.idx1-ubyte")
    #expect(try DigitImages.load(.test, from: folder).count == 2)
    #expect(DigitImages.has(.test, in: folder) && !DigitImages.has(.train, in: folder))
    // Without .gz first, where both are there.
    try bytes([3, 28, 28]).write(to: "\(folder)/t10k-images-idx3-ubyte")
    expectError("\(folder)/t10k-labels.idx1-ubyte", "2 labels for the 3 images") {
      try DigitImages.load(.test, from: folder)
    }
    #expect(DigitImages.labelsPath(beside: "\(folder)/t10k-images-idx3-ubyte") == nil)
    try bytes([3]).write(to: "\(folder)/t10k-labels-idx1-ubyte.gz")
    for name in ["t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz"] {
      #expect(DigitImages.labelsPath(beside: "\(folder)/\(name)") == "\(folder)/t10k-labels-idx1-ubyte.gz")
    }
    #expect(DigitImages.labelsPath(beside: "\(folder)/other") == nil)
  }
}
