// SPDX-License-Identifier: Apache-2.0

// Matrix products with what a linear layer does around them, each composed from other primitives where an engine has
// none of its own.
extension Engine {
  /// The product of operands of one type, as another: float32 of bfloat16 ones, as it is summed up.
  public func matrixProduct(
    _ a: Tensor, _ b: Tensor, transposing: Transposition, resultType: DType
  ) -> Tensor { composedProduct(a, b, transposing, resultType) }

  /// The product, the bias added and the activation applied, one after the other.
  public func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor?, activation: UnaryPrimitive?, resultType: DType
  ) -> Tensor { composedLinear(x, weight, bias, activation, resultType) }

  /// The function of each pair, and a reduction of it.
  public func binaryWithColumnSums(
    _ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor
  ) -> (values: Tensor, sums: Tensor) {
    let values = binary(primitive, a, b)
    return (values, columnSums(values))
  }

  /// A reduction of all axes but the last.
  public func columnSums(_ x: Tensor) -> Tensor { composedColumnSums(x) }

  func composedProduct(_ a: Tensor, _ b: Tensor, _ transposing: Transposition, _ type: DType) -> Tensor {
    if a.dtype == type { return matrixProduct(a, b, transposing: transposing) }
    let wide = a.dtype.size < type.size ? type : a.dtype
    let product = matrixProduct(converted(a, to: wide), converted(b, to: wide), transposing: transposing)
    return converted(product, to: type)
  }

  func composedLinear(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: UnaryPrimitive?, _ type: DType
  ) -> Tensor {
    let wide: DType = x.dtype == .bfloat16 ? .float32 : x.dtype
    var y = matrixProduct(x, weight, transposing: .none, resultType: wide)
    if let bias { y = binary(.add, y, converted(bias, to: wide)) }
    if let activation { y = unary(activation, y) }
    return converted(y, to: type)
  }

  func composedColumnSums(_ x: Tensor) -> Tensor {
    let wide = x.dtype.size == 2 ? DType.float32 : x.dtype
    let columns = x.shape[x.rank - 1]
    var kept = Shape(repeating: 1, count: x.rank)
    kept[x.rank - 1] = columns
    let sums = reduce(.sum, converted(x, to: wide), to: kept)
    return withoutGradient { sums.reshaped(to: Shape(columns)) }
  }

  private func converted(_ x: Tensor, to dtype: DType) -> Tensor {
    if x.dtype == dtype { return x }
    let result = Tensor(unsetWithShape: x.shape, dtype: dtype)
    copy(x, into: result)
    return result
  }
}
