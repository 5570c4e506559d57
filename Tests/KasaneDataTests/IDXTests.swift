// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// The IDX format, read and written.
@Suite struct IDXTests {
  let files: TemporaryFiles

  init() throws { files = try TemporaryFiles() }

  /// An array with elements that differ.
  private func sample(_ type: IDX.ElementType, _ dimensions: [Int]) -> IDX {
    let count = dimensions.reduce(type.size, *)
    return IDX(
      type, dimensions: dimensions, bytes: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) })
  }

  // MARK: What is right

  @Test(arguments: IDX.ElementType.allCases)
  func everyTypeAndRankComesBack(_ type: IDX.ElementType) throws {
    let shapes = [
      [], [0], [1], [7], [2, 3], [3, 0, 2], [2, 3, 4], [1, 2, 1, 3], [2, 1, 2, 1, 2, 1, 2, 1],
      [1, 1, 1, 1, 1, 1, 1, 1, 1, 3], [Int](repeating: 1, count: 255),
    ]
    for dimensions in shapes {
      let array = sample(type, dimensions)
      for name in ["a", "a.gz"] {
        let path = files.path(name)
        try array.write(to: path)
        #expect(try IDX(contentsOf: path) == array, "\(dimensions)")
        let content = try files.bytes(name)
        #expect(content.starts(with: name == "a" ? [0, 0, type.rawValue] : [0x1F, 0x8B]))
      }
    }
  }

  @Test func bytesAreThoseOfTheFormat() throws {
    let floats = Tensor([1, -2.5] as [Float], shape: [2, 1])
    #expect(
      IDX(floats).fileBytes == [
        0, 0, 0x0D, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0x3F, 0x80, 0, 0, 0xC0, 0x20, 0, 0,
      ])
    #expect(
      IDX(Tensor([258, -1] as [Int32])).fileBytes == [
        0, 0, 0x0C, 1, 0, 0, 0, 2, 0, 0, 1, 2, 255, 255, 255, 255,
      ])
    #expect(IDX(Tensor([-128] as [Int8])).fileBytes == [0, 0, 0x09, 1, 0, 0, 0, 1, 0x80])
    #expect(IDX(Tensor(UInt8(9))).fileBytes == [0, 0, 0x08, 0, 9])
    #expect(IDX(Tensor(1.0)).fileBytes == [0, 0, 0x0E, 0, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0])
  }

  @Test func tensorsComeBack() throws {
    func back(_ tensor: Tensor) throws -> Tensor { try IDX(tensor).tensor() }
    let bytes = try back(Tensor([0, 200, 255, 1, 2, 3] as [UInt8], shape: [1, 2, 3]))
    #expect(bytes.shape == [1, 2, 3] && bytes.elements(as: UInt8.self) == [0, 200, 255, 1, 2, 3])
    #expect(try back(Tensor([-7, 7] as [Int8])).elements(as: Int8.self) == [-7, 7])
    #expect(try back(Tensor([Int32.min, 5] as [Int32])).elements(as: Int32.self) == [Int32.min, 5])
    #expect(try back(Tensor([1.5, -.infinity] as [Float])).elements(as: Float.self) == [1.5, -.infinity])
    #expect(try back(Tensor([0.1, 1e300])).elements(as: Double.self) == [0.1, 1e300])
    // A view is written in its own order.
    let view = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]).transposed()
    #expect(try back(view).elements(as: Float.self) == [1, 3, 2, 4])
    // The type that no tensor has.
    let short = try IDX(.int16, dimensions: [2], bytes: [0xFF, 0xFE, 0x01, 0x00]).tensor()
    #expect(short.elements(as: Int32.self) == [-2, 256])
    #expect(throws: KasaneError.self) { try sample(.uint8, [1, 1, 1, 1, 1, 1, 1, 1, 2]).tensor() }
  }

  @Test func concatenatedGzipMembersAreOneFile() throws {
    let array = sample(.uint8, [300, 40])
    let content = array.fileBytes
    // Cut within the header, within the elements, and with an empty member at either end.
    let parts = [
      content[..<0], content[..<6], content[6..<5000], content[5000...], content[content.count...],
    ]
    let path = try files.write(parts.flatMap { Gzip.compress(Array($0)) }, to: "a")
    #expect(try IDX(contentsOf: path) == array)
  }

  // MARK: What is wrong

  @Test func everyPrefixIsRefused() throws {
    let content = sample(.int16, [3, 2]).fileBytes
    for stored in [content, Gzip.compress(content)] {
      for length in 0..<stored.count {
        let path = try files.write(Array(stored[..<length]), to: "a")
        #expect(outcome(path, "\(length) bytes") { try IDX(contentsOf: path) } == nil, "\(length) bytes")
      }
    }
  }

  @Test func everyChangedByteIsReadOrRefused() throws {
    let content = sample(.uint8, [3, 2]).fileBytes
    let compressed = Gzip.compress(content)
    for place in content.indices {
      for value in [0, 1, 2, 7, 0x08, 0x0B, 0x0E, 0x1F, 0x7F, 0x80, 0xFE, 0xFF] as [UInt8] {
        var changed = content
        changed[place] = value
        let path = try files.write(changed, to: "a")
        _ = outcome(path, "byte \(place) is \(value)") { try IDX(contentsOf: path).tensor() }
      }
    }
    for place in compressed.indices {
      for bit in 0..<8 {
        var changed = compressed
        changed[place] ^= 1 << UInt8(bit)
        let path = try files.write(changed, to: "a")
        let read = outcome(path, "bit \(bit) of byte \(place)") { try IDX(contentsOf: path) }
        // The checksum finds every change that does not only concern gzip's own header.
        #expect(read == nil || read?.fileBytes == content, "bit \(bit) of byte \(place)")
      }
    }
  }

  @Test func errorsSayWhatWasFoundAndExpected() throws {
    func expect(
      _ bytes: [UInt8], _ first: String, _ second: String = "", location: SourceLocation = #_sourceLocation
    ) throws {
      let path = try files.write(bytes, to: "a")
      expectError(path, first, second, location: location) { try IDX(contentsOf: path) }
    }
    try expect([], "truncated: 0 bytes, an IDX header of 4")
    try expect([0, 0, 8], "truncated: 3 bytes")
    try expect([0x89, 0x50, 0x4E, 0x47], "not an IDX file", "89 50 4e 47")
    try expect([0, 1, 8, 1], "not an IDX file", "00 01 08 01")
    try expect([0, 0, 0x0A, 1, 0, 0, 0, 0], "unknown IDX element type 0a", "08 uint8, 09 int8, 0b int16")
    try expect([0, 0, 8, 2, 0, 0, 0, 1], "an IDX header of 2 dimensions has 12 bytes, 8 found")
    try expect([0, 0, 8, 1, 0, 0, 0, 5, 1, 2], "truncated: 2 bytes of elements, 5 expected for [5] uint8")
    try expect([0, 0, 8, 1, 0, 0, 0, 1, 1, 2], "1 bytes after the last element of [1] uint8")
    try expect([0, 0, 14, 1, 255, 255, 255, 255, 1], "truncated: 1 bytes of elements, 34359738360 expected")
    let huge = [UInt8](repeating: 255, count: 12)
    try expect([0, 0, 8, 3] + huge, "damaged: no file holds the elements of [4294967295, 4294967295")
    try expect([0, 0, 8, 4] + huge + [0, 0, 0, 0], "damaged: no file holds")
    // Compressed.
    let small: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5]
    let good = Gzip.compress(small)
    try expect(Array(good.dropLast()), "ends within its gzip data")
    try expect(
      Array(good[..<(good.count - 6)]) + [0, 0, 5, 0, 0, 0], "damaged gzip data: incorrect data check")
    try expect(good + [0], "bytes after the end of its gzip data")
    try expect(good + [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "bytes after the end of its gzip data")
    try expect(
      Gzip.compress(Array(small.dropLast())), "truncated: 4 bytes of elements, 5 expected for [5] uint8")
    try expect(Gzip.compress(small + [6]), "1 bytes or more after the last element")
    try expect(Gzip.compress([0, 0, 8, 1, 255, 255, 255, 255]), "4294967295 bytes of elements", "can hold")
    try expect(Gzip.compress([]), "truncated: 0 bytes")
    try expect(Gzip.compress(good), "not an IDX file: it begins with 1f 8b")
  }

  @Test func whatIsNoFile() throws {
    let missing = files.path("none")
    expectError(missing, "cannot be read: No such file or directory") { try IDX(contentsOf: missing) }
    let folder = files.path(".")
    expectError(folder, "not a regular file") { try IDX(contentsOf: folder) }
  }

  @Test func aHeaderAsksForNoMemoryThatTheFileCannotBack() throws {
    // A few kilobytes that inflate to ten megabytes of zeros, of which the header announces none.
    let zeros = Gzip.compress([0, 0, 8, 1, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 10 << 20))
    #expect(zeros.count < 20_000)
    let path = try files.write(zeros, to: "a")
    expectError(path, "4096 bytes or more after the last element of [1] uint8") { try IDX(contentsOf: path) }
  }
}
