// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Named tensors in a file of the safetensors format: eight bytes that give the header's length, a JSON header
/// with each tensor's type, shape and place, and the elements.
public struct Safetensors: Sendable {
  /// The tensors by name.
  public var tensors: [String: Tensor]
  /// Notes about the file.
  public var metadata: [String: String]

  /// A collection of named tensors.
  public init(_ tensors: [String: Tensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a whole file; `SafetensorsFile` reads a part. Throws one line that says what is wrong with it.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path)
    self.init(try file.tensors(), metadata: file.metadata)
  }

  /// Writes the file aside and renames it into place. With `checksummed`, damage to anything in it is found
  /// when the file is read.
  public func write(to path: String, checksummed: Bool = false) throws {
    var header = SafetensorsHeader(metadata: metadata)
    let names = tensors.keys.sorted()
    var offset = 0
    var checksum: UInt32 = 0
    for name in names {
      let tensor = tensors[name]!
      let count = tensor.elementCount * tensor.dtype.size
      header.add(name, tensor.dtype, tensor.shape, offsets: offset..<offset + count)
      offset += count
      if checksummed { tensor.withBytes { checksum = ks_crc32c(checksum, $0.baseAddress, $0.count) } }
    }
    if checksummed {
      header.metadata[SafetensorsHeader.checksumKey] = try header.checksum(after: checksum)
    }
    var text = try header.encoded()
    while (text.count + 8) % 64 != 0 { text.append(UInt8(ascii: " ")) }
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init)
    // Tensor by tensor where it lies, so that a file needs no memory of its own size.
    try Files.write(to: path) { write in
      try (length + text).withUnsafeBytes(write)
      for name in names { try tensors[name]!.withBytes(write) }
    }
  }
}

extension Tensor {
  /// Calls `body` with the elements' bytes in row-major order.
  fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    let source = contiguous()
    defer { withExtendedLifetime(source) {} }
    return try body(
      UnsafeRawBufferPointer(start: source.object.pointee.data, count: elementCount * dtype.size))
  }
}
