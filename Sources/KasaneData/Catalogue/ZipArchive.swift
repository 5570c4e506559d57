// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A zip file (PKWARE's APPNOTE 6.3), as far as data sets are packed in it: members that are stored or deflated, not
/// encrypted, in an archive of less than 4 GiB.
final class ZipArchive {
  struct Member {
    let name: String
    let method: Int
    let packedSize: Int
    let size: Int
    let checksum: Int
    fileprivate let header: Int
  }

  let members: [Member]
  fileprivate let path: String
  fileprivate let descriptor: Int32

  /// Whether a file begins as a zip file does.
  static func isOne(_ path: String) -> Bool {
    guard let reader = try? ByteReader(path: path), let start = try? reader.read(4) else { return false }
    return start == [0x50, 0x4B, 3, 4]
  }

  /// Opens an archive and reads its directory. Throws one line where it is damaged.
  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      members = []
      throw KasaneError("\(path): cannot be read: \(Files.lastReason)")
    }
    do {
      members = try Self.directory(of: descriptor, path)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit { close(descriptor) }

  private static func directory(of descriptor: Int32, _ path: String) throws -> [Member] {
    let damaged = KasaneError("\(path): not a whole zip file: its directory is missing or damaged")
    let size = Int(lseek(descriptor, 0, SEEK_END))
    // The end of the directory is the last thing but for a comment of at most 64 KiB.
    let tail = bytes(descriptor, at: max(0, size - 65_557), count: min(size, 65_557))
    let end = (0...max(0, tail.count - 22)).last { tail.count >= 22 && tail.number(4, at: $0) == 0x0605_4B50 }
    guard let end else { throw damaged }
    let (count, length, start) = (
      tail.number(2, at: end + 10), tail.number(4, at: end + 12), tail.number(4, at: end + 16)
    )
    guard start != 0xFFFF_FFFF, start + length <= size else { throw damaged }
    let directory = bytes(descriptor, at: start, count: length)
    var members: [Member] = []
    var place = 0
    for _ in 0..<count {
      guard directory.count >= place + 46, directory.number(4, at: place) == 0x0201_4B50 else {
        throw damaged
      }
      let nameLength = directory.number(2, at: place + 28)
      let next =
        place + 46 + nameLength + directory.number(2, at: place + 30) + directory.number(2, at: place + 32)
      guard directory.count >= next else { throw damaged }
      members.append(
        Member(
          name: String(decoding: directory[(place + 46)..<(place + 46 + nameLength)], as: UTF8.self),
          method: directory.number(2, at: place + 10), packedSize: directory.number(4, at: place + 20),
          size: directory.number(4, at: place + 24), checksum: directory.number(4, at: place + 16),
          header: directory.number(4, at: place + 42)))
      place = next
    }
    return members
  }

  /// The content of a member. Throws one line where it cannot be read.
  func reader(of member: Member) throws -> ByteReader {
    // Sizes and sum stand in the directory as well; the lengths of name and extra field may differ from it.
    let header = Self.bytes(descriptor, at: member.header, count: 30)
    guard header.count == 30, header.number(4, at: 0) == 0x0403_4B50 else {
      throw KasaneError("\(path): \(member.name): damaged")
    }
    guard header.number(2, at: 6) & 1 == 0, member.method == 0 || member.method == 8 else {
      throw KasaneError("\(path): \(member.name): encrypted, or packed in another way than by deflate")
    }
    let start = member.header + 30 + header.number(2, at: 26) + header.number(2, at: 28)
    return try ByteReader(PackedMember(of: self, member, at: start))
  }

  fileprivate static func bytes(_ descriptor: Int32, at offset: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
      while filled < count {
        let got = pread(descriptor, memory.baseAddress! + filled, count - filled, off_t(offset + filled))
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else { break }
        filled += got
      }
    }
  }
}

extension [UInt8] {
  /// A number of some bytes, the least significant first.
  fileprivate func number(_ count: Int, at place: Int) -> Int {
    (0..<count).reduce(0) { $0 | Int(self[place + $1]) << (8 * $1) }
  }
}

/// The stored bytes of a member. What is deflated is given in the frame of a gzip file, whose reader then inflates it and
/// checks its size and sum.
private final class PackedMember: ByteSource {
  let name: String
  let size: Int
  private let archive: ZipArchive
  private let start: Int
  private let packedSize: Int
  private let head: [UInt8]
  private let tail: [UInt8]
  private var position = 0

  init(of archive: ZipArchive, _ member: ZipArchive.Member, at start: Int) {
    name = "\(archive.path): \(member.name)"
    (self.archive, self.start, packedSize) = (archive, start, member.packedSize)
    let isDeflated = member.method == 8
    head = isDeflated ? Gzip.magic + [8, 0, 0, 0, 0, 0, 0, 255] : []
    tail =
      isDeflated
      ? [member.checksum, member.size].flatMap { n in (0..<4).map { UInt8(n >> (8 * $0) & 255) } } : []
    size = head.count + packedSize + tail.count
  }

  func peek() -> [UInt8] {
    head.isEmpty
      ? ZipArchive.bytes(archive.descriptor, at: start, count: min(2, packedSize)) : Array(head.prefix(2))
  }

  func read(into memory: UnsafeMutableRawBufferPointer) throws -> Int {
    let bytes: [UInt8]
    if position < head.count {
      bytes = Array(head[position...].prefix(memory.count))
    } else if position < head.count + packedSize {
      let place = position - head.count
      bytes = ZipArchive.bytes(
        archive.descriptor, at: start + place, count: min(memory.count, packedSize - place))
      guard !bytes.isEmpty else { throw KasaneError("\(name): cut off") }
    } else {
      bytes = Array(tail[(position - head.count - packedSize)...].prefix(memory.count))
    }
    memory.copyBytes(from: bytes)
    position += bytes.count
    return bytes.count
  }
}
