// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

extension CPUEngine {
  /// Below this many multiplications a library call costs more than the product.
  fileprivate static let smallProduct: Int64 = 8192
  /// From here on a product keeps all threads busy.
  private static let largeProduct: Int64 = 1 << 22

  func matrixProduct(_ a: Tensor, _ b: Tensor, transposing: Transposition) -> Tensor {
    Self.requireOneType("matmul", a, b)
    switch a.dtype {
    case .float32, .float64, .int32, .int64: break
    case .float16, .bfloat16:
      return Self.cast(
        matrixProduct(Self.widened(a), Self.widened(b), transposing: transposing), to: a.dtype)
    default:
      preconditionFailure("matmul: \(a.dtype) where a floating-point type, int32 or int64 is needed")
    }
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

  /// y = a b; the elements of `a` and `b` are kept alive by the caller.
  fileprivate static func multiply(_ a: MatrixView, _ b: MatrixView, into y: MatrixView, dtype: UInt8) {
    let (m, n, k) = (a.rows, b.columns, a.columns)
    if m == 0 || n == 0 { return }
    if m * n * k <= smallProduct || k == 0 || dtype != DType.float32.rawValue {
      ks_matrix_product(
        dtype, m, n, k, y.data, y.rowStride, a.data, a.rowStride, a.columnStride, b.data, b.rowStride,
        b.columnStride)
      return
    }
    let (left, right) = (GemmOperand(a), GemmOperand(b))
    _ = ks_adopt_threads()
    let status = cdnn_sgemm(
      left.transpose ? 1 : 0, right.transpose ? 1 : 0, m, n, k, 1, left.data, left.stride, right.data,
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
    CPUEngine.multiply(a, b, into: y, dtype: dtype.rawValue)
  }
}

/// The memory of a tensor seen as a matrix.
private struct MatrixView {
  var data: UnsafeMutableRawPointer
  var rows, columns, rowStride, columnStride: Int64

  /// A tensor with two axes, transposed where the flag is set.
  init(_ x: Tensor, _ isTransposed: Bool) {
    let header = x.object
    data = header.pointee.data!
    (rows, columns) = (header.pointee.shape.0, header.pointee.shape.1)
    (rowStride, columnStride) = (header.pointee.strides.0, header.pointee.strides.1)
    if isTransposed { self = transposed() }
  }

  /// The first of the matrices that a tensor's last two axes are.
  init(lastAxesOf x: Tensor) {
    let (sizes, strides) = (x.shape, x.strides)
    data = x.object.pointee.data!
    (rows, columns) = (Int64(sizes[x.rank - 2]), Int64(sizes[x.rank - 1]))
    (rowStride, columnStride) = (Int64(strides[x.rank - 2]), Int64(strides[x.rank - 1]))
  }

  /// All axes but the last taken as one, of a tensor that is contiguous or has two.
  init(rowsOf x: Tensor) {
    let sizes = x.shape
    data = x.object.pointee.data!
    columns = Int64(sizes[x.rank - 1])
    rows = 1
    for axis in 0..<x.rank - 1 { rows *= Int64(sizes[axis]) }
    (rowStride, columnStride) = (columns, 1)
    if !x.isContiguous { (rowStride, columnStride) = (Int64(x.strides[0]), Int64(x.strides[1])) }
  }

  /// Whether a row's elements lie side by side.
  var hasDenseRows: Bool {
    (columnStride == 1 || columns == 1) && (rowStride >= max(columns, 1) || rows == 1)
  }

  func transposed() -> MatrixView {
    var result = self
    (result.rows, result.columns) = (columns, rows)
    (result.rowStride, result.columnStride) = (columnStride, rowStride)
    return result
  }
}

/// A float32 matrix as a gemm takes it: rows or columns contiguous, else copied.
private struct GemmOperand {
  let data: UnsafePointer<Float>
  let transpose: Bool
  let stride: Int64
  /// Keeps a copy alive.
  private let copy: Tensor?

  init(_ x: MatrixView) {
    let elements = UnsafePointer(x.data.assumingMemoryBound(to: Float.self))
    if x.hasDenseRows {
      (data, transpose, stride, copy) = (elements, false, max(x.rowStride, x.columns), nil)
    } else if x.transposed().hasDenseRows {
      (data, transpose, stride, copy) = (elements, true, max(x.columnStride, x.rows), nil)
    } else {
      let dense = Tensor(unsetMatrix: x.rows, x.columns, dtype: DType.float32.rawValue)
      var header = dense.object.pointee
      header.data = x.data
      (header.strides.0, header.strides.1) = (x.rowStride, x.columnStride)
      header.contiguous = false
      ks_copy(dense.object, &header)
      (data, transpose, stride, copy) = (UnsafePointer(dense.floats), false, x.columns, dense)
    }
  }
}

extension Tensor {
  /// This tensor where it is contiguous or has two axes, else all its axes but the last taken as one.
  fileprivate func withOneAxisOfRows() -> Tensor {
    if isContiguous || rank == 2 { return self }
    return withoutGradient { reshaped(to: Shape(shape.dropLast().reduce(1, *), shape[rank - 1])) }
  }

  /// This tensor where a gemm can take the matrices of its last two axes as they lie, else a contiguous copy.
  fileprivate func withGemmMatrices() -> Tensor {
    let first = MatrixView(lastAxesOf: self)
    return first.hasDenseRows || first.transposed().hasDenseRows ? self : contiguous()
  }
}

extension Shape {
  fileprivate static func + (a: Shape, b: Shape) -> Shape {
    var result = a
    for size in b { result.append(size) }
    return result
  }
}
