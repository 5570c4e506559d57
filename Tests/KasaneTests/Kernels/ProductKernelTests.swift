// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct ProductKernelTests {
  /// A product in plain Swift; whole numbers wrap around.
  private func product(_ a: Tensor, _ b: Tensor) -> [Int64] {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    let (x, y) = (a.cast(to: .int64).elements(as: Int64.self), b.cast(to: .int64).elements(as: Int64.self))
    var result = [Int64](repeating: 0, count: m * n)
    for i in 0..<m {
      for p in 0..<k {
        for j in 0..<n { result[i * n + j] &+= x[i * k + p] &* y[p * n + j] }
      }
    }
    return result
  }

  @Test(arguments: [DType.float32, .float64, .bfloat16, .float16, .int32, .int64])
  func wholeNumbersMultiplyExactly(_ dtype: DType) {
    for (m, k, n) in [
      (0, 3, 2), (2, 0, 3), (1, 1, 1), (3, 5, 15), (4, 7, 16), (5, 3, 17), (2, 9, 49), (70, 65, 90),
      (1, 400, 900),
      (900, 300, 1),
    ] {
      // Small enough that every type holds the sums, or halves at least round them once.
      let a = tensor([m, k]) { ($0 * 7) % 5 - 2 }.cast(to: dtype)
      let b = tensor([k, n]) { ($0 * 11) % 3 - 1 }.cast(to: dtype)
      let exact = Tensor(product(a, b), shape: [m, n]).cast(to: .float32).cast(to: dtype)
      let name = "\(m) by \(k) by \(n), \(dtype)"
      expectSame(cpu.matrixProduct(a, b, transposing: .none), exact, name)
      let (turned, other) = (a.laidOut(.transposed), b.laidOut(.reversed))
      expectSame(cpu.matrixProduct(turned, other, transposing: .none), exact, name + ", views")
      let (flipped, side) = (a.transposed().contiguous(), b.transposed().contiguous())
      expectSame(cpu.matrixProduct(flipped, b, transposing: .left), exact, name + ", left")
      expectSame(cpu.matrixProduct(a, side, transposing: .right), exact, name + ", right")
    }
  }

  @Test func largeWholeNumbersWrapAround() {
    let a = tensor([2, 3]) { Int64.max / Int64($0 + 1) }
    let b = tensor([3, 4]) { Int64($0) * 1_000_003 }
    #expect(cpu.matrixProduct(a, b, transposing: .none).elements(as: Int64.self) == product(a, b))
  }
}
