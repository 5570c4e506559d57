// SPDX-License-Identifier: Apache-2.0

// Gated units, composed from other primitives where an engine has none of its own.
extension Engine {
  /// Both functions, and their product.
  public func gatedTanh(_ x: Tensor) -> Tensor { composedGatedTanh(x) }
  /// The derivatives of both, side by side.
  public func gatedTanhGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    composedGatedTanhGradient(gradient, x)
  }

  func composedGatedTanh(_ x: Tensor) -> Tensor {
    let (signal, gate) = halves(x)
    return binary(.multiply, unary(.tanh, signal), unary(.sigmoid, gate))
  }

  func composedGatedTanhGradient(_ gradient: Tensor, _ x: Tensor) -> Tensor {
    let (a, b) = halves(x)
    let (signal, gate) = (unary(.tanh, a), unary(.sigmoid, b))
    let result = Tensor(unsetWithShape: x.shape, dtype: x.dtype)
    let (left, right) = halves(result)
    copy(binary(.tanhGradient, binary(.multiply, gradient, gate), signal), into: left)
    copy(binary(.sigmoidGradient, binary(.multiply, gradient, signal), gate), into: right)
    return result
  }

  /// The two halves of the last axis, views.
  private func halves(_ x: Tensor) -> (Tensor, Tensor) {
    let half = x.shape[x.rank - 1] / 2
    return withoutGradient { (x.sliced(0..<half, axis: -1), x.sliced(half..<2 * half, axis: -1)) }
  }
}
