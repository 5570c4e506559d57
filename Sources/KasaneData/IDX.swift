// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// An array in the IDX format (Yann LeCun, "The MNIST database"): two zero bytes, a byte for the element type, a byte
/// for the number of dimensions, the dimensions as 32-bit whole numbers, and the elements in row-major order;
/// everything in big-endian order.
public struct IDX: Equatable, Sendable {
  /// What an element is; the raw value is the format's code.
  public enum ElementType: UInt8, CaseIterable, Sendable {
    case uint8 = 0x08
    case int8 = 0x09
    case int16 = 0x0B
    case int32 = 0x0C
    case float32 = 0x0D
    case float64 = 0x0E

    /// Bytes of one element.
    public var size: Int {
      switch self {
      case .uint8, .int8: 1
      case .int16: 2
      case .int32, .float32: 4
      case .float64: 8
      }
    }
  }

  /// What precedes the elements.
  public struct Header: Equatable, Sendable, CustomStringConvertible {
    /// The type of the elements.
    public let elementType: ElementType
    /// The dimensions, at most 255 of them, each below 2^32.
    public let dimensions: [Int]

    /// Such as `[60000, 28, 28] uint8`.
    public var description: String { "\(dimensions) \(elementType)" }
  }

  /// The type and the dimensions.
  public let header: Header
  /// The elements as the format has them: row-major and big-endian.
  public let bytes: [UInt8]

  /// The type of the elements.
  public var elementType: ElementType { header.elementType }
  /// The dimensions.
  public var dimensions: [Int] { header.dimensions }

  /// An array of elements in the format's order. Their number must be the dimensions'.
  public init(_ elementType: ElementType, dimensions: [Int], bytes: [UInt8]) {
    precondition(
      dimensions.count <= 255 && dimensions.allSatisfy { $0 >= 0 && $0 <= UInt32.max },
      "IDX: dimensions \(dimensions), at most 255 of them and each below 2^32 expected")
    header = Header(elementType: elementType, dimensions: dimensions)
    precondition(
      header.byteCount == bytes.count, "IDX: \(bytes.count) bytes do not make an array of \(header)")
    self.bytes = bytes
  }

  init(header: Header, bytes: [UInt8]) {
    self.header = header
    self.bytes = bytes
  }

  // MARK: Tensors

  /// A tensor's elements. They must be of a type that the format has: uint8, int8, int32, float32 or float64.
  public init(_ tensor: Tensor) {
    func bytes<Element: TensorElement>(_ type: Element.Type, _ body: (Element) -> [UInt8]) -> [UInt8] {
      tensor.withElements(of: type) { $0.flatMap(body) }
    }
    func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
      withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
    let dimensions = Array(tensor.shape)
    switch tensor.dtype {
    case .uint8: self.init(.uint8, dimensions: dimensions, bytes: tensor.elements(as: UInt8.self))
    case .int8:
      self.init(.int8, dimensions: dimensions, bytes: bytes(Int8.self) { [UInt8(bitPattern: $0)] })
    case .int32: self.init(.int32, dimensions: dimensions, bytes: bytes(Int32.self, bigEndian))
    case .float32:
      self.init(
        .float32, dimensions: dimensions, bytes: bytes(Float.self) { bigEndian($0.bitPattern) })
    case .float64:
      self.init(
        .float64, dimensions: dimensions, bytes: bytes(Double.self) { bigEndian($0.bitPattern) })
    default: preconditionFailure("IDX: the format has no type for \(tensor.dtype)")
    }
  }

  /// The elements as a tensor of their type, int16 as int32. Throws where there are more dimensions than a tensor has
  /// axes.
  public func tensor() throws -> Tensor {
    guard dimensions.count <= Shape.maximumCount else {
      throw KasaneError(
        "an IDX array of \(dimensions.count) dimensions, at most \(Shape.maximumCount) expected for a tensor")
    }
    let shape = Shape(dimensions)
    switch elementType {
    case .uint8: return Tensor(bytes, shape: shape)
    case .int8: return Tensor(bytes.map { Int8(bitPattern: $0) }, shape: shape)
    case .int16: return Tensor(numbers(Int16.self).map { Int32($0) }, shape: shape)
    case .int32: return Tensor(numbers(Int32.self), shape: shape)
    case .float32: return Tensor(numbers(UInt32.self).map { Float(bitPattern: $0) }, shape: shape)
    case .float64: return Tensor(numbers(UInt64.self).map { Double(bitPattern: $0) }, shape: shape)
    }
  }

  private func numbers<Number: FixedWidthInteger>(_ type: Number.Type) -> [Number] {
    bytes.withUnsafeBytes { memory in
      (0..<memory.count / MemoryLayout<Number>.size).map {
        let place = $0 * MemoryLayout<Number>.size
        return Number(bigEndian: memory.loadUnaligned(fromByteOffset: place, as: Number.self))
      }
    }
  }
}

extension IDX.Header {
  /// Bytes before the elements.
  var size: Int { 4 + 4 * dimensions.count }

  /// Bytes of all elements, or nil where no file could hold them.
  var byteCount: Int? {
    var count = elementType.size
    // Also where a dimension is 0 the others have to make sense together.
    for dimension in dimensions where dimension > 0 {
      let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
      if overflow { return nil }
      count = product
    }
    return dimensions.contains(0) ? 0 : count
  }
}
