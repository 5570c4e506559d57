// SPDX-License-Identifier: Apache-2.0

/// What the reference engine computes with: Double for elements of floating-point types, Int64 for all others.
protocol ReferenceNumber: Comparable {
  init(_ value: Double)
  init(_ value: Int64)
  var real: Double { get }
  /// The nearest whole number that an Int64 can be; 0 for NaN.
  var whole: Int64 { get }
  var isNaN: Bool { get }
  static func + (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func apply(_ primitive: UnaryPrimitive, _ x: Self) -> Self?
  static func apply(_ primitive: BinaryPrimitive, _ a: Self, _ b: Self) -> Self?
}

extension Double: ReferenceNumber {
  var real: Double { self }
  var whole: Int64 { isNaN ? 0 : self >= 0x1p63 ? .max : self <= -0x1p63 ? .min : Int64(self) }
}

/// A whole number whose arithmetic wraps around.
struct ReferenceWhole: ReferenceNumber {
  let whole: Int64
  var real: Double { Double(whole) }
  var isNaN: Bool { false }

  init(_ value: Double) { whole = value.whole }
  init(_ value: Int64) { whole = value }

  static func < (a: Self, b: Self) -> Bool { a.whole < b.whole }
  static func + (a: Self, b: Self) -> Self { Self(a.whole &+ b.whole) }
  static func * (a: Self, b: Self) -> Self { Self(a.whole &* b.whole) }
}

extension DType {
  var number: any ReferenceNumber.Type { isFloatingPoint ? Double.self : ReferenceWhole.self }

  /// The smallest and largest whole number of a type that holds whole numbers only.
  fileprivate var wholeRange: ClosedRange<Int64> {
    switch self {
    case .int8: -128...127
    case .uint8: 0...255
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .bool: 0...1
    default: .min ... .max
    }
  }
}

// The one place that knows where elements lie and how their types are written.
extension Tensor {
  /// Where the elements of the tensor, broadcast to `shape`, lie, counted from its first; in row-major order.
  func places(in shape: Shape) -> [Int] {
    if isContiguous && shape == self.shape { return Array(0..<elementCount) }
    var places = [0]
    places.reserveCapacity(shape.elementCount)
    let missing = shape.count - rank
    let strides = withUnsafeBytes(of: object.pointee.strides) { Array($0.bindMemory(to: Int.self)) }
    for axis in 0..<shape.count {
      let stride = axis < missing || self.shape[axis - missing] == 1 ? 0 : strides[axis - missing]
      places = places.flatMap { place in (0..<shape[axis]).map { place + $0 * stride } }
    }
    return places
  }

  /// The elements in row-major order, broadcast to `shape`, its own where nil.
  func numbers<N: ReferenceNumber>(_ type: N.Type = N.self, in shape: Shape? = nil) -> [N] {
    let places = places(in: shape ?? self.shape)
    let data = object.pointee.data!
    func read<Element>(_ type: Element.Type, _ number: (Element) -> N) -> [N] {
      let memory = data.assumingMemoryBound(to: Element.self)
      return places.map { number(memory[$0]) }
    }
    defer { withExtendedLifetime(self) {} }
    switch dtype {
    case .float32: return read(Float.self) { N(Double($0)) }
    case .float64: return read(Double.self) { N($0) }
    case .bfloat16: return read(UInt16.self) { N(Double(Float(bitPattern: UInt32($0) << 16))) }
    case .float16: return read(UInt16.self) { N(Self.halfValue($0)) }
    case .int8: return read(Int8.self) { N(Int64($0)) }
    case .uint8, .bool: return read(UInt8.self) { N(Int64($0)) }
    case .int32: return read(Int32.self) { N(Int64($0)) }
    case .int64: return read(Int64.self) { N($0) }
    }
  }

  /// Overwrites the elements by numbers in row-major order, rounded to the tensor's type. Whole numbers that the type
  /// does not have wrap around, as arithmetic does, or become its nearest where `clamping`.
  func set<N: ReferenceNumber>(_ numbers: [N], clamping: Bool = false) {
    let places = places(in: shape)
    let data = object.pointee.data!
    let range = dtype.wholeRange
    func write<Element>(_ type: Element.Type, _ element: (N) -> Element) {
      let memory = data.assumingMemoryBound(to: Element.self)
      for (place, number) in zip(places, numbers) { memory[place] = element(number) }
    }
    func whole(_ number: N) -> Int64 {
      clamping ? Swift.min(Swift.max(number.whole, range.lowerBound), range.upperBound) : number.whole
    }
    defer { withExtendedLifetime(self) {} }
    switch dtype {
    case .float32: write(Float.self) { Float($0.real) }
    case .float64: write(Double.self) { $0.real }
    case .bfloat16: write(UInt16.self) { Self.upperHalf(Float($0.real)) }
    case .float16: write(UInt16.self) { Self.half($0.real) }
    case .int8: write(Int8.self) { Int8(truncatingIfNeeded: whole($0)) }
    case .uint8: write(UInt8.self) { UInt8(truncatingIfNeeded: whole($0)) }
    case .int32: write(Int32.self) { Int32(truncatingIfNeeded: whole($0)) }
    case .int64: write(Int64.self) { whole($0) }
    case .bool: write(UInt8.self) { $0.real == 0 ? 0 : 1 }
    }
  }

  /// A new tensor of the numbers in row-major order.
  init<N: ReferenceNumber>(numbers: [N], shape: Shape, dtype: DType) {
    self.init(unsetWithShape: shape, dtype: dtype)
    set(numbers)
  }

  /// The bits of a bfloat16: the upper half of a float's, rounded to nearest, ties to even.
  private static func upperHalf(_ value: Float) -> UInt16 {
    guard !value.isNaN else { return 0x7fc0 }
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
  }

  // Swift's Float16 does not exist on every machine.

  /// The value of a half's bits: sign, five bits of exponent, ten of fraction.
  private static func halfValue(_ bits: UInt16) -> Double {
    let exponent = Int(bits >> 10 & 31), fraction = Double(bits & 1023) / 1024
    let magnitude: Double =
      switch exponent {
      case 0: fraction * 0x1p-14
      case 31: fraction == 0 ? .infinity : .nan
      default: (1 + fraction) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
      }
    return bits >> 15 == 0 ? magnitude : -magnitude
  }

  /// The bits of the half nearest to a value, ties to even.
  private static func half(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let magnitude = value.magnitude
    guard !value.isNaN else { return 0x7e00 }
    guard magnitude < 65520 else { return sign | 0x7c00 }
    // In units of the last bit; a carry goes into the exponent by itself.
    let exponent = magnitude < 0x1p-14 ? -14 : Int(magnitude.exponent)
    let units = (magnitude * Double(sign: .plus, exponent: 10 - exponent, significand: 1)).rounded(
      .toNearestOrEven)
    return sign | UInt16(Int(units) + (exponent + 14) << 10)
  }
}
