// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// The sizes of a tensor's axes, at most eight of them, held in place: making a shape allocates nothing.
public struct Shape: RandomAccessCollection, MutableCollection, ExpressibleByArrayLiteral, Sendable {
  var sizes: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
  /// The number of axes.
  public private(set) var count = 0

  /// The largest number of axes.
  public static let maximumCount = Int(KS_MAX_RANK)

  /// The shape of a scalar.
  public init() {}

  /// The shape with the given sizes, of which there may be at most eight.
  public init<S: Sequence>(_ sizes: S) where S.Element == Int {
    for size in sizes { append(size) }
  }

  /// The shape of a vector, made without the array that a literal is.
  init(_ size: Int) { append(size) }

  /// The shape of a matrix, made without the array that a literal is.
  init(_ rows: Int, _ columns: Int) {
    append(rows)
    append(columns)
  }

  /// The shape with three axes, made without the array that a literal is.
  init(_ first: Int, _ second: Int, _ third: Int) {
    self.init(first, second)
    append(third)
  }

  /// The shape with the given sizes.
  public init(arrayLiteral sizes: Int...) { self.init(sizes) }

  /// The shape with `count` axes of one size.
  public init(repeating size: Int, count: Int) {
    for _ in 0..<count { append(size) }
  }

  init(object: UnsafeMutablePointer<KSTensor>) {
    count = Int(object.pointee.rank)
    sizes = unsafeBitCast(object.pointee.shape, to: type(of: sizes))
  }

  /// Adds an axis at the end.
  public mutating func append(_ size: Int) {
    if count >= Self.maximumCount { Self.tooManyAxes() }
    count += 1
    self[count - 1] = size
  }

  /// The first index, 0.
  public var startIndex: Int { 0 }
  /// The number of axes.
  public var endIndex: Int { count }

  /// The size of an axis.
  public subscript(axis: Int) -> Int {
    get {
      if axis < 0 || axis >= count { noAxis(axis) }
      return withUnsafeBytes(of: sizes) { $0.loadUnaligned(fromByteOffset: axis * 8, as: Int.self) }
    }
    set {
      if axis < 0 || axis >= count { noAxis(axis) }
      withUnsafeMutableBytes(of: &sizes) { $0.storeBytes(of: newValue, toByteOffset: axis * 8, as: Int.self) }
    }
  }

  /// The number of elements of a tensor of this shape.
  public var elementCount: Int {
    var product = 1
    for axis in 0..<count {
      let (next, overflows) = product.multipliedReportingOverflow(by: self[axis])
      if overflows { hasTooManyElements() }
      product = next
    }
    return product
  }

  // The messages stand apart from the checks, which are everywhere and must stay small.

  @inline(never)
  private func noAxis(_ axis: Int) -> Never {
    preconditionFailure("axis \(axis) of a shape with \(count) axes")
  }

  @inline(never)
  private func hasTooManyElements() -> Never {
    preconditionFailure("shape \(self) has more elements than can be counted")
  }

  @inline(never)
  private static func tooManyAxes() -> Never {
    preconditionFailure("a tensor has at most \(maximumCount) axes")
  }

  /// The strides, in elements, of a contiguous tensor of this shape.
  var rowMajorStrides: Shape {
    var strides = self
    var stride = 1
    for axis in (0..<count).reversed() {
      strides[axis] = stride
      stride *= self[axis]
    }
    return strides
  }

  /// The shape without one of its axes.
  public func removing(at axis: Int) -> Shape {
    precondition(axis >= 0 && axis < count, "axis \(axis) of a shape with \(count) axes")
    var result = Shape()
    for other in 0..<count where other != axis { result.append(self[other]) }
    return result
  }

  /// The shape with a further axis, before the one that has its place now.
  public func inserting(_ size: Int, at axis: Int) -> Shape {
    precondition(axis >= 0 && axis <= count, "axis \(axis) of a shape with \(count + 1) axes")
    var result = Shape()
    for other in 0...count {
      if other == axis { result.append(size) }
      if other < count { result.append(self[other]) }
    }
    return result
  }

  /// The shape with one axis of another size.
  public func replacing(at axis: Int, with size: Int) -> Shape {
    var result = self
    result[axis] = size
    return result
  }

  /// The sizes as C's 64-bit integers.
  func withSizes<Result>(_ body: (UnsafePointer<Int64>) -> Result) -> Result {
    withUnsafeBytes(of: sizes) { body($0.baseAddress!.assumingMemoryBound(to: Int64.self)) }
  }

  /// The shape that two operands broadcast to by NumPy's rule, or nil when they do not fit.
  public func broadcast(with other: Shape) -> Shape? {
    let (longer, shorter) = count >= other.count ? (self, other) : (other, self)
    var result = longer
    let missing = longer.count - shorter.count
    for axis in 0..<shorter.count {
      let (a, b) = (longer[axis + missing], shorter[axis])
      guard a == b || a == 1 || b == 1 else { return nil }
      result[axis + missing] = a == 1 ? b : a
    }
    return result
  }
}

extension Shape: Hashable {
  /// True when the shapes have the same sizes in the same order.
  public static func == (a: Shape, b: Shape) -> Bool {
    guard a.count == b.count else { return false }
    for axis in 0..<a.count where a[axis] != b[axis] { return false }
    return true
  }

  /// Feeds the sizes to the hasher.
  public func hash(into hasher: inout Hasher) {
    for size in self { hasher.combine(size) }
  }
}

extension Shape: CustomStringConvertible {
  /// The sizes as in `[2, 3]`.
  public var description: String { "[" + map(String.init).joined(separator: ", ") + "]" }
}
