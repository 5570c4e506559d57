// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

@Suite struct TensorTests {
  @Test func elementwiseKernelsMatchTheCLibrary() {
    // Lengths around the vector width, values over the whole range.
    for count in [1, 7, 16, 17, 100] {
      let x = (0..<count).map { Float($0) * 0.37 - 18 } + [0, 1e-6, -1e-6, 0.624, 0.626, -80, 80]
      let tensor = Tensor(x)
      func expect(_ found: Tensor, _ exact: (Double) -> Double, _ ulps: Double = 4) {
        for (a, b) in zip(found.elements(as: Float.self), x.map { exact(Double($0)) }) {
          let allowed = max(abs(b) * ulps * Double(Float.ulpOfOne), 1e-37)
          #expect(abs(Double(a) - b) <= allowed)
        }
      }
      expect(exp(tensor)) { Foundation.exp($0) }
      expect(tanh(tensor)) { Foundation.tanh($0) }
      expect(sigmoid(tensor)) { 1 / (1 + Foundation.exp(-$0)) }
      expect(relu(tensor)) { Swift.max($0, 0) }
      expect(square(tensor)) { $0 * $0 }
      expect(sqrt(square(tensor))) { abs($0) }
      expect(log(square(tensor) + 2), { Foundation.log($0 * $0 + 2) }, 16)
    }
  }

  @Test func specialValuesPass() {
    let special = Tensor([Float.nan, .infinity, -.infinity])
    #expect(exp(special).elements(as: Float.self)[0].isNaN)
    #expect(Array(exp(special).elements(as: Float.self)[1...]) == [.infinity, 0])
    #expect(relu(special).elements(as: Float.self)[0].isNaN)
    #expect(Array(sigmoid(special).elements(as: Float.self)[1...]) == [1, 0])
    #expect(Array(tanh(special).elements(as: Float.self)[1...]) == [1, -1])
    #expect(!special.isFinite)
    #expect(Tensor([Float(1), 2]).isFinite)
  }

  @Test func largeTensorsTakeTheParallelPath() {
    var random = RandomGenerator(seed: 1)
    let a = Tensor(normal: [300, 257], using: &random), b = Tensor(normal: [257], using: &random)
    let (x, y, found) = (
      a.elements(as: Float.self), b.elements(as: Float.self), (a * b).elements(as: Float.self)
    )
    for index in x.indices { #expect(found[index] == x[index] * y[index % 257]) }
    let turned = (a.transposed() + 1).elements(as: Float.self)
    for index in x.indices { #expect(turned[index % 257 * 300 + index / 257] == x[index] + 1) }
  }

  @Test func matrixProductsOfAllSizesAgree() {
    var random = RandomGenerator(seed: 2)
    for (m, k, n) in [(1, 16, 16), (5, 3, 17), (37, 61, 129), (64, 64, 64), (129, 5, 200)] {
      let a = Tensor(normal: [m, k], dtype: .float64, using: &random)
      let b = Tensor(normal: [k, n], dtype: .float64, using: &random)
      let (c, d) = (a.cast(to: .float32), b.cast(to: .float32))
      let exact = matmul(a, b)
      expectClose(matmul(c, d), exact, 1e-5)
      let turned = matmul(c.transposed().contiguous().transposed(), d.transposed().contiguous().transposed())
      expectClose(turned, exact, 1e-5)
      expectClose(flatProduct(c.transposed().contiguous(), d, transposing: .left), exact, 1e-5)
      expectClose(flatProduct(c, d.transposed().contiguous(), transposing: .right), exact, 1e-5)
    }
  }

  @Test func conversionsKeepValues() {
    let values: [Float] = [0, 1, -2.5, 65504, 6.1e-5, 5.9e-8, 0.333, -1e-3, 70000]
    for dtype in [DType.float16, .bfloat16, .float64] {
      let back = Tensor(values).cast(to: dtype).cast(to: .float32).elements(as: Float.self)
      for (a, b) in zip(back, values) {
        if dtype == .float16 && b == 70000 {
          #expect(a == .infinity)
        } else {
          #expect(abs(a - b) <= abs(b) / (dtype == .bfloat16 ? 256 : 1024) + 1e-7)
        }
      }
    }
    #expect(Tensor([Float(300), -5, .nan]).cast(to: .uint8).elements(as: UInt8.self) == [255, 0, 0])
    #expect(Tensor([1.9, -1.9]).cast(to: .int32).elements(as: Int32.self) == [1, -1])
    #expect(Tensor([0.0, 2]).cast(to: .bool).elements(as: Bool.self) == [false, true])
  }

  @Test func printingShowsShapeTypeAndElements() {
    #expect("\(Tensor([1, 2.5, -3] as [Float]))" == "Tensor(shape: [3], float32) [1.0, 2.5, -3.0]")
    #expect("\(Tensor(zeros: [20], dtype: .int32))".contains("..."))
    #expect("\(Tensor(3))" == "Tensor(shape: [], int64) 3")
  }

  @Test func valuesStayValuesAcrossThreads() async {
    let shared = Tensor(ones: [32])
    await withTaskGroup(of: Float.self) { group in
      for index in 0..<32 {
        group.addTask {
          var total = shared
          for _ in 0..<100 { total = total + Double(index) }
          return total.elements(as: Float.self)[31]
        }
      }
      var sums: Set<Float> = []
      for await sum in group { sums.insert(sum) }
      #expect(sums == Set((0..<32).map { Float($0 * 100 + 1) }))
    }
    #expect(shared.elements(as: Float.self) == [Float](repeating: 1, count: 32))
  }

  @Test func generatorIsPhilox() {
    // Known answers of the Philox 4x32-10 authors' test vectors: all-zero and all-one counter and key.
    var zero = RandomGenerator(seed: 0)
    #expect(zero.next() == 0xE169_C58D_6627_E8D5)
    #expect(zero.next() == 0x9B00_DBD8_BC57_AC4C)
    var random = RandomGenerator(seed: 7, stream: 3)
    let numbers = (0..<20_000).map { _ in random.normal() }
    let mean = numbers.reduce(0, +) / 20_000
    let variance = numbers.reduce(0) { $0 + $1 * $1 } / 20_000
    #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05)
    var again = RandomGenerator(seed: 7, stream: 3, position: random.position - 1)
    var other = RandomGenerator(seed: 7, stream: 4, position: random.position - 1)
    #expect(again.next() != other.next())
    #expect(again == random)
  }
}
