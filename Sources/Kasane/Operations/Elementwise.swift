// SPDX-License-Identifier: Apache-2.0

// Broadcasting needs no care here: the tape sums a gradient over the axes along which its operand was
// broadcast.

extension Tensor {
  /// The sum, element by element, with NumPy's broadcasting.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    if let (a, b) = a.widened(with: b) { return a + b }
    return recorded(.add, engine.binary(.add, a, b), a, b) { step in
      step.add(step.gradient, to: 0)
      step.add(step.gradient, to: 1)
    }
  }

  /// The difference, element by element, with NumPy's broadcasting.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    if let (a, b) = a.widened(with: b) { return a - b }
    return recorded(.subtract, engine.binary(.subtract, a, b), a, b) { step in
      step.add(step.gradient, to: 0)
      step.add(-step.gradient, to: 1)
    }
  }

  /// The product, element by element, with NumPy's broadcasting.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    if let (a, b) = a.widened(with: b) { return a * b }
    return recorded(.multiply, engine.binary(.multiply, a, b), a, b, saving: a, b) { step in
      step.add(step.gradient * step[1], to: 0)
      step.add(step.gradient * step[0], to: 1)
    }
  }

  /// The quotient, element by element, with NumPy's broadcasting.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    if let (a, b) = a.widened(with: b) { return a / b }
    let y = engine.binary(.divide, a, b)
    return recorded(.divide, y, a, b, saving: b, y) { step in
      step.add(step.gradient / step[0], to: 0)
      step.add(-(step.gradient * step[1] / step[0]), to: 1)
    }
  }

  /// Both as float32 where one is that and the other bfloat16; nil where nothing has to be done, or can be.
  @inline(__always)
  func widened(with other: Tensor) -> (Tensor, Tensor)? {
    object.pointee.dtype == other.object.pointee.dtype ? nil : reallyWidened(with: other)
  }

  private func reallyWidened(with other: Tensor) -> (Tensor, Tensor)? {
    switch (dtype, other.dtype) {
    case (.bfloat16, .float32): (cast(to: .float32), other)
    case (.float32, .bfloat16): (self, other.cast(to: .float32))
    default: nil
    }
  }

  /// Each element with the other sign.
  public static prefix func - (x: Tensor) -> Tensor {
    recorded(.negate, engine.unary(.negate, x), x) { step in step.add(-step.gradient, to: 0) }
  }

  /// The number as a tensor without axes, of this tensor's type, so that it broadcasts.
  func number(_ value: Double) -> Tensor { Tensor(repeating: value, shape: Shape(), dtype: dtype) }

  /// The sum of each element and a number.
  public static func + (a: Tensor, b: Double) -> Tensor { a + a.number(b) }
  /// The difference of each element and a number.
  public static func - (a: Tensor, b: Double) -> Tensor { a - a.number(b) }
  /// The product of each element and a number.
  public static func * (a: Tensor, b: Double) -> Tensor { a * a.number(b) }
  /// The quotient of each element and a number.
  public static func / (a: Tensor, b: Double) -> Tensor { a / a.number(b) }
  /// The sum of a number and each element.
  public static func + (a: Double, b: Tensor) -> Tensor { b + b.number(a) }
  /// The difference of a number and each element.
  public static func - (a: Double, b: Tensor) -> Tensor { b.number(a) - b }
  /// The product of a number and each element.
  public static func * (a: Double, b: Tensor) -> Tensor { b * b.number(a) }
  /// The quotient of a number and each element.
  public static func / (a: Double, b: Tensor) -> Tensor { b.number(a) / b }

  /// Adds another tensor, broadcast to this one's shape.
  public static func += (a: inout Tensor, b: Tensor) { a = (a + b).keeping(a.shape, "+=", b) }
  /// Subtracts another tensor, broadcast to this one's shape.
  public static func -= (a: inout Tensor, b: Tensor) { a = (a - b).keeping(a.shape, "-=", b) }
  /// Multiplies by another tensor, broadcast to this one's shape.
  public static func *= (a: inout Tensor, b: Tensor) { a = (a * b).keeping(a.shape, "*=", b) }
  /// Divides by another tensor, broadcast to this one's shape.
  public static func /= (a: inout Tensor, b: Tensor) { a = (a / b).keeping(a.shape, "/=", b) }
  /// Adds a number.
  public static func += (a: inout Tensor, b: Double) { a = a + b }
  /// Subtracts a number.
  public static func -= (a: inout Tensor, b: Double) { a = a - b }
  /// Multiplies by a number.
  public static func *= (a: inout Tensor, b: Double) { a = a * b }
  /// Divides by a number.
  public static func /= (a: inout Tensor, b: Double) { a = a / b }

  /// This tensor, which has to have the shape of what it replaces: assigning must not broadcast it.
  private func keeping(_ shape: Shape, _ operation: String, _ b: Tensor) -> Tensor {
    precondition(hasShape(shape), "\(operation): shape \(b.shape) does not broadcast to \(shape)")
    return self
  }
}

