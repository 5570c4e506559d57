// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// The memory of a tensor seen as a matrix.
struct MatrixView {
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

  /// Rows that follow each other in memory.
  init(_ data: UnsafeMutableRawPointer, rows: Int, columns: Int) {
    (self.data, self.rows, self.columns) = (data, Int64(rows), Int64(columns))
    (rowStride, columnStride) = (self.columns, 1)
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

/// A matrix as a gemm takes it: rows or columns contiguous, else copied.
struct GemmOperand {
  let data: UnsafeMutableRawPointer
  let transpose: Bool
  let stride: Int64
  /// Keeps a copy alive.
  private let copy: Tensor?

  init(_ x: MatrixView, dtype: UInt8 = DType.float32.rawValue) {
    if x.hasDenseRows {
      (data, transpose, stride, copy) = (x.data, false, max(x.rowStride, x.columns), nil)
    } else if x.transposed().hasDenseRows {
      (data, transpose, stride, copy) = (x.data, true, max(x.columnStride, x.rows), nil)
    } else {
      self = GemmOperand(copying: x, dtype: dtype)
    }
  }

  /// A copy whose rows are contiguous.
  init(copying x: MatrixView, dtype: UInt8 = DType.float32.rawValue) {
    let dense = Tensor(unsetMatrix: x.rows, x.columns, dtype: dtype)
    var header = dense.object.pointee
    header.data = x.data
    (header.strides.0, header.strides.1) = (x.rowStride, x.columnStride)
    header.contiguous = false
    ks_copy(dense.object, &header)
    (data, transpose, stride, copy) = (dense.data, false, x.columns, dense)
  }

  /// Whether the matrix is taken where it lies.
  var isView: Bool { copy == nil }
  var floats: UnsafePointer<Float> { UnsafePointer(data.assumingMemoryBound(to: Float.self)) }
  /// From one row to the next, and from one column to the next.
  var strides: (Int64, Int64) { transpose ? (1, stride) : (stride, 1) }
}

extension Tensor {
  /// This tensor where it is contiguous or has two axes, else all its axes but the last taken as one.
  func withOneAxisOfRows() -> Tensor {
    if isContiguous || rank == 2 { return self }
    return withoutGradient { reshaped(to: Shape(shape.dropLast().reduce(1, *), shape[rank - 1])) }
  }

  /// This tensor where a gemm can take the matrices of its last two axes as they lie, else a contiguous copy.
  func withGemmMatrices() -> Tensor {
    let first = MatrixView(lastAxesOf: self)
    return first.hasDenseRows || first.transposed().hasDenseRows ? self : contiguous()
  }
}
