// SPDX-License-Identifier: Apache-2.0

internal import CKernels

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

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

  private static let codes: [(code: String, dtype: DType)] = [
    ("F32", .float32), ("F64", .float64), ("BF16", .bfloat16), ("F16", .float16), ("I8", .int8),
    ("U8", .uint8), ("I32", .int32), ("I64", .int64), ("BOOL", .bool),
  ]

  /// The key under which a checksum of elements and header is kept, where the file has one.
  private static let checksumKey = "crc32c"

  /// One entry of the header.
  private enum Entry: Codable {
    case tensor(dtype: String, shape: [Int], offsets: [Int])
    case metadata([String: String])

    enum Keys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }

    init(from decoder: any Decoder) throws {
      if let values = try? decoder.container(keyedBy: Keys.self), values.contains(.dtype) {
        self = .tensor(
          dtype: try values.decode(String.self, forKey: .dtype),
          shape: try values.decode([Int].self, forKey: .shape),
          offsets: try values.decode([Int].self, forKey: .offsets))
      } else {
        self = .metadata(try decoder.singleValueContainer().decode([String: String].self))
      }
    }

    func encode(to encoder: any Encoder) throws {
      switch self {
      case .tensor(let dtype, let shape, let offsets):
        var values = encoder.container(keyedBy: Keys.self)
        try values.encode(dtype, forKey: .dtype)
        try values.encode(shape, forKey: .shape)
        try values.encode(offsets, forKey: .offsets)
      case .metadata(let notes):
        var value = encoder.singleValueContainer()
        try value.encode(notes)
      }
    }
  }

  private static let metadataKey = "__metadata__"

  private static func encoded(_ header: [String: Entry]) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(header))
  }

  /// The elements' checksum carried on over the header, which must be without a checksum of its own.
  private static func checksum(of header: [String: Entry], after elements: UInt32) throws -> String {
    let text = try encoded(header)
    return String(ks_crc32c(elements, text, text.count), radix: 16)
  }

  // MARK: Writing

  /// Writes the file aside and renames it into place. With `checksummed`, damage to anything in it is found
  /// when the file is read.
  public func write(to path: String, checksummed: Bool = false) throws {
    var header: [String: Entry] = [:]
    var body: [[UInt8]] = []
    var offset = 0
    var checksum: UInt32 = 0
    for name in tensors.keys.sorted() {
      let tensor = tensors[name]!.contiguous()
      let count = tensor.elementCount * tensor.dtype.size
      let bytes = Array(UnsafeRawBufferPointer(start: tensor.object.pointee.data, count: count))
      checksum = ks_crc32c(checksum, bytes, bytes.count)
      let code = Self.codes.first { $0.dtype == tensor.dtype }!.code
      header[name] = .tensor(dtype: code, shape: Array(tensor.shape), offsets: [offset, offset + count])
      offset += count
      body.append(bytes)
    }
    header[Self.metadataKey] = .metadata(metadata)
    if checksummed {
      var notes = metadata
      notes[Self.checksumKey] = try Self.checksum(of: header, after: checksum)
      header[Self.metadataKey] = .metadata(notes)
    }
    var text = try Self.encoded(header)
    while (text.count + 8) % 64 != 0 { text.append(UInt8(ascii: " ")) }
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init)
    try Files.write([length, text] + body, to: path)
  }

  // MARK: Reading

  /// Reads a file. Throws one line that says what is wrong with it.
  public init(contentsOf path: String) throws {
    let bytes = try Files.read(path)
    func damaged(_ what: String) -> KasaneError {
      KasaneError("\(path): not a whole safetensors file: \(what)")
    }
    guard bytes.count >= 8 else { throw damaged("\(bytes.count) bytes, at least 8 expected") }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(bytes.count - 8) else {
      throw damaged("a header of \(length) bytes is announced, \(bytes.count - 8) bytes follow")
    }
    let start = 8 + Int(length)
    guard var header = try? JSONDecoder().decode([String: Entry].self, from: Data(bytes[8..<start])) else {
      throw damaged("the header is not the JSON of tensors")
    }
    tensors = [:]
    metadata = [:]
    var end = 0
    for (name, entry) in header {
      switch entry {
      case .metadata(let notes): metadata = notes
      case .tensor(let code, let sizes, let offsets):
        guard let dtype = Self.codes.first(where: { $0.code == code })?.dtype else {
          throw damaged("tensor \(name) has the unknown type \(code)")
        }
        guard sizes.count <= Shape.maximumCount, sizes.allSatisfy({ $0 >= 0 }) else {
          throw damaged("tensor \(name) has the shape \(sizes)")
        }
        let count = sizes.reduce(dtype.size) { $0.multipliedReportingOverflow(by: $1).partialValue }
        guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] - offsets[0] == count
        else { throw damaged("tensor \(name) of shape \(sizes), \(code), has the offsets \(offsets)") }
        guard offsets[1] <= bytes.count - start else {
          throw damaged("tensor \(name) ends at byte \(start + offsets[1]), the file at \(bytes.count)")
        }
        let tensor = Tensor(unsetWithShape: Shape(sizes), dtype: dtype)
        bytes.withUnsafeBytes { source in
          if count > 0 {
            tensor.object.pointee.data!.copyMemory(
              from: source.baseAddress! + start + offsets[0], byteCount: count)
          }
        }
        tensors[name] = tensor
        end = max(end, offsets[1])
      }
    }
    guard end == bytes.count - start else {
      throw damaged("\(bytes.count - start - end) bytes after the last tensor")
    }
    if let expected = metadata.removeValue(forKey: Self.checksumKey) {
      header[Self.metadataKey] = .metadata(metadata)
      let elements = bytes.withUnsafeBytes { ks_crc32c(0, $0.baseAddress! + start, bytes.count - start) }
      let found = try Self.checksum(of: header, after: elements)
      guard found == expected else { throw damaged("its checksum is \(found), \(expected) expected") }
    }
  }
}

extension Module {
  /// The parameters' tensors by name.
  public var tensors: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.parameter.storage) })
  }

  /// Replaces the parameters by the tensors of the same names. Throws a list of every name that is missing,
  /// unexpected or of another shape or type, and then changes nothing.
  public func load(_ tensors: [String: Tensor], from source: String) throws {
    let own = parameters
    var problems: [String] = []
    for (name, parameter) in own {
      guard let tensor = tensors[name] else {
        problems.append("\(name) is missing")
        continue
      }
      let expected = parameter.storage
      if tensor.shape != expected.shape || tensor.dtype != expected.dtype {
        problems.append("\(name) is \(tensor.shape) \(tensor.dtype), not \(expected.shape) \(expected.dtype)")
      }
    }
    let known = Set(own.map(\.name))
    for name in tensors.keys.sorted() where !known.contains(name) { problems.append("\(name) is unexpected") }
    guard problems.isEmpty else {
      throw KasaneError("\(source): not the weights of this model: \(problems.joined(separator: "; "))")
    }
    for (name, parameter) in own { parameter.assign(tensors[name]!) }
  }
}
