// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// The product of a bfloat16 matrix's transpose with another, summed up in float32, by this library's own kernel: the
/// gradient of a weight, for which oneDNN turns the left matrix around in a pass of its own.
struct HalfProduct {
  /// Whether the machine can compute it.
  static let isAvailable = ks_half_available()
  /// oneDNN is as fast or faster where both matrices have more columns than that, and from so many on where the right one is
  /// much the wider, if the rows of the left one begin on lines of the cache.
  private static let manyColumns: Int64 = 256
  private static let lineOfCache: Int64 = 32

  private let a, b: MatrixView

  /// The product of a `[k, m]`, transposed, with b `[k, n]`, both with dense rows. The caller keeps their elements alive.
  init(_ a: MatrixView, _ b: MatrixView) {
    (self.a, self.b) = (a, b)
  }

  /// Whether the product is better made here.
  static func isBetter(_ a: MatrixView, _ b: MatrixView) -> Bool {
    let (m, n) = (a.columns, b.columns)
    guard isAvailable, a.hasDenseRows, b.hasDenseRows, m * n * a.rows >= LibraryProduct.least else {
      return false
    }
    let fewest = min(m, n)
    return fewest < manyColumns || (fewest == manyColumns && n < 4 * m) || !m.isMultiple(of: lineOfCache)
  }

  /// Computes the product into `[m, n]` of float32, or adds it to what is there.
  func run(into y: MatrixView, accumulates: Bool = false) {
    func numbers(_ x: MatrixView) -> UnsafePointer<UInt16> {
      UnsafePointer(x.data.assumingMemoryBound(to: UInt16.self))
    }
    var task = ks_half_product(
      m: a.columns, n: b.columns, k: a.rows, accumulates: accumulates, a: numbers(a), b: numbers(b),
      a_row: a.rowStride, b_row: b.rowStride, y: y.data.assumingMemoryBound(to: Float.self),
      y_row: y.rowStride)
    let status = ks_half_multiply_transposed(&task)
    precondition(status == 0, "matmul: out of memory for a product of \(task.m) by \(task.k) by \(task.n)")
  }
}
