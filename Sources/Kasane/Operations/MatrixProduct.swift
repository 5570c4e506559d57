// SPDX-License-Identifier: Apache-2.0

/// The matrix product over the last two axes, earlier axes broadcast: [..., m, k] by [..., k, n] gives
/// [..., m, n].
public func matmul(_ a: Tensor, _ b: Tensor) -> Tensor {
  precondition(
    a.rank >= 2 && b.rank >= 2 && a.shape[a.rank - 1] == b.shape[b.rank - 2],
    "matmul: shapes \(a.shape) and \(b.shape) do not fit")
  // A stack of matrices by one matrix is one larger product.
  if a.rank > 2 && b.rank == 2 {
    var shape = a.shape
    shape[a.rank - 1] = b.shape[1]
    return matmul(a.reshaped(to: [-1, b.shape[0]]), b).reshaped(to: shape)
  }
  return recorded(.matmul, engine.matrixProduct(a, b), a, b, saving: a, b) { step in
    step.add(matmul(step.gradient, step[1].transposed()), to: 0)
    step.add(matmul(step[0].transposed(), step.gradient), to: 1)
  }
}
