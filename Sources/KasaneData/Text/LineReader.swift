// SPDX-License-Identifier: Apache-2.0

import Kasane

/// The lines of a text file one after another, inflated where it is a gzip file, whatever its name.
///
/// The text must be UTF-8; the first line that is not is named. A byte-order mark at the beginning is skipped, lines end
/// in LF or CRLF, and only the line at hand is in memory, however long it is.
public final class LineReader {
  /// The file, for messages.
  public let name: String
  /// The number of the line that `next` gave last, from 1.
  public private(set) var lineNumber = 0
  private let reader: ByteReader
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)
  private var position = 0
  private var filled = 0

  /// Opens a file. Throws one line where it cannot be read.
  public convenience init(path: String) throws { self.init(try ByteReader(path: path)) }

  /// Opens a sample that is part of the program.
  convenience init(sample: String) throws { self.init(try ByteReader(sample: sample)) }

  private init(_ reader: ByteReader) {
    self.reader = reader
    name = reader.name
  }

  /// The next line without its end, or nil after the last. Throws one line that names file and line where it is not text.
  public func next() throws -> String? {
    var line: [UInt8] = []
    var isThere = false
    while true {
      if position == filled {
        (position, filled) = (0, try buffer.withUnsafeMutableBytes { try reader.read(into: $0) })
        if filled == 0 { return isThere ? try text(line) : nil }
      }
      isThere = true
      let end = buffer[position..<filled].withUnsafeBufferPointer { $0.firstIndex(of: 0x0A) }
      guard let end else {
        line += buffer[position..<filled]
        position = filled
        continue
      }
      line += buffer[position..<position + end]
      position += end + 1
      return try text(line)
    }
  }

  private func text(_ bytes: [UInt8]) throws -> String {
    lineNumber += 1
    var bytes = bytes[...]
    if lineNumber == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
    if bytes.last == 0x0D { bytes = bytes.dropLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw KasaneError("\(name): line \(lineNumber): not UTF-8 text at character \(Self.damage(in: bytes))")
    }
    // Text has none, nearly every other kind of file does.
    guard !bytes.contains(0) else {
      throw KasaneError("\(name): line \(lineNumber): a zero byte: the file is not text")
    }
    return text
  }

  /// The number of the first character that is none, from 1.
  private static func damage(in bytes: ArraySlice<UInt8>) -> Int {
    var (decoder, iterator, character) = (UTF8(), bytes.makeIterator(), 1)
    while case .scalarValue = decoder.decode(&iterator) { character += 1 }
    return character
  }
}
