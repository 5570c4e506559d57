// SPDX-License-Identifier: Apache-2.0

internal import CZlib
import Kasane

/// A picture of colours that can be written as PNG.
public struct Picture: Sendable {
  /// A colour, each part from 0 to 255.
  public struct Color: Hashable, Sendable {
    /// How much red, green and blue.
    public let red, green, blue: UInt8

    /// A colour of its parts.
    public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
      (self.red, self.green, self.blue) = (red, green, blue)
    }

    /// A grey from black, 0, to white, 1.
    public init(grey: Float) {
      let part = UInt8((min(max(grey, 0), 1) * 255).rounded())
      self.init(part, part, part)
    }
  }

  /// Columns of pixels.
  public let width: Int
  /// Rows of pixels.
  public let height: Int
  /// Red, green and blue of each pixel, row by row.
  private var bytes: [UInt8]

  /// A picture of one colour.
  public init(width: Int, height: Int, background: Color) {
    precondition(width > 0 && height > 0, "Picture: \(width) by \(height) pixels")
    (self.width, self.height) = (width, height)
    bytes = []
    bytes.reserveCapacity(3 * width * height)
    for _ in 0..<width * height { bytes += [background.red, background.green, background.blue] }
  }

  /// The colour of a pixel. One that is set outside the picture is not seen.
  public subscript(row: Int, column: Int) -> Color {
    get {
      let place = 3 * (row * width + column)
      return Color(bytes[place], bytes[place + 1], bytes[place + 2])
    }
    set {
      guard (0..<height).contains(row), (0..<width).contains(column) else { return }
      let place = 3 * (row * width + column)
      (bytes[place], bytes[place + 1], bytes[place + 2]) = (newValue.red, newValue.green, newValue.blue)
    }
  }

  // MARK: PNG

  /// The picture as a PNG file (ISO/IEC 15948): 8 bits for each of red, green and blue.
  public var png: [UInt8] {
    var rows: [UInt8] = []
    rows.reserveCapacity(height * (3 * width + 1))
    for row in 0..<height {
      // Each row begins with its filter: none.
      rows.append(0)
      rows += bytes[3 * row * width..<3 * (row + 1) * width]
    }
    let header = Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height)) + [8, 2, 0, 0, 0]
    return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Self.chunk("IHDR", header)
      + Self.chunk("IDAT", Self.compress(rows)) + Self.chunk("IEND", [])
  }

  private static func bigEndian(_ number: UInt32) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let body = Array(name.utf8) + content
    let checksum = UInt32(crc32(0, body, uInt(body.count)))
    return bigEndian(UInt32(content.count)) + body + bigEndian(checksum)
  }

  private static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var result = [UInt8](repeating: 0, count: Int(count))
    let status = compress2(&result, &count, bytes, uLong(bytes.count), 6)
    guard status == Z_OK else { fatalError("out of memory: zlib cannot compress (\(status))") }
    return Array(result.prefix(Int(count)))
  }
}
