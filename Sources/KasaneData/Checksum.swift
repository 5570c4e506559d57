// SPDX-License-Identifier: Apache-2.0

internal import CZlib
import Kasane

/// CRC-32, by zlib.
enum Checksum {
  /// The checksum of a tensor's elements, carried on from that of others.
  static func of(_ tensor: Tensor, after start: UInt = 0) -> UInt {
    switch tensor.dtype {
    case .uint8: tensor.withElements(of: UInt8.self) { of(UnsafeRawBufferPointer($0), after: start) }
    case .int64: tensor.withElements(of: Int64.self) { of(UnsafeRawBufferPointer($0), after: start) }
    default: preconditionFailure("Checksum: \(tensor.dtype)")
    }
  }

  /// The checksum of bytes, carried on from that of others.
  static func of(_ bytes: [UInt8], after start: UInt = 0) -> UInt {
    bytes.withUnsafeBytes { of($0, after: start) }
  }

  private static func of(_ bytes: UnsafeRawBufferPointer, after start: UInt) -> UInt {
    crc32_z(start, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
  }
}
