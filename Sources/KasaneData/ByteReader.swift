// SPDX-License-Identifier: Apache-2.0

internal import CSamples
import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file's bytes one after another, inflated where it is a gzip file, whatever its name. Only a little of it is in
/// memory at a time.
final class ByteReader {
  /// The file, for messages.
  let name: String
  /// Whether it is a gzip file.
  let isCompressed: Bool
  /// The file's own size.
  var storedSize: Int { source.size }
  /// How many bytes there can be: the file's size, or the most that gzip could make of it.
  let limit: Int
  private let source: ByteSource
  private var inflater: Inflater?

  /// Opens a file. Throws where it cannot be read.
  convenience init(path: String) throws { try self.init(try OpenFile(path)) }

  /// Opens a sample that is part of the program.
  convenience init(sample: String) throws {
    let found = ks_find_sample(sample)
    precondition(found.bytes != nil, "no sample \(sample) in this program")
    try self.init(
      BytesInMemory("sample/\(sample)", UnsafeRawBufferPointer(start: found.bytes, count: found.count)))
  }

  init(_ source: ByteSource) throws {
    self.source = source
    name = source.name
    let start = try source.peek()
    isCompressed = start == Gzip.magic
    // Deflate needs at least two bits for the 258 bytes of its longest repetition.
    limit = isCompressed ? source.size * 1032 : source.size
    if isCompressed { inflater = try Inflater(source) }
  }

  /// Fills the memory as far as there are bytes, and returns how many there were.
  func read(into memory: UnsafeMutableRawBufferPointer) throws -> Int {
    if let inflater { return try inflater.read(into: memory) }
    var count = 0
    while count < memory.count {
      let got = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[count...]))
      if got == 0 { break }
      count += got
    }
    return count
  }

  /// The next `count` bytes, or those that there are.
  func read(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
      filled = try read(into: UnsafeMutableRawBufferPointer(memory))
    }
  }
}

/// Where stored bytes come from.
protocol ByteSource: AnyObject {
  /// What messages call it.
  var name: String { get }
  /// The number of stored bytes.
  var size: Int { get }
  /// The first two bytes, or those that there are; the next `read` gives them again.
  func peek() throws -> [UInt8]
  /// Some of the bytes that follow, none only at the end.
  func read(into memory: UnsafeMutableRawBufferPointer) throws -> Int
}

private final class OpenFile: ByteSource {
  let name: String
  let size: Int
  private let descriptor: Int32

  init(_ path: String) throws {
    name = path
    // Not blocking: opening a pipe would wait for its writer.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      size = 0
      throw KasaneError("\(path): cannot be read: \(Files.lastReason)")
    }
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    size = Int(status.st_size)
    guard isKnown else { throw KasaneError("\(path): cannot be read: \(Files.lastReason)") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw KasaneError("\(path): not a regular file") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func peek() throws -> [UInt8] {
    var start: [UInt8] = [0, 0]
    let count = try start.withUnsafeMutableBytes { try read(into: $0) }
    guard lseek(descriptor, 0, SEEK_SET) == 0 else { throw unreadable }
    return Array(start.prefix(count))
  }

  func read(into memory: UnsafeMutableRawBufferPointer) throws -> Int {
    guard memory.count > 0 else { return 0 }
    while true {
      let got = readBytes(descriptor, memory.baseAddress!, memory.count)
      if got >= 0 { return got }
      guard errno == EINTR else { throw unreadable }
    }
  }

  private var unreadable: KasaneError { KasaneError("\(name): cannot be read: \(Files.lastReason)") }
}

// The C function, whose name the methods would hide.
private func readBytes(_ descriptor: Int32, _ memory: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, memory, count)
}

/// Bytes that live as long as the program.
private final class BytesInMemory: ByteSource {
  let name: String
  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  init(_ name: String, _ bytes: UnsafeRawBufferPointer) {
    self.name = name
    self.bytes = bytes
  }

  var size: Int { bytes.count }

  func peek() -> [UInt8] { Array(bytes.prefix(2)) }

  func read(into memory: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(memory.count, bytes.count - position)
    memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
    position += count
    return count
  }
}
