// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

extension CPUEngine {
  /// Over so many summands the library's primitive, which packs its operands anew for each block of rows, is slower than
  /// its gemm with a pass over the results.
  private static let longSum: Int64 = 2048

  func linear(
    _ x: Tensor, _ weight: Tensor, bias: Tensor?, activation: UnaryPrimitive?, resultType: DType
  ) -> Tensor {
    Self.requireOneType("linear", x, weight)
    let isHalf = x.dtype == .bfloat16 && LibraryProduct.hasBFloat16
    let code = activation.map(\.libraryCode) ?? CDNN_IDENTITY
    let known = code.map { Int64($0) }
    let isPlain = (x.dtype == .float32 || x.dtype == .float64) && resultType == x.dtype
    guard isPlain || (isHalf && known != nil && bias?.dtype != .bfloat16) else {
      return composedLinear(x, weight, bias, activation, resultType)
    }
    let bias = bias?.contiguous()
    let rows = x.withOneAxisOfRows()
    let (left, right) = (MatrixView(rowsOf: rows), MatrixView(weight, false))
    var shape = x.shape
    shape[x.rank - 1] = Int(right.columns)
    let y = Tensor(unsetWithShape: shape, dtype: resultType)
    let work = left.rows * left.columns * right.columns
    guard y.elementCount > 0 else { return y }
    // One row is bound by the reading of the weight, for which the library's layouts are of no use.
    let isLarge = x.dtype == .float32 && work >= LibraryProduct.least && left.rows > 1
    if KernelProduct.isBest, isLarge, left.columns > 0,
      var product = Self.kernel(left, right, weight)
    {
      product.then(bias: bias, activation: activation)
      product.run(into: MatrixView(rowsOf: y))
    } else if left.columns > 0, isHalf || isLarge, let known,
      let product = Self.library(left, right, weight, known, bias, x.dtype, resultType)
    {
      product.run(into: y.data, rowStride: right.columns)
    } else if isHalf {
      return composedLinear(x, weight, bias, activation, resultType)
    } else {
      Self.multiply(left, right, into: MatrixView(rowsOf: y), dtype: y.object.pointee.dtype)
      if bias != nil || activation != nil {
        ks_bias_activation(y.object, bias?.object, activation?.rawValue ?? -1)
      }
    }
    withExtendedLifetime((rows, bias)) {}
    return y
  }

  /// The product by this library's kernels where it is the best way.
  private static func kernel(
    _ left: MatrixView, _ right: MatrixView, _ weight: Tensor
  ) -> KernelProduct? {
    if let packed = KernelProduct.packed(weight) {
      return KernelProduct(left, packed: packed, columns: right.columns)
    }
    return KernelProduct.isBetter(left, right) ? KernelProduct(left, right) : nil
  }

  /// The library's product where it is the best way.
  private static func library(
    _ left: MatrixView, _ right: MatrixView, _ weight: Tensor, _ activation: Int64, _ bias: Tensor?,
    _ dtype: DType, _ resultType: DType
  ) -> LibraryProduct? {
    let (m, n, k) = (left.rows, right.columns, left.columns)
    let one = GemmOperand(left, dtype: dtype.rawValue)
    // A copy of an operand must outlive the product; the left one lies well but for odd views.
    guard one.isView else { return nil }
    var product: LibraryProduct
    // By a packed weight the library multiplies rows only that follow each other; others by plain loops.
    let isDense = !one.transpose && one.stride == k
    if Tape.recording == nil, isDense, m * n * k >= LibraryProduct.least,
      let packed = LibraryProduct.packed(weight, for: dtype)
    {
      product = LibraryProduct(one, packed: packed, m: m, n: n, k: k, dtype, resultType: resultType)
    } else {
      let other = GemmOperand(right, dtype: dtype.rawValue)
      let isWorthwhile = (bias != nil || activation != Int64(CDNN_IDENTITY)) && k < longSum && !one.transpose
      guard other.isView, dtype == .bfloat16 || isWorthwhile else { return nil }
      product = LibraryProduct(one, other, m: m, n: n, k: k, dtype, resultType: resultType)
    }
    product.then(bias: bias, activation: activation)
    return product
  }

  func binaryWithColumnSums(
    _ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor
  ) -> (values: Tensor, sums: Tensor) {
    Self.requireOneType("\(primitive)", a, b)
    guard a.rank > 0, a.dtype.isFloatingPoint, a.dtype != .float16 else {
      let values = binary(primitive, a, b)
      return (values, columnSums(values))
    }
    let (a, b) = (a.contiguous(), b.contiguous())
    let values = Tensor(unsetLike: a)
    let sums = Tensor(
      unsetWithShape: Shape(a.shape[a.rank - 1]), dtype: a.dtype == .float64 ? .float64 : .float32)
    let status = ks_binary_column_sums(primitive.rawValue, values.object, a.object, b.object, sums.object)
    precondition(status == Int32(KS_DONE), "\(primitive): out of memory")
    withExtendedLifetime((a, b)) {}
    return (values, sums)
  }

  func columnSums(_ x: Tensor) -> Tensor {
    guard x.rank > 0, x.dtype.isFloatingPoint, x.dtype != .float16, x.isContiguous else {
      return composedColumnSums(x)
    }
    let sums = Tensor(
      unsetWithShape: Shape(x.shape[x.rank - 1]), dtype: x.dtype == .float64 ? .float64 : .float32)
    let status = ks_binary_column_sums(0, nil, x.object, nil, sums.object)
    precondition(status == Int32(KS_DONE), "columnSums: out of memory")
    return sums
  }
}
