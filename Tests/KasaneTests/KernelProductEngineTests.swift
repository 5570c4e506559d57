// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

@testable import Kasane

/// This library's own matrix products, and the convolutions made of them, against plain sums; on every machine, though
/// they are only used where they are the fastest.
@Suite struct KernelProductEngineTests {
  /// Around the sizes of panels, blocks of rows and parts of sums, and such as have few rows.
  static let sizes = [
    (1, 1, 1), (5, 17, 3), (6, 16, 256), (7, 33, 257), (12, 100, 300), (13, 130, 40), (97, 31, 600),
    (200, 1041, 30), (37, 61, 129), (3, 2000, 65),
  ]

  private func view(_ x: Tensor, _ isTransposed: Bool) -> MatrixView { MatrixView(x, isTransposed) }

  private func expectClose(_ found: Tensor, _ expected: Tensor, _ comment: String) {
    let (a, b) = (found.elements(as: Float.self), expected.elements(as: Float.self))
    let scale = b.reduce(1e-6) { max($0, abs($1)) }
    #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-5 * scale }, "\(comment)")
  }

  @Test(arguments: [false, true], [false, true])
  func productsOfAllLayouts(_ transposesLeft: Bool, _ transposesRight: Bool) {
    var random = RandomGenerator(seed: 1)
    for (m, n, k) in Self.sizes {
      let a = Tensor(
        normal: transposesLeft ? [k, m] : [m, k], standardDeviation: 1 / Double(k).squareRoot(),
        using: &random)
      let b = Tensor(normal: transposesRight ? [n, k] : [k, n], using: &random)
      let bias = Tensor(normal: [n], using: &random)
      let wide = matmul(
        (transposesLeft ? a.transposed() : a).cast(to: .float64),
        (transposesRight ? b.transposed() : b).cast(to: .float64)
      ).cast(to: .float32)
      let (left, right) = (view(a, transposesLeft), view(b, transposesRight))
      let packed = Tensor(zeros: [Int(ks_gemm_packed_count(Int64(k), Int64(n)))])
      ks_gemm_pack(
        packed.floats,
        ks_gemm_operand(
          data: UnsafePointer(b.floats), row: right.rowStride, column: right.columnStride), Int64(k), Int64(n)
      )
      for isWhole in [false, true] {
        var products = [
          KernelProduct(left, right), KernelProduct(left, packed: packed, columns: Int64(n)),
        ]
        for index in products.indices {
          let plain = Tensor(zeros: [m, n])
          products[index].run(into: view(plain, false), isWhole: isWhole)
          expectClose(plain, wide, "\(m) \(n) \(k) \(index) \(isWhole)")
          products[index].then(bias: bias, activation: .tanh)
          let finished = Tensor(zeros: [m, n])
          products[index].run(into: view(finished, false), isWhole: isWhole)
          expectClose(finished, tanh(wide + bias), "\(m) \(n) \(k) \(index) \(isWhole), finished")
        }
        let sum = Tensor(ones: [m, n])
        KernelProduct(left, right, accumulates: true).run(into: view(sum, false), isWhole: isWhole)
        expectClose(sum, wide + 1, "\(m) \(n) \(k) \(isWhole), added")
      }
      withExtendedLifetime((a, b, bias, packed)) {}
    }
  }

