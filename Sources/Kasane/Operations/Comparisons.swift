// SPDX-License-Identifier: Apache-2.0

// The operators are those by which Swift's SIMD types compare lane by lane. No gradient flows through a truth value.

extension Tensor {
  /// Where the elements are equal, as bool, with NumPy's broadcasting. NaN equals nothing.
  public static func .== (a: Tensor, b: Tensor) -> Tensor { engine.compare(.equal, a, b) }
  /// Where the elements differ, as bool, with NumPy's broadcasting.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor { engine.compare(.notEqual, a, b) }
  /// Where the left element is the smaller, as bool, with NumPy's broadcasting.
  public static func .< (a: Tensor, b: Tensor) -> Tensor { engine.compare(.less, a, b) }
  /// Where the left element is no larger, as bool, with NumPy's broadcasting.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor { engine.compare(.lessOrEqual, a, b) }
  /// Where the left element is the larger, as bool, with NumPy's broadcasting.
  public static func .> (a: Tensor, b: Tensor) -> Tensor { engine.compare(.greater, a, b) }
  /// Where the left element is no smaller, as bool, with NumPy's broadcasting.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor { engine.compare(.greaterOrEqual, a, b) }

  /// Where an element equals a number, as bool.
  public static func .== (a: Tensor, b: Double) -> Tensor { a.compared(.equal, b) }
  /// Where an element differs from a number, as bool.
  public static func .!= (a: Tensor, b: Double) -> Tensor { a.compared(.notEqual, b) }
  /// Where an element is below a number, as bool.
  public static func .< (a: Tensor, b: Double) -> Tensor { a.compared(.less, b) }
  /// Where an element is a number or below it, as bool.
  public static func .<= (a: Tensor, b: Double) -> Tensor { a.compared(.lessOrEqual, b) }
  /// Where an element is above a number, as bool.
  public static func .> (a: Tensor, b: Double) -> Tensor { a.compared(.greater, b) }
  /// Where an element is a number or above it, as bool.
  public static func .>= (a: Tensor, b: Double) -> Tensor { a.compared(.greaterOrEqual, b) }

  private func compared(_ primitive: ComparisonPrimitive, _ value: Double) -> Tensor {
    if dtype.canHold(value) { return engine.compare(primitive, self, number(value)) }
    // Whole numbers against 0.5 or 1e30, say: float64 holds both sides.
    let x = withoutGradient { cast(to: .float64) }
    return engine.compare(primitive, x, x.number(value))
  }

  // MARK: Truth values

  /// Where a truth value is false.
  public static prefix func .! (x: Tensor) -> Tensor {
    x.requireBool("logical not")
    return engine.compare(.equal, x, x.number(0))
  }

  /// Where both truth values are true, with NumPy's broadcasting.
  public static func .& (a: Tensor, b: Tensor) -> Tensor {
    a.requireBool("logical and", b)
    return engine.select(a, b, b.number(0))
  }

  /// Where at least one of two truth values is true, with NumPy's broadcasting.
  public static func .| (a: Tensor, b: Tensor) -> Tensor {
    a.requireBool("logical or", b)
    return engine.select(a, a.number(1), b)
  }

  /// Where exactly one of two truth values is true, with NumPy's broadcasting.
  public static func .^ (a: Tensor, b: Tensor) -> Tensor {
    a.requireBool("logical exclusive or", b)
    return engine.compare(.notEqual, a, b)
  }

  private func requireBool(_ operation: String, _ other: Tensor? = nil) {
    let other = other ?? self
    precondition(
      dtype == .bool && other.dtype == .bool,
      "\(operation): \(dtype == .bool ? other.dtype : dtype) where bool is needed")
    precondition(
      shape.broadcast(with: other.shape) != nil,
      "\(operation): shapes \(shape) and \(other.shape) do not broadcast")
  }

  // MARK: Choice

  /// The elements of `a` where `condition`, of type bool, is true, and those of `b` elsewhere; the three shapes
  /// broadcast as NumPy's do. The gradient of an element goes to the one chosen.
  public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(condition.dtype == .bool, "where: a condition of type \(condition.dtype), not bool")
    precondition(a.dtype == b.dtype, "where: \(a.dtype) with \(b.dtype); cast one of them")
    precondition(
      a.shape.broadcast(with: b.shape)?.broadcast(with: condition.shape) != nil,
      "where: shapes \(condition.shape), \(a.shape) and \(b.shape) do not broadcast")
    return recorded(.choice, engine.select(condition, a, b), a, b, saving: condition) { step in
      step.add(Tensor.where(step[0], step.gradient, 0), to: 0)
      step.add(Tensor.where(step[0], 0, step.gradient), to: 1)
    }
  }

  /// The elements of `a` where `condition`, of type bool, is true, and a number elsewhere.
  public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Double) -> Tensor {
    Tensor.where(condition, a, a.number(b))
  }

  /// A number where `condition`, of type bool, is true, and the elements of `b` elsewhere.
  public static func `where`(_ condition: Tensor, _ a: Double, _ b: Tensor) -> Tensor {
    Tensor.where(condition, b.number(a), b)
  }
}

/// Where an element is not a number, as bool.
public func isNaN(_ x: Tensor) -> Tensor { engine.compare(.notEqual, x, x) }

/// Where an element is infinite, as bool.
public func isInfinite(_ x: Tensor) -> Tensor {
  withoutGradient { x.dtype.isFloatingPoint ? abs(x) .== .infinity : x .!= x }
}

/// Where an element is neither infinite nor NaN, as bool. `x.isFinite` tells whether all are.
public func isFinite(_ x: Tensor) -> Tensor {
  withoutGradient { x.dtype.isFloatingPoint ? abs(x) .< .infinity : x .== x }
}

extension DType {
  /// Whether a number is one that elements of this type are compared with as it is: any for a floating-point type,
  /// else one that the type has.
  fileprivate func canHold(_ value: Double) -> Bool {
    switch self {
    case .float32, .float64, .bfloat16, .float16: true
    case .int8: Int8(exactly: value) != nil
    case .uint8: UInt8(exactly: value) != nil
    case .int32: Int32(exactly: value) != nil
    case .int64: Int64(exactly: value) != nil
    case .bool: value == 0 || value == 1
    }
  }
}
