// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  static func requireFloat(_ operation: @autoclosure () -> String, _ x: Tensor) {
    precondition(
      x.dtype.isFloatingPoint, "\(operation()): \(x.dtype) where a floating-point type is needed")
  }

  static func requireOneType(_ operation: @autoclosure () -> String, _ a: Tensor, _ b: Tensor) {
    precondition(
      a.object.pointee.dtype == b.object.pointee.dtype,
      "\(operation()): \(a.dtype) with \(b.dtype); cast one of them")
  }

  /// What two shapes broadcast to.
  static func broadcast(_ operation: @autoclosure () -> String, _ a: Shape, _ b: Shape) -> Shape {
    guard let shape = a.broadcast(with: b) else {
      preconditionFailure("\(operation()): shapes \(a) and \(b) do not broadcast")
    }
    return shape
  }

  func unary(_ primitive: UnaryPrimitive, _ x: Tensor) -> Tensor {
    let y = Tensor(unsetLike: x)
    if ks_unary(primitive.rawValue, y.object, x.object) != Int32(KS_DONE) {
      Self.refuse("\(primitive)", x.dtype, admitsIntegers: primitive.admitsIntegers)
    }
    return y
  }

  func binary(_ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    Self.requireOneType("\(primitive)", a, b)
    let y: Tensor
    if b.object.pointee.rank == 0 {
      y = Tensor(unsetLike: a)
    } else {
      let (left, right) = (a.shape, b.shape)
      if left == right {
        y = Tensor(unsetLike: a)
      } else {
        y = Tensor(unsetWithShape: Self.broadcast("\(primitive)", left, right), dtype: a.dtype)
      }
    }
    Self.run(primitive, into: y, a, b)
    return y
  }

  func accumulate(_ value: Tensor, into total: Tensor) { Self.run(.add, into: total, total, value) }

  private static func run(_ primitive: BinaryPrimitive, into y: Tensor, _ a: Tensor, _ b: Tensor) {
    let status = ks_binary(primitive.rawValue, y.object, a.object, b.object)
    if status == Int32(KS_DONE) { return }
    if status == Int32(KS_DIVISION_BY_ZERO) { fatalError("\(primitive): \(a.dtype) divided by zero") }
    refuse("\(primitive)", a.dtype, admitsIntegers: primitive.admitsIntegers)
  }

  /// Says which types an operation is for.
  static func refuse(_ operation: String, _ dtype: DType, admitsIntegers: Bool) -> Never {
    fatalError(
      "\(operation): \(dtype) where a \(admitsIntegers ? "numeric" : "floating-point") type is needed")
  }

  func compare(_ primitive: ComparisonPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    Self.requireOneType("\(primitive)", a, b)
    let y = Tensor(unsetWithShape: Self.broadcast("\(primitive)", a.shape, b.shape), dtype: .bool)
    ks_compare(primitive.rawValue, y.object, a.object, b.object)
    return y
  }

  func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    precondition(
      condition.dtype == .bool, "select: a condition of type \(condition.dtype) where bool is needed")
    Self.requireOneType("select", a, b)
    let values = Self.broadcast("select", a.shape, b.shape)
    let y = Tensor(
      unsetWithShape: Self.broadcast("select", condition.shape, values), dtype: a.dtype)
    ks_select(y.object, condition.object, a.object, b.object)
    return y
  }
}

extension UnaryPrimitive {
  fileprivate var admitsIntegers: Bool {
    switch self {
    case .negate, .absolute, .sign, .square, .relu: true
    default: false
    }
  }
}

extension BinaryPrimitive {
  fileprivate var admitsIntegers: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide, .maximum, .minimum, .remainder: true
    default: false
    }
  }
}
