// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// Folders of PNG and JPEG files.
@Suite struct ImageFolderTests {
  /// 16 by 8 pixels, from black at the left to 240 at the right.
  private static let jpeg = Array(
    Data(
      base64Encoded: """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsICQoK\
        CgoKBggLDAsKDAkKCgr/wAALCAAIABABAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF\
        BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW\
        V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi\
        4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/APzf/wCCbf8Ay4f8Br+gD/gm3/y4f8Br/9k=
        """)!)

  private func png(_ width: Int, _ height: Int, _ grey: (Int, Int) -> Float) -> [UInt8] {
    var picture = Picture(width: width, height: height, background: .init(grey: 0))
    for row in 0..<height {
      for column in 0..<width { picture[row, column] = .init(grey: grey(row, column)) }
    }
    return picture.png
  }

  @Test func readsBothKindsInTheirOrder() throws {
    let files = try TemporaryFiles()
    try FileManager.default.createDirectory(atPath: files.path("sub"), withIntermediateDirectories: true)
    for place in 0..<19 {
      try files.write(
        png(16, 8) { row, _ in Float(row * 10 + place) / 255 },
        to: "\(place % 2 == 0 ? "" : "sub/")a\(place).png")
    }
    try files.write(Self.jpeg, to: "b.JPG")
    try files.write(Array("a text".utf8), to: "notes.txt")
    let (training, validation) = try GreyImages.load(files.url.path)
    #expect(training.count == 18 && validation.count == 2 && training.height == 8 && training.width == 16)
    // In the order of names: a0, a10, a12, ... of which every tenth is kept apart.
    #expect(validation.pixels[0][2].elements(as: UInt8.self).allSatisfy { $0 == 20 })
    #expect(training.pixels[0][2].elements(as: UInt8.self).allSatisfy { $0 == 30 })
    let row = try GreyImages(files: [files.path("b.JPG")], size: nil).pixels[0][3].elements(as: UInt8.self)
    #expect(row.enumerated().allSatisfy { abs(Int($1) - 16 * $0) <= 3 }, "\(row)")
  }

  @Test func resizes() throws {
    let files = try TemporaryFiles()
    let large = try files.write(png(32, 16) { _, column in column < 16 ? 0.2 : 0.8 }, to: "a.png")
    let small = try files.write(png(2, 2) { row, _ in row == 0 ? 0 : 1 }, to: "b.png")
    let found = try GreyImages(files: [large, small], size: (8, 8))
    #expect(found.pixels.shape == [2, 8, 8])
    #expect(found.pixels[0][5].elements(as: UInt8.self) == [51, 51, 51, 51, 204, 204, 204, 204])
    let column = found.pixels[1].elements(as: UInt8.self)
    #expect(column[0] == 0 && column[63] == 255 && zip(column, column.dropFirst()).allSatisfy { $0 <= $1 })
    #expect {
      try GreyImages(files: [large, small], size: nil)
    } throws: { "\($0)".contains("b.png: 2 by 2 pixels, 16 by 32 as in") && "\($0)".contains("--side") }
  }

  @Test func namesDamagedFiles() throws {
    let files = try TemporaryFiles()
    let whole = png(16, 8) { row, column in Float(row * column) / 200 }
    var flipped = whole
    flipped[whole.count / 2] ^= 0x55
    for (bytes, part) in [
      ([], "empty"), (Array("GIF89a".utf8), "neither PNG nor JPEG"),
      (Array(whole.prefix(whole.count - 20)), "damaged PNG"),
      (flipped, "damaged PNG"), (Array(Self.jpeg.prefix(Self.jpeg.count * 3 / 4)), "damaged JPEG"),
      (Array(Self.jpeg.prefix(30)), "damaged JPEG"),
    ] {
      let path = try files.write(bytes, to: "bad.png")
      expectError(path, part) { try GreyImages(files: [path], size: nil) }
    }
  }
}
