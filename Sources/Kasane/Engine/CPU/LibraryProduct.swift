// SPDX-License-Identifier: Apache-2.0

internal import CDNN
internal import CKernels

/// Matrix products c = f(a b + bias) that oneDNN computes by a primitive, which can do what its gemm cannot: bfloat16,
/// bias and activation while the results are near, and a right operand in the library's own layout.
struct LibraryProduct {
  /// From so many multiplications on a primitive's call costs little beside the product.
  static let least: Int64 = 1 << 19

  private var shape: cdnn_product
  private let left, right: UnsafeRawPointer
  private var bias: UnsafePointer<Float>?

  /// Whether the library multiplies bfloat16 matrices by instructions for it.
  static let hasBFloat16: Bool = {
    guard String(cString: ks_instruction_set()) == "avx512" || String(cString: ks_instruction_set()) == "neon"
    else { return false }
    var shape = Self.shape(m: 16, n: 16, k: 16, .bfloat16, .float32)
    (shape.a_row, shape.a_column, shape.b_row, shape.b_column) = (16, 1, 16, 1)
    var primitive: OpaquePointer?
    var bytes = 0
    guard cdnn_product_find(&shape, &primitive, &bytes) == 0 else { return false }
    cdnn_product_release(primitive)
    return true
  }()

  private static func shape(m: Int64, n: Int64, k: Int64, _ dtype: DType, _ resultType: DType) -> cdnn_product
  {
    func type(_ dtype: DType) -> Int64 { Int64(dtype == .bfloat16 ? CDNN_BFLOAT16 : CDNN_FLOAT32) }
    var shape = cdnn_product()
    shape.threads = Int64(ks_adopt_threads())
    (shape.batch, shape.m, shape.n, shape.k, shape.c_row) = (1, m, n, k, n)
    (shape.operand_type, shape.result_type) = (type(dtype), type(resultType))
    return shape
  }

  /// One product. The caller keeps the operands' elements alive.
  init(
    _ a: GemmOperand, _ b: GemmOperand, m: Int64, n: Int64, k: Int64, _ dtype: DType, resultType: DType
  ) {
    shape = Self.shape(m: m, n: n, k: k, dtype, resultType)
    (shape.a_row, shape.a_column) = a.strides
    (shape.b_row, shape.b_column) = b.strides
    (left, right) = (UnsafeRawPointer(a.data), UnsafeRawPointer(b.data))
  }

  /// One product whose right operand has been packed.
  init(_ a: GemmOperand, packed: Tensor, m: Int64, n: Int64, k: Int64, _ dtype: DType, resultType: DType) {
    shape = Self.shape(m: m, n: n, k: k, dtype, resultType)
    (shape.a_row, shape.a_column) = a.strides
    shape.is_packed = 1
    (left, right) = (UnsafeRawPointer(a.data), UnsafeRawPointer(packed.data))
  }

  /// Products of matrices that follow each other in memory.
  init(
    batch: Int64, _ a: GemmOperand, every aBatch: Int64, _ b: GemmOperand, every bBatch: Int64, m: Int64,
    n: Int64, k: Int64, _ dtype: DType, resultType: DType
  ) {
    self.init(a, b, m: m, n: n, k: k, dtype, resultType: resultType)
    shape.batch = batch
    if batch > 1 { (shape.a_batch, shape.b_batch) = (aBatch, bBatch) }
  }

  /// Adds a float32 bias and applies an activation by the library's number.
  mutating func then(bias: Tensor?, activation: Int64) {
    shape.has_bias = bias == nil ? 0 : 1
    shape.activation = activation
    self.bias = bias.map { UnsafePointer($0.floats) }
  }

  func run(into results: UnsafeMutableRawPointer, rowStride: Int64) {
    var shape = shape
    shape.c_row = rowStride
    var primitive: OpaquePointer?
    var bytes = 0
    check(cdnn_product_find(&shape, &primitive, &bytes))
    let workspace = Tensor(unsetWithShape: Shape(bytes), dtype: .uint8)
    check(cdnn_product_run(primitive, left, right, bias, results, workspace.data))
    withExtendedLifetime(workspace) {}
  }

  private func check(_ status: Int32) {
    guard status != 0 else { return }
    fatalError(
      "matmul: oneDNN says \(String(cString: cdnn_status_name(status))) of a product of \(shape.m) by "
        + "\(shape.k) by \(shape.n)")
  }

  // MARK: Packing

  /// A weight `[k, n]`, or its transpose, in the layout that the library likes best, or nil where that is the plain one or
  /// the unchanged weight has not been used often. It is a parameter's value, some of its rows, or a bfloat16 copy of those.
  static func packed(_ weight: Tensor, transposed: Bool = false, for dtype: DType) -> Tensor? {
    guard weight.rank == 2, weight.isContiguous, let values = weight.preparedValues else { return nil }
    let view = MatrixView(weight, transposed)
    let use = dtype == .bfloat16 ? PreparedValues.Use.packedBFloat16Product : .packedProduct
    let prepared = values.value(for: weight.keyOfProduct(use, view, transposed), onUse: 3) {
      var shape = Self.shape(m: 1, n: view.columns, k: view.rows, dtype, dtype)
      (shape.b_row, shape.b_column) = (view.rowStride, view.columnStride)
      let packed = Tensor(unsetWithShape: Shape(cdnn_product_packed_bytes(&shape)), dtype: .uint8)
      if packed.elementCount > 0 {
        let type = Int64(weight.dtype == .bfloat16 ? CDNN_BFLOAT16 : CDNN_FLOAT32)
        let status = cdnn_product_pack(&shape, type, view.data, packed.data)
        precondition(status == 0, "matmul: oneDNN status \(status) on packing a weight of \(weight.shape)")
      }
      return PreparedValue(packed)
    }
    guard let packed = prepared?.tensor, packed.elementCount > 0 else { return nil }
    return packed
  }
}

extension Tensor {
  /// What tells apart the products whose right operand is this parameter's value, some of its rows, or their transpose.
  func keyOfProduct(
    _ use: PreparedValues.Use, _ view: MatrixView, _ transposed: Bool
  ) -> PreparedValues.Key {
    let place = (data - (box.owner ?? box).object.pointee.data!) / dtype.size
    return PreparedValues.Key(use, transposed ? 1 : 0, place, Int(view.rows), Int(view.columns))
  }
}
