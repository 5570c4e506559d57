// SPDX-License-Identifier: Apache-2.0

// Broadcasting needs no care here: the tape sums a gradient over the axes along which its operand was
// broadcast.

extension Tensor {
  /// The sum, element by element, with NumPy's broadcasting.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    recorded(.add, engine.binary(.add, a, b), a, b) { step in
      step.add(step.gradient, to: 0)
      step.add(step.gradient, to: 1)
    }
  }

  /// The difference, element by element, with NumPy's broadcasting.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    recorded(.subtract, engine.binary(.subtract, a, b), a, b) { step in
      step.add(step.gradient, to: 0)
      step.add(-step.gradient, to: 1)
    }
  }

  /// The product, element by element, with NumPy's broadcasting.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    recorded(.multiply, engine.binary(.multiply, a, b), a, b, saving: a, b) { step in
      step.add(step.gradient * step[1], to: 0)
      step.add(step.gradient * step[0], to: 1)
    }
  }

  /// The quotient, element by element, with NumPy's broadcasting.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let y = engine.binary(.divide, a, b)
    return recorded(.divide, y, a, b, saving: b, y) { step in
      step.add(step.gradient / step[0], to: 0)
      step.add(-(step.gradient * step[1] / step[0]), to: 1)
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
  /// The difference of a number and each element.
  public static func - (a: Double, b: Tensor) -> Tensor { b.number(a) - b }
  /// The product of a number and each element.
  public static func * (a: Double, b: Tensor) -> Tensor { b * b.number(a) }
}

/// The square of each element.
public func square(_ x: Tensor) -> Tensor {
  recorded(.square, engine.unary(.square, x), x, saving: x) { step in
    step.add(2 * step.gradient * step[0], to: 0)
  }
}

/// The square root of each element.
public func sqrt(_ x: Tensor) -> Tensor {
  let y = engine.unary(.squareRoot, x)
  return recorded(.squareRoot, y, x, saving: y) { step in
    step.add(step.gradient / (2 * step[0]), to: 0)
  }
}

/// e to the power of each element.
public func exp(_ x: Tensor) -> Tensor {
  let y = engine.unary(.exponential, x)
  return recorded(.exponential, y, x, saving: y) { step in step.add(step.gradient * step[0], to: 0) }
}

/// The natural logarithm of each element.
public func log(_ x: Tensor) -> Tensor {
  recorded(.logarithm, engine.unary(.logarithm, x), x, saving: x) { step in
    step.add(step.gradient / step[0], to: 0)
  }
}
