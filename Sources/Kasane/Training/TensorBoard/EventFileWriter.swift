// SPDX-License-Identifier: Apache-2.0

internal import CKernels
internal import SwiftProtobuf

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Writes scalars to a file that TensorBoard reads.
///
/// The file is a chain of records: the length of the data (8 bytes, little-endian), the masked CRC-32C of the
/// length (4 bytes), the data (one serialized event), and the masked CRC-32C of the data (4 bytes); see
/// TensorFlow's `tensorflow/core/lib/io/record_writer.h`. Records wait in memory until there are 64 KiB of
/// them or `flush()` is called. One thread at a time may use a writer.
public final class EventFileWriter {
  private let path: String
  private var descriptor: Int32
  /// Bytes of whole records in the file.
  private var written: UInt64
  /// Whole records that are not yet in the file.
  private var pending: [UInt8] = []

  /// Bytes of the file, those that wait in memory included. A run resumed from here goes on after the last
  /// event that was added.
  public var length: UInt64 { written + UInt64(pending.count) }

  /// The name of a new event file, by which TensorBoard recognises it. `wallTime` is in seconds since 1970.
  public static func fileName(wallTime: Double) -> String {
    "events.out.tfevents.\(Int64(wallTime)).kasane"
  }

  /// A new file at `path`, which must not exist; its folder must. `wallTime` is in seconds since 1970.
  public init(creatingAt path: String, wallTime: Double) throws {
    self.path = path
    written = 0
    descriptor = openFile(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
    guard descriptor >= 0 else { throw KasaneError("cannot create \(path): \(Files.lastReason)") }
    do {
      var event = TensorBoardEvent()
      event.wallTime = wallTime
      event.fileVersion = "brain.Event:2"
      try append(event)
      try flush()
    } catch {
      // A file without its first record is none, and would be in the way of the next attempt.
      _ = unlink(path)
      _ = closeFile(descriptor)
      descriptor = -1
      throw error
    }
  }

  /// The file at `path`, cut back to its first `length` bytes: a `length` that a writer of this file had when
  /// the run was saved. Events that were written after that are dropped.
  public init(continuing path: String, from length: UInt64) throws {
    self.path = path
    written = length
    descriptor = openFile(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw KasaneError("cannot continue \(path): \(Files.lastReason)") }
    do {
      let size = lseek(descriptor, 0, SEEK_END)
      guard size >= 0 else { throw KasaneError("cannot continue \(path): \(Files.lastReason)") }
      guard UInt64(size) >= length else {
        throw KasaneError("cannot continue \(path): expected at least \(length) bytes, found \(size)")
      }
      guard truncateFile(descriptor, to: length) else {
        throw KasaneError("cannot continue \(path): \(Files.lastReason)")
      }
    } catch {
      _ = closeFile(descriptor)
      descriptor = -1
      throw error
    }
  }

  /// A writer on an open file that holds `length` bytes of whole records. It closes the descriptor.
  init(descriptor: Int32, path: String, length: UInt64) {
    self.path = path
    self.descriptor = descriptor
    written = length
  }

  /// Writes what waits in memory if it can; only `close()` can tell that it could not.
  deinit { try? close() }

  /// Adds the value that `tag` has at `step`. `wallTime` is in seconds since 1970. Throws where the file was
  /// closed, and where it cannot be written: the event then waits in memory for the next attempt.
  public func addScalar(_ tag: String, _ value: Float, step: Int, wallTime: Double) throws {
    var scalar = TensorBoardSummary.Value()
    scalar.tag = tag
    scalar.simpleValue = value
    var event = TensorBoardEvent()
    event.wallTime = wallTime
    event.step = Int64(step)
    event.summary.value = [scalar]
    try append(event)
    if pending.count >= 64 << 10 { try flush() }
  }

  /// Writes to the file what waits in memory. Where that fails the file keeps the length it had, and the
  /// events wait for the next attempt.
  public func flush() throws {
    guard descriptor >= 0 else { throw closedError }
    guard let reason = writeAll(pending, to: descriptor, at: written) else {
      written += UInt64(pending.count)
      pending.removeAll(keepingCapacity: true)
      return
    }
    guard truncateFile(descriptor, to: written) else {
      throw KasaneError(
        "cannot write \(path): \(reason); nor cut it back to \(written) bytes: \(Files.lastReason)")
    }
    throw KasaneError("cannot write \(path): \(reason)")
  }

  /// Writes what waits in memory and closes the file, even if that throws. Does nothing the second time.
  public func close() throws {
    guard descriptor >= 0 else { return }
    let flushed = Result { try flush() }
    let status = closeFile(descriptor)
    let reason = Files.lastReason
    descriptor = -1
    try flushed.get()
    guard status == 0 else { throw KasaneError("cannot close \(path): \(reason)") }
  }

  private var closedError: KasaneError { KasaneError("cannot write \(path): it was closed") }

  private func append(_ event: TensorBoardEvent) throws {
    guard descriptor >= 0 else { throw closedError }
    let data: [UInt8] = try event.serializedBytes()
    let length = littleEndian(UInt64(data.count))
    pending += length
    pending += littleEndian(maskedCheck(length))
    pending += data
    pending += littleEndian(maskedCheck(data))
  }
}

/// The CRC-32C of `bytes`, rotated and shifted as the record format has it, so that a check of data that hold
/// checks is still a good check.
private func maskedCheck(_ bytes: [UInt8]) -> UInt32 {
  let check = ks_crc32c(0, bytes, bytes.count)
  return ((check >> 15) | (check << 17)) &+ 0xA282_EAD8
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

/// Writes all of `bytes` from byte `position` of the file on. The reason why not, or nil.
private func writeAll(_ bytes: [UInt8], to descriptor: Int32, at position: UInt64) -> String? {
  bytes.withUnsafeBytes { bytes in
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
      // With its position, so that a second attempt begins where the first began.
      let count = pwrite(descriptor, rest.baseAddress!, rest.count, off_t(position) + off_t(done))
      if count > 0 {
        done += count
      } else if count == 0 || errno != EINTR {
        return count == 0 ? "nothing was accepted" : Files.lastReason
      }
    }
    return nil
  }
}

// The C library's functions under names that the methods above do not hide, asked again where a signal
// interrupted them.

private func openFile(_ path: String, _ flags: Int32) -> Int32 {
  while true {
    let descriptor = open(path, flags, 0o644)
    if descriptor >= 0 || errno != EINTR { return descriptor }
  }
}

private func truncateFile(_ descriptor: Int32, to length: UInt64) -> Bool {
  while true {
    if ftruncate(descriptor, off_t(length)) == 0 { return true }
    if errno != EINTR { return false }
  }
}

/// Never asked again: the descriptor is gone whatever the answer, and may be another file's by then.
private func closeFile(_ descriptor: Int32) -> Int32 { close(descriptor) }
