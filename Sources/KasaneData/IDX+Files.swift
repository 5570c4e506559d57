// SPDX-License-Identifier: Apache-2.0

import Kasane

extension IDX {
  // MARK: Reading

  /// Reads a file, which may be compressed by gzip. `check` sees the header before the elements are read. Throws one
  /// line that says what is wrong with the file.
  public init(contentsOf path: String, check: (Header) throws -> Void = { _ in }) throws {
    try self.init(ByteReader(path: path), check: check)
  }

  init(_ file: ByteReader, check: (Header) throws -> Void = { _ in }) throws {
    let header = try Self.readHeader(file)
    try check(header)
    let count = try Self.byteCount(of: header, in: file)
    let bytes = try file.read(count)
    guard bytes.count == count else { throw Self.truncated(file, bytes.count, count, header) }
    // Looking for more also makes gzip check its checksum.
    let more = try file.read(4096).count
    guard more == 0 else {
      let found = file.isCompressed || more == 4096 ? "\(more) bytes or more" : "\(more) bytes"
      throw KasaneError("\(file.name): \(found) after the last element of \(header)")
    }
    self.init(header: header, bytes: bytes)
  }

  /// Bytes of the elements. Throws where the file's size cannot back them, so that no header asks for memory that the
  /// elements do not need.
  private static func byteCount(of header: Header, in file: ByteReader) throws -> Int {
    guard let count = header.byteCount else {
      throw KasaneError("\(file.name): damaged: no file holds the elements of \(header)")
    }
    if file.isCompressed {
      guard count <= file.limit else {
        throw KasaneError(
          "\(file.name): truncated or damaged: \(count) bytes of elements are expected for \(header), more than "
            + "\(file.storedSize) bytes of gzip data can hold")
      }
    } else {
      let found = file.storedSize - header.size
      guard count <= found else { throw truncated(file, found, count, header) }
    }
    guard count <= Machine.memoryBytes else {
      throw KasaneError("\(file.name): \(header) needs \(count) bytes, more memory than this machine has")
    }
    return count
  }

  private static func truncated(_ file: ByteReader, _ found: Int, _ expected: Int, _ header: Header)
    -> KasaneError
  {
    KasaneError("\(file.name): truncated: \(found) bytes of elements, \(expected) expected for \(header)")
  }

  private static func readHeader(_ file: ByteReader) throws -> Header {
    let magic = try file.read(4)
    guard magic.prefix(2).allSatisfy({ $0 == 0 }) else {
      throw KasaneError(
        "\(file.name): not an IDX file: it begins with \(hexadecimal(magic)), two zero bytes, an element type and a "
          + "number of dimensions expected")
    }
    guard magic.count == 4 else {
      throw KasaneError("\(file.name): truncated: \(magic.count) bytes, an IDX header of 4 or more expected")
    }
    guard let elementType = ElementType(rawValue: magic[2]) else {
      let known = ElementType.allCases.map { "\(hexadecimal([$0.rawValue])) \($0)" }.joined(separator: ", ")
      throw KasaneError("\(file.name): unknown IDX element type \(hexadecimal([magic[2]])); known: \(known)")
    }
    let sizes = try file.read(4 * Int(magic[3]))
    guard sizes.count == 4 * Int(magic[3]) else {
      throw KasaneError(
        "\(file.name): truncated: an IDX header of \(magic[3]) dimensions has \(4 + 4 * Int(magic[3])) bytes, "
          + "\(4 + sizes.count) found")
    }
    let dimensions = stride(from: 0, to: sizes.count, by: 4).map { start in
      sizes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    return Header(elementType: elementType, dimensions: dimensions)
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined(separator: " ")
  }

  // MARK: Writing

  /// The file's content.
  public var fileBytes: [UInt8] {
    var content: [UInt8] = [0, 0, elementType.rawValue, UInt8(dimensions.count)]
    for dimension in dimensions {
      content += withUnsafeBytes(of: UInt32(dimension).bigEndian) { Array($0) }
    }
    return content + bytes
  }

  /// Writes a file aside and renames it into place, compressed where its name ends in `.gz`.
  public func write(to path: String) throws {
    try Files.write([path.hasSuffix(".gz") ? Gzip.compress(fileBytes) : fileBytes], to: path)
  }
}
