// SPDX-License-Identifier: Apache-2.0

/// Which operand of a matrix product is taken transposed.
public enum Transposition: Sendable {
  case none, left, right
}

/// The matrix product over the last two axes, earlier axes broadcast: [..., m, k] by [..., k, n] gives
/// [..., m, n].
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(
    a.rank >= 2 && b.rank >= 2 && a.shape[a.rank - 1] == b.shape[b.rank - 2],
    "matmul: shapes \(a.shape) and \(b.shape) do not fit")
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

/// The product of a and b as matrices, one of them transposed, with all axes but the last taken as one: no views
/// are made where nothing is recorded.
func flatProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
  if Tape.recording == nil { return engine.matrixProduct(a, b, transposing: transposing) }
  if transposing == .right { return matmul(a, b.transposed()) }
  let rows = a.shape.dropLast().reduce(1, *)
  let left = a.reshaped(to: [rows, a.shape[a.rank - 1]])
  return matmul(left.transposed(), b.reshaped(to: [rows, b.shape[b.rank - 1]]))
}
