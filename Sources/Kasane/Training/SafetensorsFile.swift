// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// A safetensors file open for reading: what it holds is known at once, and elements are read, straight into their
/// tensors, when they are asked for. So a part of a file larger than memory can be used.
public final class SafetensorsFile: Sendable {
  /// A tensor of the file, its elements unread.
  public struct Entry: Sendable {
    /// Its name.
    public let name: String
    /// The type of its elements.
    public let dtype: DType
    /// Its shape.
    public let shape: Shape
    /// Where in the file its elements are.
    let place: Range<Int>
  }

  /// Where the file is.
  public var path: String { file.path }
  /// The tensors, in the order in which they lie in the file.
  public let entries: [Entry]
  /// Tensors of types that Kasane does not have, and the format's name of the type.
  public let unsupported: [String: String]
  /// Notes about the file.
  public let metadata: [String: String]

  private let file: ReadableFile
  private let header: SafetensorsHeader
  private let elementsStart: Int
  private let expectedChecksum: String?

  /// Whether reading finds damage to any byte; without a checksum only a wrong length or header is found.
  public var isChecksummed: Bool { expectedChecksum != nil }

  /// Opens a file and checks its header. Throws one line that says what is wrong with it.
  public init(_ path: String) throws {
    let file = try ReadableFile(path)
    guard file.size >= 8 else { throw Self.damage(path, "\(file.size) bytes, at least 8 expected") }
    let length = try file.read(8, at: 0).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= UInt64(file.size - 8) else {
      throw Self.damage(path, "a header of \(length) bytes is announced, \(file.size - 8) bytes follow")
    }
    let start = 8 + Int(length)
    guard let header = SafetensorsHeader(try file.read(Int(length), at: 8)) else {
      throw Self.damage(path, "the header is not the JSON of tensors")
    }
    let (entries, unsupported) = try Self.entries(of: header, start: start, file)
    self.file = file
    self.header = header
    self.entries = entries
    self.unsupported = unsupported
    elementsStart = start
    var metadata = header.metadata
    expectedChecksum = metadata.removeValue(forKey: SafetensorsHeader.checksumKey)
    self.metadata = metadata
  }

  private static func damage(_ path: String, _ what: String) -> KasaneError {
    KasaneError("\(path): not a whole safetensors file: \(what)")
  }

  /// The header's tensors, which must fill the rest of the file without gaps.
  private static func entries(
    of header: SafetensorsHeader, start: Int, _ file: ReadableFile
  ) throws -> ([Entry], unsupported: [String: String]) {
    var places: [(name: String, place: Range<Int>)] = []
    var entries: [String: Entry] = [:]
    var unsupported: [String: String] = [:]
    for (name, entry) in header.entries {
      guard case .tensor(let code, let sizes, let offsets) = entry else { continue }
      guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
        throw damage(file.path, "tensor \(name) has the offsets \(offsets)")
      }
      guard offsets[1] <= file.size - start else {
        let end = start.addingReportingOverflow(offsets[1]).partialValue
        throw damage(file.path, "tensor \(name) ends at byte \(end), the file at \(file.size)")
      }
      let place = start + offsets[0]..<start + offsets[1]
      places.append((name, place))
      guard let dtype = SafetensorsHeader.codes.first(where: { $0.code == code })?.dtype else {
        unsupported[name] = code
        continue
      }
      guard sizes.count <= Shape.maximumCount, sizes.allSatisfy({ $0 >= 0 }) else {
        throw damage(file.path, "tensor \(name) has the shape \(sizes)")
      }
      guard bytes(sizes, of: dtype) == place.count else {
        throw damage(file.path, "tensor \(name) of shape \(sizes), \(code), has the offsets \(offsets)")
      }
      entries[name] = Entry(name: name, dtype: dtype, shape: Shape(sizes), place: place)
    }
    places.sort { ($0.place.lowerBound, $0.place.upperBound) < ($1.place.lowerBound, $1.place.upperBound) }
    var end = start
    for (name, place) in places {
      guard place.lowerBound == end else {
        throw damage(file.path, "tensor \(name) begins at byte \(place.lowerBound), byte \(end) expected")
      }
      end = place.upperBound
    }
    guard end == file.size else { throw damage(file.path, "\(file.size - end) bytes after the last tensor") }
    return (places.compactMap { entries[$0.name] }, unsupported)
  }

  /// The bytes of so many elements, or nil where no memory has as many.
  private static func bytes(_ sizes: [Int], of dtype: DType) -> Int? {
    if sizes.contains(0) { return 0 }
    var count = dtype.size
    for size in sizes {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { return nil }
      count = product
    }
    return count
  }

  // MARK: Reading

  /// Reads one tensor. Throws where there is none of that name. A checksum is not looked at, for that would read the
  /// whole file.
  public func tensor(_ name: String) throws -> Tensor {
    try check(name)
    guard let entry = entries.first(where: { $0.name == name }) else {
      throw KasaneError("\(path): there is no tensor \(name)")
    }
    return try read(entry)
  }

  /// Reads the tensors whose names pass, all of them unless told otherwise. In a file with a checksum the rest is
  /// looked at too, so that damage anywhere is found.
  public func tensors(where included: (String) -> Bool = { _ in true }) throws -> [String: Tensor] {
    for name in unsupported.keys.sorted() where included(name) { try check(name) }
    var result: [String: Tensor] = [:]
    var checksum: UInt32 = 0
    var position = elementsStart
    for entry in entries {
      guard included(entry.name) else { continue }
      try pass(position..<entry.place.lowerBound, &checksum)
      let tensor = try read(entry)
      if isChecksummed, !entry.place.isEmpty {
        checksum = ks_crc32c(checksum, tensor.object.pointee.data, entry.place.count)
      }
      position = entry.place.upperBound
      result[entry.name] = tensor
    }
    try pass(position..<file.size, &checksum)
    if let expectedChecksum {
      let found = try header.checksum(after: checksum)
      guard found == expectedChecksum else {
        throw Self.damage(path, "its checksum is \(found), \(expectedChecksum) expected")
      }
    }
    return result
  }

  private func check(_ name: String) throws {
    guard let code = unsupported[name] else { return }
    throw KasaneError("\(path): tensor \(name) has the unknown type \(code)")
  }

  private func read(_ entry: Entry) throws -> Tensor {
    let tensor = Tensor(unsetWithShape: entry.shape, dtype: entry.dtype)
    guard !entry.place.isEmpty else { return tensor }
    let memory = UnsafeMutableRawBufferPointer(
      start: tensor.object.pointee.data, count: entry.place.count)
    try file.read(into: memory, at: entry.place.lowerBound)
    // A byte that is neither 0 nor 1 would not be a bool.
    if entry.dtype == .bool { for place in memory.indices where memory[place] > 1 { memory[place] = 1 } }
    return tensor
  }

  /// Carries the checksum, where there is one, over a part of the file that nobody wants.
  private func pass(_ place: Range<Int>, _ checksum: inout UInt32) throws {
    guard isChecksummed else { return }
    var position = place.lowerBound
    while position < place.upperBound {
      let bytes = try file.read(min(1 << 20, place.upperBound - position), at: position)
      checksum = ks_crc32c(checksum, bytes, bytes.count)
      position += bytes.count
    }
  }
}
