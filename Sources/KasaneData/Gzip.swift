// SPDX-License-Identifier: Apache-2.0

internal import CZlib
import Kasane

/// The gzip format (RFC 1952), by zlib.
public enum Gzip {
  /// How every gzip file begins.
  static let magic: [UInt8] = [0x1F, 0x8B]
  /// A window of 32 KiB, in gzip's own frame.
  fileprivate static let windowBits: Int32 = 15 + 16
  fileprivate static var streamSize: Int32 { Int32(MemoryLayout<z_stream>.size) }

  /// A gzip file of the bytes. The same bytes make the same file.
  public static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    let begun = deflateInit2_(
      &stream, Z_BEST_COMPRESSION, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, streamSize)
    guard begun == Z_OK else { fatalError("out of memory: zlib cannot begin (\(begun))") }
    defer { deflateEnd(&stream) }
    var result: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    // zlib counts input in 32 bits.
    var rest = bytes[...]
    repeat {
      let part = rest.prefix(1 << 30)
      rest = rest.dropFirst(part.count)
      part.withUnsafeBufferPointer { input in
        stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.avail_in = UInt32(input.count)
        repeat {
          chunk.withUnsafeMutableBufferPointer { output in
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            deflate(&stream, rest.isEmpty ? Z_FINISH : Z_NO_FLUSH)
          }
          result += chunk[..<(chunk.count - Int(stream.avail_out))]
        } while stream.avail_out == 0
      }
    } while !rest.isEmpty
    return result
  }
}

/// Inflates the gzip files, one or several in a row, that a source holds, and checks their lengths and checksums.
final class Inflater {
  private let source: ByteSource
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  /// Whether the last file in the row has come to its end, its checksum checked.
  private var isBetween = false
  private var members = 0

  init(_ source: ByteSource) throws {
    self.source = source
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    input = .allocate(byteCount: 64 << 10, alignment: 16)
    guard inflateInit2_(stream, Gzip.windowBits, ZLIB_VERSION, Gzip.streamSize) == Z_OK else {
      throw KasaneError("\(source.name): out of memory: zlib cannot begin")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Fills the memory as far as there are bytes, and returns how many there were.
  func read(into memory: UnsafeMutableRawBufferPointer) throws -> Int {
    var count = 0
    while count < memory.count {
      if stream.pointee.avail_in == 0 {
        stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(try source.read(into: input))
        if stream.pointee.avail_in == 0 {
          if isBetween { break }
          if isGarbage { throw damaged }
          throw KasaneError("\(source.name): ends within its gzip data: it is cut off")
        }
      }
      if isBetween {
        inflateReset(stream)
        isBetween = false
      }
      let room = min(memory.count - count, 1 << 30)
      stream.pointee.next_out = memory.baseAddress!.assumingMemoryBound(to: UInt8.self) + count
      stream.pointee.avail_out = UInt32(room)
      let status = inflate(stream, Z_NO_FLUSH)
      count += room - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END:
        isBetween = true
        members += 1
      default: throw damaged
      }
    }
    return count
  }

  /// Whether what follows a file in the row is too short for another, or not like one.
  private var isGarbage: Bool {
    members > 0 && stream.pointee.total_out == 0 && stream.pointee.total_in < 18
  }

  private var damaged: KasaneError {
    if isGarbage {
      return KasaneError("\(source.name): bytes after the end of its gzip data")
    }
    let reason = stream.pointee.msg.map { String(cString: $0) } ?? "unknown reason"
    return KasaneError("\(source.name): damaged gzip data: \(reason)")
  }
}
