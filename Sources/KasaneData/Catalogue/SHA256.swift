// SPDX-License-Identifier: Apache-2.0

internal import CTransfer

/// SHA-256 (FIPS 180-4).
struct SHA256 {
  private var state = ks_sha256()

  init() { ks_sha256_begin(&state) }

  mutating func add(_ bytes: UnsafeRawBufferPointer) { ks_sha256_add(&state, bytes.baseAddress, bytes.count) }

  /// The sum of all that was added, in hexadecimal digits.
  consuming func digits() -> String {
    var sum = [UInt8](repeating: 0, count: 32)
    ks_sha256_end(&state, &sum)
    return sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// What a file holds, inflated where it is a gzip file: how much, and its sum.
struct Content: Equatable {
  let size: Int
  let sha256: String

  /// Reads a file. Its content is not read further than a little beyond `limit`.
  init(of path: String, limit: Int = .max) throws { try self.init(of: ByteReader(path: path), limit: limit) }

  /// Reads what a reader gives, and hands it on.
  init(
    of reader: ByteReader, limit: Int = .max, _ body: (UnsafeRawBufferPointer) throws -> Void = { _ in }
  ) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var (size, sum) = (0, SHA256())
    while size <= limit {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { break }
      try buffer.withUnsafeBytes {
        let part = UnsafeRawBufferPointer(rebasing: $0[..<count])
        sum.add(part)
        try body(part)
      }
      size += count
    }
    (self.size, sha256) = (size, sum.digits())
  }
}
