// SPDX-License-Identifier: Apache-2.0

/// Which operand of a matrix product is taken transposed.
public enum Transposition: Sendable {
  case none, left, right
}

/// The matrix product over the last two axes, earlier axes broadcast: [..., m, k] by [..., k, n] gives
/// [..., m, n].
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
  let (rows, columns) = (a.rank, b.rank)
  precondition(
    rows >= 2 && columns >= 2 && a.shape[rows - 1] == b.shape[columns - 2],
    "matmul: shapes \(a.shape) and \(b.shape) do not fit")
  // A stack of matrices by one matrix is one larger product.
  if rows > 2 && columns == 2 {
    var shape = a.shape
    shape[rows - 1] = b.shape[1]
    return matmul(a.reshaped(to: [-1, b.shape[0]]), b).reshaped(to: shape)
  }
  return recorded(.matmul, engine.matrixProduct(a, b, transposing: .none), a, b, saving: a, b) { step in
    step.add(matmul(step.gradient, step[1], transposing: .right), to: 0)
    step.add(matmul(step[0], step.gradient, transposing: .left), to: 1)
  }
}

/// The product with one operand transposed, without making a view of it where nothing is recorded.
func matmul(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
  if Tape.recording == nil && a.rank == 2 && b.rank == 2 {
    return engine.matrixProduct(a, b, transposing: transposing)
  }
  switch transposing {
  case .none: return matmul(a, b)
  case .left: return matmul(a.transposed(), b)
  case .right: return matmul(a, b.transposed())
  }
}
