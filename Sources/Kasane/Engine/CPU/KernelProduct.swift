// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Matrix products of float32 by this library's own kernels, where they are faster than oneDNN's: on processors with AVX2
/// but not AVX-512, there for a packed right operand, and where oneDNN's gemm takes operands as they lie though that is
/// slow.
struct KernelProduct {
  /// Whether the machine is one of these.
  static let isBest = ks_gemm_is_best()

  /// Below so many rows oneDNN reads the right operand where it lies, which is slow where its rows are a multiple of so many
  /// numbers apart: they fall on the same lines of a cache.
  private static let packedRows: Int64 = 384
  private static let slowStride: Int64 = 512
  /// So many numbers of results pay for the packing of both operands.
  private static let leastResults: Int64 = 1 << 14

  private var task: ks_gemm_task

  /// y = a b, or y += a b, of the operands' elements, which the caller keeps alive.
  init(_ a: MatrixView, _ b: MatrixView, accumulates: Bool = false) {
    task = ks_gemm_task()
    task.accumulates = accumulates
    (task.m, task.n, task.k, task.activation) = (a.rows, b.columns, a.columns, -1)
    task.a = Self.operand(a)
    task.b = Self.operand(b)
  }

  /// y = a b with b packed.
  init(_ a: MatrixView, packed: Tensor, columns: Int64) {
    task = ks_gemm_task()
    (task.m, task.n, task.k, task.activation) = (a.rows, columns, a.columns, -1)
    task.a = Self.operand(a)
    task.b = task.a
    task.panels = UnsafePointer(packed.floats)
  }

  private static func operand(_ x: MatrixView) -> ks_gemm_operand {
    ks_gemm_operand(
      data: UnsafePointer(x.data.assumingMemoryBound(to: Float.self)), row: x.rowStride,
      column: x.columnStride)
  }

  /// Whether a product of operands that are not packed is better made here.
  static func isBetter(_ a: MatrixView, _ b: MatrixView) -> Bool {
    guard isBest, a.rows * b.columns >= leastResults, b.columnStride == 1 || b.columns == 1 else {
      return false
    }
    let isTransposed = a.columnStride != 1 && a.rowStride == 1
    return isTransposed || a.rows < packedRows && a.rows >= 8 && b.rowStride % slowStride == 0
  }

  /// Adds a bias and applies an activation.
  mutating func then(bias: Tensor?, activation: UnaryPrimitive?) {
    task.bias = bias.map { UnsafePointer($0.floats) }
    task.activation = activation?.rawValue ?? -1
  }

  /// Computes the product on all threads, or on the calling one alone.
  func run(into y: MatrixView, isWhole: Bool = true) {
    var task = task
    task.y = y.data.assumingMemoryBound(to: Float.self)
    task.y_row = y.rowStride
    let work = task.m * task.n * task.k
    let threads = isWhole && work > CPUEngine.oneThreadProduct ? ks_threads() : 1
    let status = ks_gemm_run(&task, threads)
    precondition(status == 0, "matmul: out of memory for a product of \(task.m) by \(task.k) by \(task.n)")
  }

  /// A weight `[k, n]`, or its transpose, in panels, or nil where the unchanged weight has not been used often, as it is also
  /// in the steps of a recurrent network. It is a parameter's value, or some of its rows.
  static func packed(_ weight: Tensor, transposed: Bool = false) -> Tensor? {
    guard weight.dtype == .float32, weight.rank == 2, weight.isContiguous, let values = weight.preparedValues
    else {
      return nil
    }
    let view = MatrixView(weight, transposed)
    let prepared = values.value(for: weight.keyOfProduct(.packedProduct, view, transposed), onUse: 3) {
      let packed = Tensor(
        unsetWithShape: Shape(Int(ks_gemm_packed_count(view.rows, view.columns))), dtype: .float32)
      ks_gemm_pack(packed.floats, operand(view), view.rows, view.columns)
      return PreparedValue(packed)
    }
    return prepared?.tensor
  }
}
