// SPDX-License-Identifier: Apache-2.0

internal import CKernels

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The JSON header of a safetensors file: each tensor's type, shape and place, and notes about the file.
struct SafetensorsHeader {
  /// One entry of the header.
  enum Entry: Codable {
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

  static let codes: [(code: String, dtype: DType)] = [
    ("F32", .float32), ("F64", .float64), ("BF16", .bfloat16), ("F16", .float16), ("I8", .int8),
    ("U8", .uint8), ("I32", .int32), ("I64", .int64), ("BOOL", .bool),
  ]
  /// The key under which a checksum of elements and header is kept, where the file has one.
  static let checksumKey = "crc32c"
  private static let metadataKey = "__metadata__"

  private(set) var entries: [String: Entry] = [:]
  /// Notes about the file.
  var metadata: [String: String] {
    get {
      guard case .metadata(let notes)? = entries[Self.metadataKey] else { return [:] }
      return notes
    }
    set { entries[Self.metadataKey] = .metadata(newValue) }
  }

  init(metadata: [String: String]) { self.metadata = metadata }

  /// A header read from a file, or nil where the bytes are not the JSON of one.
  init?(_ bytes: [UInt8]) {
    guard let entries = try? JSONDecoder().decode([String: Entry].self, from: Data(bytes)) else { return nil }
    self.entries = entries
  }

  mutating func add(_ name: String, _ dtype: DType, _ shape: Shape, offsets: Range<Int>) {
    let code = Self.codes.first { $0.dtype == dtype }!.code
    entries[name] = .tensor(
      dtype: code, shape: Array(shape), offsets: [offsets.lowerBound, offsets.upperBound])
  }

  func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(entries))
  }

  /// The elements' checksum carried on over the header, one that is kept in it left out.
  func checksum(after elements: UInt32) throws -> String {
    var header = self
    header.metadata[Self.checksumKey] = nil
    let text = try header.encoded()
    return String(ks_crc32c(elements, text, text.count), radix: 16)
  }
}
