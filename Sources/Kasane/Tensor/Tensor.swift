// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// An array of numbers with any number of axes (up to eight).
///
/// A tensor is a value: nothing that is done to one shows in another. Slices, transposes and reshapes of
/// contiguous tensors are views that share their elements without copying. Tensors can be passed between
/// threads and tasks freely.
public struct Tensor: Sendable {
  private(set) var box: TensorBox

  /// Header and elements as C sees them, valid while the tensor is held: take it of a variable or a parameter, never
  /// of the result of a call, which would be gone before the pointer is used.
  var object: UnsafeMutablePointer<KSTensor> { box.object }

  /// A tensor with unset elements, to be filled by an engine.
  init(unsetWithShape shape: Shape, dtype: DType) {
    let made = shape.withSizes { ks_tensor_make(dtype.rawValue, 0, Int32(shape.count), $0) }
    guard let made else { Self.cannotMake(shape, dtype) }
    box = TensorBox.holding(made)
  }

  private static func cannotMake(_ shape: Shape, _ dtype: DType) -> Never {
    precondition(!shape.contains { $0 < 0 }, "a tensor of shape \(shape), which has a negative size")
    fatalError("out of memory: no room for a tensor of shape \(shape), \(dtype)")
  }

  /// A tensor with the shape and element type of another, its elements unset.
  init(unsetLike other: Tensor) {
    guard let made = ks_tensor_make_like(other.object) else { Self.cannotMake(other.shape, other.dtype) }
    box = TensorBox.holding(made)
  }

  /// A matrix with unset elements.
  init(unsetMatrix rows: Int64, _ columns: Int64, dtype: UInt8) {
    let made = withUnsafeTemporaryAllocation(of: Int64.self, capacity: 2) { sizes in
      (sizes[0], sizes[1]) = (rows, columns)
      return ks_tensor_make(dtype, 0, 2, sizes.baseAddress!)
    }
    guard let made else { fatalError("out of memory: no room for a matrix of \(rows) by \(columns)") }
    box = TensorBox.holding(made)
  }

  init(box: TensorBox) { self.box = box }

  /// A tensor with the given elements in row-major order. Their number must be the shape's.
  public init<Element: TensorElement>(_ elements: [Element], shape: Shape) {
    precondition(
      elements.count == shape.elementCount,
      "\(elements.count) elements do not make a tensor of shape \(shape)")
    self.init(unsetWithShape: shape, dtype: Element.dtype)
    elements.withUnsafeBytes {
      if let base = $0.baseAddress { object.pointee.data!.copyMemory(from: base, byteCount: $0.count) }
    }
  }

  /// A tensor with one axis.
  public init<Element: TensorElement>(_ elements: [Element]) { self.init(elements, shape: [elements.count]) }

  /// A tensor without axes: one number.
  public init<Element: TensorElement>(_ value: Element) { self.init([value], shape: []) }

  /// A tensor whose elements all have one value.
  public init(repeating value: Double, shape: Shape, dtype: DType = .float32) {
    self.init(unsetWithShape: shape, dtype: dtype)
    engine.fill(self, with: value)
  }

  /// A tensor of zeros.
  public init(zeros shape: Shape, dtype: DType = .float32) {
    self.init(repeating: 0, shape: shape, dtype: dtype)
  }

  /// A tensor of ones.
  public init(ones shape: Shape, dtype: DType = .float32) {
    self.init(repeating: 1, shape: shape, dtype: dtype)
  }

  /// Calls `fill` with the memory of a new tensor's elements, in row-major order; it must set every one.
  public init<Element: TensorElement>(
    shape: Shape, of type: Element.Type, fill: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows {
    self.init(unsetWithShape: shape, dtype: Element.dtype)
    let count = shape.elementCount
    let memory = object.pointee.data!.assumingMemoryBound(to: Element.self)
    try fill(UnsafeMutableBufferPointer(start: memory, count: count))
  }

  /// The sizes of the axes.
  public var shape: Shape { Shape(object: object) }
  /// The number of axes.
  public var rank: Int { Int(object.pointee.rank) }
  /// The type of the elements.
  public var dtype: DType { DType(rawValue: object.pointee.dtype)! }
  /// The number of elements.
  public var elementCount: Int { shape.elementCount }
  /// Whether the elements lie in row-major order without gaps.
  public var isContiguous: Bool { object.pointee.contiguous }

  /// The same values in row-major order without gaps: this tensor itself where it already is so.
  func contiguous() -> Tensor {
    if isContiguous { return self }
    let copy = Tensor(unsetLike: self)
    copy.fill(from: self)
    return copy
  }

  /// The elements in row-major order. The element type must be the tensor's.
  public func elements<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element] {
    withElements(of: type) { Array($0) }
  }

  /// Calls `body` with the elements in row-major order. The element type must be the tensor's.
  public func withElements<Element: TensorElement, Result>(
    of type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    precondition(dtype == Element.dtype, "a \(dtype) tensor read as \(Element.dtype)")
    let source = contiguous()
    let memory = UnsafePointer(source.object.pointee.data!.assumingMemoryBound(to: Element.self))
    defer { withExtendedLifetime(source) {} }
    return try body(UnsafeBufferPointer(start: memory, count: elementCount))
  }

  /// The value of a tensor with a single element.
  public var scalar: Double {
    precondition(elementCount == 1, "scalar of a tensor of shape \(shape)")
    return engine.scalar(self)
  }

  /// Whether every element is neither infinite nor NaN.
  public var isFinite: Bool { engine.isFinite(self) }

  /// Whether the elements belong to this variable alone, so that they can be changed in place. Small tensors may
  /// say no although nobody else uses them.
  mutating func holdsElementsAlone() -> Bool {
    isKnownUniquelyReferenced(&box) && box.owner == nil && box.preparedValues == nil
  }

  /// Overwrites the elements by those of `x`, broadcast and converted. Only for a tensor that nobody else sees yet.
  func fill(from x: Tensor) { engine.copy(x, into: self) }

  /// The elements converted to another type. Numbers too large for a whole-number type become its largest.
  public func cast(to dtype: DType) -> Tensor {
    if dtype == self.dtype { return self }
    let result = Tensor(unsetWithShape: shape, dtype: dtype)
    result.fill(from: self)
    return recorded(.cast, result, self, saving: ghostIfRecording) { step in
      step.add(step.gradient.cast(to: step[0].dtype), to: 0)
    }
  }

  /// The shape and type alone, for a pullback that needs no elements; nil while nothing is recorded.
  var ghostIfRecording: Tensor? {
    Tape.recording == nil ? nil : Tensor(box: TensorBox.holding(ks_tensor_ghost(object)!))
  }

  /// Whether both are one value in one place, on the tape too.
  func isSame(as other: Tensor) -> Bool { box === other.box }

  /// Whether the tensor has the given shape.
  @inline(__always)
  func hasShape(_ shape: Shape) -> Bool {
    shape.withSizes { ks_tensor_has_shape(object, Int32(shape.count), $0) }
  }
}

/// Memory that tensors use.
public enum Memory {
  /// Bytes that the pool of tensors holds, in use or kept for the next tensor.
  public static var pooledBytes: Int { Int(ks_pool_bytes()) }
  /// The most bytes that the pool has held.
  public static var peakBytes: Int { Int(ks_pool_peak_bytes()) }
  /// How often the calling thread has made the pool ask the system for memory: constant in a training loop's
  /// steady state.
  public static var systemAllocations: Int { Int(ks_pool_system_allocations()) }
}