/// The magnitude of each element; its derivative at zero is taken as 0.
public func abs(_ x: Tensor) -> Tensor {
  recorded(.absolute, engine.unary(.absolute, x), x, saving: x) { step in
    step.add(step.gradient * sign(step[0]), to: 0)
  }
}

// Functions that are constant between their jumps have the derivative 0 and are not recorded.

/// -1, 0 or 1 as each element is negative, zero or positive. No gradient flows through it.
public func sign(_ x: Tensor) -> Tensor { engine.unary(.sign, x) }

/// The largest whole number that is no larger than each element. No gradient flows through it.
public func floor(_ x: Tensor) -> Tensor { x.dtype.isFloatingPoint ? engine.unary(.floor, x) : x }

/// The smallest whole number that is no smaller than each element. No gradient flows through it.
public func ceil(_ x: Tensor) -> Tensor { x.dtype.isFloatingPoint ? engine.unary(.ceiling, x) : x }

/// The whole number nearest to each element, the even one of two that are equally near. No gradient flows
/// through it.
public func round(_ x: Tensor) -> Tensor { x.dtype.isFloatingPoint ? engine.unary(.round, x) : x }

/// The larger of each pair of elements, with NumPy's broadcasting. Where both are equal each gets half of the
/// gradient. NaN beats every number.
public func maximum(_ a: Tensor, _ b: Tensor) -> Tensor {
  recorded(.maximum, engine.binary(.maximum, a, b), a, b, saving: a, b) { step in
    step.add(step.gradient * shareUnlessBelow(step[0], step[1]), to: 0)
    step.add(step.gradient * shareUnlessBelow(step[1], step[0]), to: 1)
  }
}

/// The smaller of each pair of elements, with NumPy's broadcasting. Where both are equal each gets half of the
/// gradient. NaN beats every number.
public func minimum(_ a: Tensor, _ b: Tensor) -> Tensor {
  recorded(.minimum, engine.binary(.minimum, a, b), a, b, saving: a, b) { step in
    step.add(step.gradient * shareUnlessBelow(-step[0], -step[1]), to: 0)
    step.add(step.gradient * shareUnlessBelow(-step[1], -step[0]), to: 1)
  }
}

/// 0 where a < b, 1/2 where both are equal, else 1.
private func shareUnlessBelow(_ a: Tensor, _ b: Tensor) -> Tensor {
  withoutGradient { 1 - 0.5 * ((a .< b).cast(to: a.dtype) + (a .<= b).cast(to: a.dtype)) }
}

/// What remains of each element of `a` divided by that of `b`, `a - b * floor(a / b)`: it has the sign of `b`.
public func remainder(_ a: Tensor, _ b: Tensor) -> Tensor {
  recorded(.remainder, engine.binary(.remainder, a, b), a, b, saving: a, b) { step in
    step.add(step.gradient, to: 0)
    step.add(-(step.gradient * floor(step[0] / step[1])), to: 1)
  }
}

/// What remains of each element of `a` divided by `b`, with the sign of `b`.
public func remainder(_ a: Tensor, _ b: Double) -> Tensor { remainder(a, a.number(b)) }

/// The number on the way from `a` to `b`, `a + weight (b - a)`.
public func lerp(_ a: Tensor, _ b: Tensor, weight: Tensor) -> Tensor { a + weight * (b - a) }

/// The number on the way from `a` to `b`, `a + weight (b - a)`.
public func lerp(_ a: Tensor, _ b: Tensor, weight: Double) -> Tensor { a + weight * (b - a) }

extension Tensor {
  /// The elements below `min` replaced by it and those above `max` by that; either may be absent. No gradient flows
  /// through an element that was replaced.
  public func clipped(min lower: Double? = nil, max upper: Double? = nil) -> Tensor {
    guard lower != nil || upper != nil else { return self }
    precondition(
      (lower ?? -.infinity) <= (upper ?? .infinity), "clipped: a least value of \(lower!) above \(upper!)")
    var y = self
    // Among whole numbers the bounds are the whole numbers within them.
    if let lower {
      y = engine.binary(.maximum, y, number(dtype.isFloatingPoint ? lower : lower.rounded(.up)))
    }
    if let upper {
      y = engine.binary(.minimum, y, number(dtype.isFloatingPoint ? upper : upper.rounded(.down)))
    }
    return recorded(.clip, y, self, saving: self, y) { step in
      step.add(Tensor.where(step[0] .== step[1], step.gradient, 0), to: 0)
    }
  }

  /// Traps where the elements are whole numbers or truth values.
  func requireFloatingPoint(_ operation: @autoclosure () -> String) {
    precondition(dtype.isFloatingPoint, "\(operation()): \(dtype) where a floating-point type is needed")
  }
}
