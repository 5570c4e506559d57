// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

extension CPUEngine {
  /// Below this many multiplications a library call costs more than the product.
  private static let smallProduct: Int64 = 8192

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
      Self.multiply(left, right, into: y, MatrixView(y, false))
      return y
    }
    if transposing == .left {
      let (a, b) = (a.contiguous(), b.contiguous())
      let (left, right) = (MatrixView(flat: a).transposed(), MatrixView(flat: b))
      let y = Tensor(unsetMatrix: left.rows, right.columns, dtype: a.object.pointee.dtype)
      Self.multiply(left, right, into: y, MatrixView(y, false))
      withExtendedLifetime((a, b)) {}
      return y
    }
    guard b.rank == 2 else { return batchedProduct(a, b) }
    // A stack of matrices by one matrix is one larger product.
    let a = a.contiguous()
    let (left, right) = (MatrixView(flat: a), MatrixView(b, transposing == .right))
    var shape = a.shape
    shape[a.rank - 1] = Int(right.columns)
    let y = Tensor(unsetWithShape: shape, dtype: a.dtype)
    Self.multiply(left, right, into: y, MatrixView(flat: y))
    withExtendedLifetime(a) {}
    return y
  }

  private func batchedProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
    let outerA = Shape(a.shape.dropLast(2)), outerB = Shape(b.shape.dropLast(2))
    guard let outer = outerA.broadcast(with: outerB) else {
      preconditionFailure("matmul: shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    let y = Tensor(unsetWithShape: outer + [a.shape[a.rank - 2], b.shape[b.rank - 1]], dtype: a.dtype)
    withoutGradient {
      let left = a.broadcast(to: outer + Shape(a.shape.suffix(2)))
      let right = b.broadcast(to: outer + Shape(b.shape.suffix(2)))
      Self.multiplyEach(left, right, into: y)
    }
    return y
  }

  private static func multiplyEach(_ a: Tensor, _ b: Tensor, into y: Tensor) {
    if y.rank == 2 {
      return multiply(MatrixView(a, false), MatrixView(b, false), into: y, MatrixView(y, false))
    }
    for index in 0..<y.shape[0] { multiplyEach(a.select(index), b.select(index), into: y.select(index)) }
  }

  /// y = a b; the elements of `a` and `b` are kept alive by the caller.
  private static func multiply(_ a: MatrixView, _ b: MatrixView, into y: Tensor, _ out: MatrixView) {
    let (m, n, k) = (a.rows, b.columns, a.columns)
    if m == 0 || n == 0 { return }
    if m * n * k <= smallProduct || k == 0 || y.object.pointee.dtype != DType.float32.rawValue {
      ks_matrix_product(
        y.object.pointee.dtype, m, n, k, out.data, out.rowStride, a.data, a.rowStride, a.columnStride, b.data,
        b.rowStride, b.columnStride)
      return
    }
    let (left, right) = (GemmOperand(a), GemmOperand(b))
    let status = cdnn_sgemm(
      left.transpose ? 1 : 0, right.transpose ? 1 : 0, m, n, k, 1, left.data, left.stride, right.data,
      right.stride, 0, out.data.assumingMemoryBound(to: Float.self), out.rowStride)
    withExtendedLifetime((left, right)) {}
    precondition(status == 0, "matmul: oneDNN status \(status) for a product of \(m) by \(k) by \(n)")
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

  /// A contiguous tensor, all axes but the last taken as one.
  init(flat x: Tensor) {
    data = x.object.pointee.data!
    columns = Int64(x.shape[x.rank - 1])
    rows = 1
    for axis in 0..<x.rank - 1 { rows *= Int64(x.shape[axis]) }
    (rowStride, columnStride) = (columns, 1)
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
    let elements = x.data.assumingMemoryBound(to: Float.self)
    if (x.columnStride == 1 || x.columns == 1) && x.rowStride >= max(x.columns, 1) {
      (data, transpose, stride, copy) = (UnsafePointer(elements), false, x.rowStride, nil)
    } else if (x.rowStride == 1 || x.rows == 1) && x.columnStride >= max(x.rows, 1) {
      (data, transpose, stride, copy) = (UnsafePointer(elements), true, x.columnStride, nil)
    } else {
      let dense = Tensor(unsetMatrix: x.rows, x.columns, dtype: DType.float32.rawValue)
      for row in 0..<x.rows {
        for column in 0..<x.columns {
          dense.floats[Int(row * x.columns + column)] =
            elements[Int(row * x.rowStride + column * x.columnStride)]
        }
      }
      (data, transpose, stride, copy) = (UnsafePointer(dense.floats), false, x.columns, dense)
    }
  }
}

extension Shape {
  fileprivate static func + (a: Shape, b: Shape) -> Shape {
    var result = a
    for size in b { result.append(size) }
    return result
  }
}