  /// Along a row, with margins and distances between taps.
  @Test(arguments: [(2, 1, 0, 0), (2, 8, 8, 0), (3, 2, 2, 2), (5, 1, 7, 1), (2, 64, 0, 0)])
  func rowConvolutions(_ geometry: (taps: Int, dilation: Int, left: Int, right: Int)) throws {
    var random = RandomGenerator(seed: 3)
    let (taps, dilation, left, right) = geometry
    let x = Tensor(normal: [2, 1, 4097, 32], using: &random)
    let weight = Tensor(normal: [1, taps, 32, 48], using: &random)
    let bias = Tensor(normal: [48], using: &random)
    var shape = ConvolutionGeometry()
    (shape.margins, shape.dilation) = (Margins(left: left, right: right), Size2D(1, dilation))
    let call = ConvolutionCall(x, weight, bias: bias, shape)
    let found = try #require(
      RowConvolution(images: x.shape, weight: weight.shape, results: call.resultShape, shape))
    let wide = engine.convolution(
      x.cast(to: .float64), weight.cast(to: .float64), bias: bias.cast(to: .float64), shape)
    expectClose(found.forward(x, weight, bias: bias), wide.cast(to: .float32), "results")
    let gradient = Tensor(normal: call.resultShape, using: &random)
    let expected = engine.convolutionInputGradient(
      gradient.cast(to: .float64), weight.cast(to: .float64), shape: x.shape, shape)
    expectClose(found.imagesGradient(gradient, weight), expected.cast(to: .float32), "gradient")
  }

  /// The gradients of such a convolution in bfloat16, by the machine's instructions or without.
  @Test(arguments: [(2, 1, 0, 0), (2, 8, 8, 0), (3, 2, 2, 2), (5, 1, 7, 1), (2, 64, 0, 0)])
  func rowConvolutionsInBFloat16(_ geometry: (taps: Int, dilation: Int, left: Int, right: Int)) {
    var random = RandomGenerator(seed: 4)
    let (taps, dilation, left, right) = geometry
    let x = Tensor(normal: [2, 1, 4101, 32], using: &random).cast(to: .bfloat16)
    let weight = Tensor(normal: [1, taps, 32, 48], using: &random).cast(to: .bfloat16).cast(to: .float32)
    var shape = ConvolutionGeometry()
    (shape.margins, shape.dilation) = (Margins(left: left, right: right), Size2D(1, dilation))
    let results = ConvolutionCall(x.cast(to: .float32), weight, bias: nil, shape).resultShape
    let gradient = Tensor(normal: results, using: &random).cast(to: .bfloat16)
    let (wideX, wideGradient) = (x.cast(to: .float64), gradient.cast(to: .float64))
    let byWeight = engine.convolutionWeightGradient(wideX, wideGradient, shape: weight.shape, shape)
    expectClose(
      engine.convolutionWeightGradient(x, gradient, shape: weight.shape, shape, resultType: .float32),
      byWeight.cast(to: .float32), "by the weight")
    let byImages = engine.convolutionInputGradient(
      wideGradient, weight.cast(to: .float64), shape: x.shape, shape)
    let found = engine.convolutionInputGradient(gradient, weight, shape: x.shape, shape)
    #expect(found.dtype == .bfloat16)
    let error = abs(found.cast(to: .float64) - byImages).max().scalar
    #expect(error <= 0x1p-8 * abs(byImages).max().scalar, "by the images")
  }

  /// Around the sizes of panels and groups of columns, with long sums, which are divided, and by rows that lie apart.
  @Test(.enabled(if: HalfProduct.isAvailable))
  func transposedProductsInBFloat16() {
    var random = RandomGenerator(seed: 5)
    let sizes = [
      (1, 1, 1), (8, 16, 2), (9, 17, 3), (31, 33, 511), (32, 64, 512), (100, 20, 513), (37, 61, 1029),
      (5, 1000, 70), (650, 70, 129), (64, 48, 4097), (16, 80, 9001),
    ]
    for (m, n, k) in sizes {
      let a = Tensor(normal: [k, m + 3], standardDeviation: 1 / Double(k).squareRoot(), using: &random)
        .cast(to: .bfloat16).sliced(2..<m + 2, axis: 1)
      let b = Tensor(normal: [k, n + 5], using: &random).cast(to: .bfloat16).sliced(1..<n + 1, axis: 1)
      let wide = matmul(a.cast(to: .float64).transposed(), b.cast(to: .float64)).cast(to: .float32)
      let product = HalfProduct(view(a, false), view(b, false))
      let whole = Tensor(zeros: [m, n])
      product.run(into: view(whole, false))
      expectClose(whole, wide, "\(m) \(n) \(k)")
      // Into some columns of a matrix, whose others stay.
      let sum = Tensor(ones: [m, n + 2])
      let some = sum.sliced(1..<n + 1, axis: 1)
      product.run(into: view(some, false), accumulates: true)
      expectClose(some.contiguous(), wide + 1, "\(m) \(n) \(k), added")
      #expect(sum[0..<m, 0].sum().scalar == Double(m) && sum[0..<m, n + 1].sum().scalar == Double(m))
      withExtendedLifetime((a, b)) {}
    }
  }
}
