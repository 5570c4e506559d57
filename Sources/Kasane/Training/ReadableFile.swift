// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file open for reading at any place, also from several threads at once.
final class ReadableFile: Sendable {
  let path: String
  /// How many bytes the file had when it was opened.
  let size: Int
  private let descriptor: Int32

  init(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw KasaneError("\(path): cannot be read: \(Files.lastReason)") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = Files.lastReason
      close(descriptor)
      throw KasaneError("\(path): cannot be read: \(reason)")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw KasaneError("\(path): not a regular file")
    }
    self.path = path
    self.descriptor = descriptor
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Fills memory with the bytes at an offset. Throws where the file has no longer as many.
  func read(into memory: UnsafeMutableRawBufferPointer, at offset: Int) throws {
    var done = 0
    while done < memory.count {
      let got = pread(descriptor, memory.baseAddress! + done, memory.count - done, off_t(offset + done))
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw KasaneError("\(path): cannot be read: \(Files.lastReason)") }
      guard got > 0 else { throw KasaneError("\(path): became shorter while it was read") }
      done += got
    }
  }

  /// The bytes at an offset.
  func read(_ count: Int, at offset: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      try read(into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count), at: offset)
      filled = count
    }
  }
}
