// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

extension CPUEngine {
  /// Below this many multiplications a library call costs more than the product.
  static let smallProduct: Int64 = 8192
  /// Up to so many multiplications, a few microseconds, a second thread gains less than it costs to wait for it where
  /// the processors have other work too.
  static let oneThreadProduct: Int64 = 1 << 20
  /// From here on a product keeps all threads busy.
  private static let largeProduct: Int64 = 1 << 22

  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
    Self.requireOneType("matmul", a, b)
    switch a.dtype {
    case .float32, .float64, .int32, .int64: break
    case .bfloat16 where LibraryProduct.hasBFloat16:
      return matrixProduct(a, b, transposing: transposing, resultType: .bfloat16)
    case .float16, .bfloat16:
      return Self.cast(
        matrixProduct(Self.widened(a), Self.widened(b), transposing: transposing), to: a.dtype)
    default:
      preconditionFailure("matmul: \(a.dtype) where a floating-point type, int32 or int64 is needed")
    }
    if let product = packedProduct(a, b, transposing) { return product }
    if a.rank == 2 && b.rank == 2 {
      let (left, right) = (MatrixView(a, transposing == .left), MatrixView(b, transposing == .right))
      let y = Tensor(unsetMatrix: left.rows, right.columns, dtype: a.object.pointee.dtype)
      Self.multiply(left, right, into: MatrixView(y, false), dtype: y.object.pointee.dtype)
      return y
    }
    if transposing == .left {
      let (a, b) = (a.withOneAxisOfRows(), b.withOneAxisOfRows())
      let (left, right) = (MatrixView(rowsOf: a).transposed(), MatrixView(rowsOf: b))
      let y = Tensor(unsetMatrix: left.rows, right.columns, dtype: a.object.pointee.dtype)
      Self.multiply(left, right, into: MatrixView(y, false), dtype: y.object.pointee.dtype)
      withExtendedLifetime((a, b)) {}
      return y
    }
    guard b.rank == 2 else { return batchedProduct(a, b) }
    // A stack of matrices by one matrix is one larger product.
    let rows = a.withOneAxisOfRows()
    let (left, right) = (MatrixView(rowsOf: rows), MatrixView(b, transposing == .right))
    var shape = a.shape
    shape[a.rank - 1] = Int(right.columns)
    let y = Tensor(unsetWithShape: shape, dtype: a.dtype)
    Self.multiply(left, right, into: MatrixView(rowsOf: y), dtype: y.object.pointee.dtype)
    withExtendedLifetime(rows) {}
    return y
  }

  /// The product of rows by a parameter's value that has been packed.
  private func packedProduct(_ a: Tensor, _ b: Tensor, _ transposing: Transposition) -> Tensor? {
    guard transposing != .left, a.dtype == .float32, b.rank == 2, a.rank >= 2 else { return nil }
    let rows = a.withOneAxisOfRows()
    let (left, isTransposed) = (MatrixView(rowsOf: rows), transposing == .right)
    let columns = Int64(b.shape[isTransposed ? 0 : 1])
    guard left.rows > 1, left.rows * Int64(b.elementCount) >= LibraryProduct.least else { return nil }
    var shape = a.shape
    shape[a.rank - 1] = Int(columns)
    let y: Tensor
    if KernelProduct.isBest {
      guard let packed = KernelProduct.packed(b, transposed: isTransposed) else { return nil }
      y = Tensor(unsetWithShape: shape, dtype: .float32)
      KernelProduct(left, packed: packed, columns: columns).run(into: MatrixView(rowsOf: y))
    } else {
      // Rows that do not follow each other the library would multiply by plain loops.
      guard Tape.recording == nil, left.columnStride == 1, left.rowStride == left.columns,
        let packed = LibraryProduct.packed(b, transposed: isTransposed, for: .float32)
      else { return nil }
      y = Tensor(unsetWithShape: shape, dtype: .float32)
      let one = GemmOperand(left)
      LibraryProduct(
        one, packed: packed, m: left.rows, n: columns, k: left.columns, .float32, resultType: .float32
      ).run(into: y.data, rowStride: columns)
      withExtendedLifetime(one) {}
    }
    withExtendedLifetime(rows) {}
    return y
  }

  /// bfloat16 operands are multiplied as they are where the machine can.
  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition, resultType: DType) -> Tensor {
    let isHalf = a.dtype == .bfloat16 && b.dtype == .bfloat16 && LibraryProduct.hasBFloat16
    guard isHalf, resultType == .bfloat16 || resultType == .float32 else {
      return composedProduct(a, b, transposing, resultType)
    }
    if b.rank > 2 && transposing != .left { return halfBatchedProduct(a, b, resultType) }
    var shape = a.shape
    var a = a.withOneAxisOfRows()
    let b = b.withOneAxisOfRows()
    defer { withExtendedLifetime((a, b)) {} }
    let columns = a.shape[a.rank - 1]
    if transposing == .left, resultType == .float32 {
      let (left, right) = (MatrixView(rowsOf: a), MatrixView(rowsOf: b))
      if HalfProduct.isBetter(left, right) {
        let y = Tensor(unsetMatrix: left.columns, right.columns, dtype: DType.float32.rawValue)
        HalfProduct(left, right).run(into: MatrixView(y, false))
        return y
      }
    }
    // For a wide right operand the library would transpose the left one again and again.
    let isCopied = transposing == .left && b.shape[b.rank - 1] >= 4 * columns
    if isCopied {
      a = withoutGradient { a.reshaped(to: [a.elementCount / max(columns, 1), columns]).transposed() }
        .contiguous()
    }
    var (left, right) = (MatrixView(rowsOf: a), MatrixView(rowsOf: b))
    if transposing == .right { right = right.transposed() }
    let y: Tensor
    if transposing == .left {
      if !isCopied { left = left.transposed() }
      y = Tensor(unsetMatrix: left.rows, right.columns, dtype: resultType.rawValue)
    } else {
      shape[shape.count - 1] = Int(right.columns)
      y = Tensor(unsetWithShape: shape, dtype: resultType)
    }
    guard y.elementCount > 0, left.columns > 0 else { return y.filledWithZeros() }
    let (one, other) = (
      GemmOperand(left, dtype: a.dtype.rawValue), GemmOperand(right, dtype: a.dtype.rawValue)
    )
    LibraryProduct(
      one, other, m: left.rows, n: right.columns, k: left.columns, .bfloat16, resultType: resultType
    ).run(into: y.data, rowStride: right.columns)
    withExtendedLifetime((one, other)) {}
    return y
  }

  /// The products of bfloat16 matrices at the same places, all of them at once.
  private func halfBatchedProduct(_ a: Tensor, _ b: Tensor, _ resultType: DType) -> Tensor {
    let outerA = Shape(a.shape.dropLast(2)), outerB = Shape(b.shape.dropLast(2))
    guard let outer = outerA.broadcast(with: outerB) else {
      preconditionFailure("matmul: shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
    let y = Tensor(unsetWithShape: outer + [m, n], dtype: resultType)
    guard y.elementCount > 0, k > 0 else { return y.filledWithZeros() }
    func matrices(_ x: Tensor, _ rows: Int, _ columns: Int) -> Tensor {
      let x = withoutGradient { x.broadcast(to: outer + [rows, columns]) }.withGemmMatrices()
      return x.strideOfMatrices == nil ? x.contiguous() : x
    }
    let (a, b) = (matrices(a, m, k), matrices(b, k, n))
    let (left, right) = (MatrixView(lastAxesOf: a), MatrixView(lastAxesOf: b))
    let (one, other) = (
      GemmOperand(left, dtype: a.dtype.rawValue), GemmOperand(right, dtype: a.dtype.rawValue)
    )
    LibraryProduct(
      batch: Int64(outer.elementCount), one, every: a.strideOfMatrices!, other, every: b.strideOfMatrices!,
      m: Int64(m), n: Int64(n), k: Int64(k), .bfloat16, resultType: resultType
    ).run(into: y.data, rowStride: Int64(n))
    withExtendedLifetime((a, b)) {}
    return y
  }

  private func batchedProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
    let outerA = Shape(a.shape.dropLast(2)), outerB = Shape(b.shape.dropLast(2))
    guard let outer = outerA.broadcast(with: outerB) else {
      preconditionFailure("matmul: shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let y = Tensor(unsetWithShape: outer + [a.shape[a.rank - 2], b.shape[b.rank - 1]], dtype: a.dtype)
    if y.elementCount == 0 { return y }
    let (a, b) = (a.withGemmMatrices(), b.withGemmMatrices())
    var batch = MatrixBatch(a, b, into: y, outer: outer)
    let work = batch.multiplicationsEach
    // The library divides a large product among the threads itself; small ones are dealt out whole.
    let grain =
      work > Self.largeProduct ? Int64(outer.elementCount) : Self.smallProduct * 4 / max(work, 1) + 1
    ks_parallel(
      Int64(outer.elementCount), grain,
      { context, first, last in
        let batch = context!.assumingMemoryBound(to: MatrixBatch.self)
        for index in Int(first)..<Int(last) { batch.pointee.multiply(index) }
      }, &batch)
    withExtendedLifetime((a, b)) {}
    return y
  }

  /// Up to so many rows the library's gemm loses half its speed and more by a transposed right operand; where it has fewer
  /// columns than rows, a fifth for any number.
  private static let fewRows: Int64 = 384
  /// From so many rows on a transposed right operand is turned around first, which costs next to nothing: the primitive
  /// loses a third there, because it packs the operand again and again.
  private static let manyRows: Int64 = 8192

  /// y = a b; the elements of `a` and `b` are kept alive by the caller. `isWhole` is false in a parallel region, where
  /// the library's gemm runs on the one thread and its primitives must not be used.
  static func multiply(
    _ a: MatrixView, _ b: MatrixView, into y: MatrixView, dtype: UInt8, isWhole: Bool = true
  ) {
    let (m, n, k) = (a.rows, b.columns, a.columns)
    if m == 0 || n == 0 { return }
    if m * n * k <= smallProduct || k == 0 || dtype != DType.float32.rawValue {
      ks_matrix_product(
        dtype, m, n, k, y.data, y.rowStride, a.data, a.rowStride, a.columnStride, b.data, b.rowStride,
        b.columnStride)
      return
    }
    if m == 1, a.columnStride == 1 || k == 1, b.rowStride == 1 || b.columnStride == 1 {
      ks_row_product(
        y.data.assumingMemoryBound(to: Float.self), a.data.assumingMemoryBound(to: Float.self),
        b.data.assumingMemoryBound(to: Float.self), b.rowStride, b.columnStride, k, n)
      return
    }
    if KernelProduct.isBetter(a, b) {
      KernelProduct(a, b).run(into: y, isWhole: isWhole)
      return
    }
    let left = GemmOperand(a)
    var right = GemmOperand(b)
    // The library's gemm is slow where few rows meet a transposed right operand; its primitive is not.
    let isSlow = right.transpose && !left.transpose && (m <= fewRows || n <= k)
    if isSlow && m >= manyRows {
      right = GemmOperand(copying: b)
    } else if isWhole && isSlow && m * n * k >= LibraryProduct.least {
      LibraryProduct(left, right, m: m, n: n, k: k, .float32, resultType: .float32)
        .run(into: y.data, rowStride: y.rowStride)
      withExtendedLifetime((left, right)) {}
      return
    }
    if isWhole && m * n * k <= oneThreadProduct { ks_limit_library() } else { _ = ks_adopt_threads() }
    let status = cdnn_sgemm(
      left.transpose ? 1 : 0, right.transpose ? 1 : 0, m, n, k, 1, left.floats, left.stride, right.floats,
      right.stride, 0, y.data.assumingMemoryBound(to: Float.self), y.rowStride)
    withExtendedLifetime((left, right)) {}
    precondition(status == 0, "matmul: oneDNN status \(status) for a product of \(m) by \(k) by \(n)")
  }
}

/// Products of the matrices at the same places of two tensors.
private struct MatrixBatch {
  private let dtype: DType
  private let left, right, out: MatrixView
  private let sizes, leftStrides, rightStrides: Shape

  /// The matrices are those of the last two axes; the others broadcast to `outer`.
  init(_ a: Tensor, _ b: Tensor, into y: Tensor, outer: Shape) {
    dtype = a.dtype
    (left, right) = (MatrixView(lastAxesOf: a), MatrixView(lastAxesOf: b))
    out = MatrixView(lastAxesOf: y)
    sizes = outer
    func strides(_ x: Tensor) -> Shape {
      let missing = outer.count - (x.rank - 2)
      let (own, ownSizes) = (x.strides, x.shape)
      return Shape(
        outer.indices.map { $0 < missing || ownSizes[$0 - missing] == 1 ? 0 : own[$0 - missing] })
    }
    (leftStrides, rightStrides) = (strides(a), strides(b))
  }

  var multiplicationsEach: Int64 { left.rows * right.columns * left.columns }

  /// Computes one of the products.
  func multiply(_ index: Int) {
    var (rest, leftOffset, rightOffset) = (index, 0, 0)
    for axis in sizes.indices.reversed() {
      let place = rest % sizes[axis]
      rest /= sizes[axis]
      leftOffset += place * leftStrides[axis]
      rightOffset += place * rightStrides[axis]
    }
    var (a, b, y) = (left, right, out)
    a.data += leftOffset * dtype.size
    b.data += rightOffset * dtype.size
    y.data += index * Int(out.rows * out.columns) * dtype.size
    CPUEngine.multiply(a, b, into: y, dtype: dtype.rawValue, isWhole: false)
  }
}

extension Tensor {
  /// This tensor, which nobody else has seen, with zeros in it.
  fileprivate func filledWithZeros() -> Tensor {
    engine.fill(self, with: 0)
    return self
  }

  /// The distance of the matrices of the last two axes where it is one and the same from each to the next, and not zero.
  fileprivate var strideOfMatrices: Int64? {
    let (sizes, strides) = (shape, self.strides)
    var (distance, count) = (0, 1)
    for axis in (0..<rank - 2).reversed() where sizes[axis] != 1 {
      if count == 1 {
        (distance, count) = (strides[axis], sizes[axis])
        if distance == 0 { return nil }
      } else {
        guard strides[axis] == distance * count else { return nil }
        count *= sizes[axis]
      }
    }
    return Int64(distance)
  }
}

extension Shape {
  fileprivate static func + (a: Shape, b: Shape) -> Shape {
    var result = a
    for size in b { result.append(size) }
    return result
  }
}
