// SPDX-License-Identifier: Apache-2.0

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Reading and writing of whole files, with errors that name the file and the reason.
public enum Files {
  /// What the system says of the last failed call.
  public static var lastReason: String { String(cString: strerror(errno)) }

  /// The bytes of a file.
  public static func read(_ path: String) throws -> [UInt8] {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw KasaneError("\(path): cannot be read: \(lastReason)") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw KasaneError("\(path): cannot be read: \(lastReason)") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw KasaneError("\(path): not a regular file") }
    let size = Int(status.st_size)
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let got = readBytes(descriptor, buffer.baseAddress! + count, size - count)
        if got < 0 && errno == EINTR { continue }
        guard got >= 0 else { throw KasaneError("\(path): cannot be read: \(lastReason)") }
        if got == 0 { break }
        count += got
      }
    }
  }

  /// Writes a file aside, syncs it and renames it into place: at any moment the path holds the old content or
  /// the new one, whole.
  public static func write(_ bytes: some Collection<[UInt8]>, to path: String) throws {
    try write(to: path) { write in
      for part in bytes { try part.withUnsafeBytes(write) }
    }
  }

  /// The same of bytes where they lie: `body` hands them to its argument, part by part.
  static func write(
    to path: String, _ body: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws {
    let partial = path + ".partial"
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw KasaneError("\(path): cannot be written: \(lastReason)") }
    func refused() -> KasaneError { KasaneError("\(path): cannot be written: \(lastReason)") }
    do {
      try body { part in guard writeAll(part, to: descriptor) else { throw refused() } }
      guard fsync(descriptor) == 0 else { throw refused() }
    } catch {
      close(descriptor)
      unlink(partial)
      throw error
    }
    guard close(descriptor) == 0 else { throw refused() }
    guard rename(partial, path) == 0 else {
      let error = refused()
      unlink(partial)
      throw error
    }
    syncFolder(of: path)
  }

  /// Syncs a file that was written aside and renames it into place.
  package static func move(_ partial: String, to path: String) throws {
    let descriptor = open(partial, O_RDONLY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, fsync(descriptor) == 0, rename(partial, path) == 0 else {
      throw KasaneError("\(path): cannot be written: \(lastReason)")
    }
    syncFolder(of: path)
  }

  /// Writes text the same way.
  public static func write(_ text: String, to path: String) throws { try write([Array(text.utf8)], to: path) }

  /// Writes all bytes to an open file, past any buffer. False where the system refuses them.
  public static func writeAll(_ bytes: some Collection<UInt8>, to descriptor: Int32) -> Bool {
    bytes.withContiguousStorageIfAvailable { writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
      ?? writeAll(Array(bytes), to: descriptor)
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var done = 0
    while done < bytes.count {
      let wrote = writeBytes(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if wrote < 0 && errno == EINTR { continue }
      guard wrote > 0 else { return false }
      done += wrote
    }
    return true
  }

  /// Makes the renaming in a folder last.
  static func syncFolder(of path: String) {
    let folder = open(parent(of: path), O_RDONLY)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }

  /// The folder that holds a path.
  public static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// Whether something is at a path.
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether a folder is at a path.
  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// The path without links in it; the path itself where nothing is there.
  public static func resolved(_ path: String) -> String {
    guard let found = realpath(path, nil) else { return path }
    defer { free(found) }
    return String(cString: found)
  }

  /// The names in a folder, sorted; none where it cannot be read.
  public static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  /// Makes a folder and those above it.
  public static func makeFolder(_ path: String) throws {
    if mkdir(path, 0o755) == 0 { return }
    if errno == ENOENT && parent(of: path) != path {
      try makeFolder(parent(of: path))
      if mkdir(path, 0o755) == 0 { return }
    }
    guard errno == EEXIST else { throw KasaneError("\(path): cannot be made: \(lastReason)") }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw KasaneError("\(path): cannot be made: a file of that name is in the way")
    }
  }
}

// The C functions, whose names the members above would hide.
private func readBytes(_ descriptor: Int32, _ memory: UnsafeMutableRawPointer, _ count: Int) -> Int {
  read(descriptor, memory, count)
}
private func writeBytes(_ descriptor: Int32, _ memory: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, memory, count)
}
