// SPDX-License-Identifier: Apache-2.0

/// Which operand of a matrix product is taken transposed.
public enum Transposition: Sendable {
  case none, left, right
}

/// The matrix product over the last two axes, earlier axes broadcast: [..., m, k] by [..., k, n] gives
/// [..., m, n]. An operand with one axis is a row on the left, a column on the right, and that axis of the result is
/// taken away: [k] by [k] is one number, [..., m, k] by [k] gives [..., m].
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
  if a.rank < 2 || b.rank < 2 { return vectorProduct(a, b) }
  precondition(
    a.shape[a.rank - 1] == b.shape[b.rank - 2], "matmul: shapes \(a.shape) and \(b.shape) do not fit")
  if a.isToBeLowered && b.isToBeLowered { return loweredProduct(a, b) }
  if let (a, b) = a.widened(with: b) { return matmul(a, b) }
  let y = engine.matrixProduct(a, b, transposing: .none)
  if b.rank == 2 {
    return recorded(.matmul, y, a, b, saving: a, b) { step in
      step.add(flatProduct(step.gradient, step[1], transposing: .right), to: 0)
      step.add(flatProduct(step[0], step.gradient, transposing: .left), to: 1)
    }
  }
  return recorded(.matmul, y, a, b, saving: a, b) { step in
    step.add(matmul(step.gradient, step[1].transposed()), to: 0)
    step.add(matmul(step[0].transposed(), step.gradient), to: 1)
  }
}

/// The product in bfloat16. Gradients are of their operands' types, without being rounded on the way.
private func loweredProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
  // Where a second derivative may be asked for, the conversions are recorded too.
  if Tape.isNested { return withPrecision(.float32) { matmul(a.loweredOnTape(), b.loweredOnTape()) } }
  let (left, right) = (a.lowered(), b.lowered())
  let y = engine.matrixProduct(left, right, transposing: .none)
  return recorded(
    .matmul, y, a, b, saving: left, right,
    integers: (Int(a.object.pointee.dtype), Int(b.object.pointee.dtype))
  ) { step in
    let (left, right) = (DType(rawValue: UInt8(step.integers.0))!, DType(rawValue: UInt8(step.integers.1))!)
    let gradient = step.gradient.dtype == .bfloat16 ? step.gradient : step.gradient.cast(to: .bfloat16)
    if step[1].rank == 2 {
      step.add(engine.matrixProduct(gradient, step[1], transposing: .right, resultType: left), to: 0)
      step.add(engine.matrixProduct(step[0], gradient, transposing: .left, resultType: right), to: 1)
    } else {
      let (a, b) = (step[0].transposed(), step[1].transposed())
      step.add(engine.matrixProduct(gradient, b, transposing: .none, resultType: left), to: 0)
      step.add(engine.matrixProduct(a, gradient, transposing: .none, resultType: right), to: 1)
    }
  }
}

/// The product with a vector on one side or both.
private func vectorProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(
    a.rank > 0 && b.rank > 0 && a.shape[a.rank - 1] == b.shape[Swift.max(0, b.rank - 2)],
    "matmul: shapes \(a.shape) and \(b.shape) do not fit")
  let product = matmul(a.rank == 1 ? a.expanded(axis: 0) : a, b.rank == 1 ? b.expanded(axis: 1) : b)
  let column = b.rank == 1 ? product.squeezed(axis: -1) : product
  return a.rank == 1 ? column.squeezed(axis: b.rank == 1 ? -1 : -2) : column
}

/// The product of a and b as matrices, one of them transposed, with all axes but the last taken as one: no views
/// are made where nothing is recorded.
func flatProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
  if Tape.recording == nil { return engine.matrixProduct(a, b, transposing: transposing) }
  if transposing == .right { return matmul(a, b.transposed()) }
  let rows = a.shape.dropLast().reduce(1, *)
  let left = a.reshaped(to: [rows, a.shape[a.rank - 1]])
  return matmul(left.transposed(), b.reshaped(to: [rows, b.shape[b.rank - 1]]))
}

/// The sum of the products of two vectors' elements.
public func dot(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(
    a.rank == 1 && b.rank == 1 && a.shape == b.shape,
    "dot: shapes \(a.shape) and \(b.shape) are no two vectors")
  return matmul(a, b)
}

/// The products of all pairs of two vectors' elements: [m] and [n] give [m, n].
public func outer(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(a.rank == 1 && b.rank == 1, "outer: shapes \(a.shape) and \(b.shape) are no two vectors")
  return a.expanded(axis: 1) * b
}
