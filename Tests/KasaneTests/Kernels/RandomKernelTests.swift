// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct RandomKernelTests {
  @Test func tensorsHoldTheGeneratorsNumbers() {
    for position in [0, 1, 5, 1 << 33 - 3, 1 << 62 + 1] as [UInt64] {
      for count in [0, 1, 2, 3, 255, 256, 257, 513, 40_001] {
        var uniform = RandomGenerator(seed: 11 << 40 + 3, stream: 7 << 35 + 1, position: position)
        var normal = uniform
        func tensor(_ distribution: RandomDistribution, _ dtype: DType) -> Tensor {
          cpu.random(
            distribution, shape: [count], dtype: dtype, seed: uniform.seed, stream: uniform.stream,
            position: position)
        }
        let found = tensor(.uniform, .float64), bell = tensor(.normal, .float64)
        #expect(
          found.elements(as: Double.self) == (0..<count).map { _ in uniform.uniform() },
          "\(position), \(count)")
        #expect(
          bell.elements(as: Double.self) == (0..<count).map { _ in normal.normal() }, "\(position), \(count)")
        for dtype in [DType.float32, .bfloat16, .float16] {
          expectSame(tensor(.normal, dtype), bell.cast(to: dtype), "\(dtype)")
          let largest = dtype == .float32 ? 1 - 0x1p-24 : dtype == .bfloat16 ? 1 - 0x1p-8 : 1 - 0x1p-11
          let below = cpu.binary(.minimum, found, Tensor(largest))
          expectSame(tensor(.uniform, dtype), below.cast(to: dtype), "\(dtype)")
        }
      }
    }
  }

  @Test func initializersDrawInOrder() {
    var first = RandomGenerator(seed: 3), second = first
    for dtype in [DType.float32, .float64, .bfloat16] {
      for (mean, deviation) in [(0.0, 1.0), (0.3, 0.02), (-2, 7)] {
        let exact = (0..<35).map { _ in mean + deviation * second.normal() }
        let found = Tensor(
          normal: [5, 7], mean: mean, standardDeviation: deviation, dtype: dtype, using: &first)
        expectSame(found, Tensor(exact, shape: [5, 7]).cast(to: dtype), "normal, \(dtype)")
        #expect(first == second)
      }
      for (lower, upper) in [(-0.1, 0.1), (2.0, 3.5)] {
        let exact = (0..<33).map { _ in lower + (upper - lower) * second.uniform() }
        let found = Tensor(uniform: [33], from: lower, to: upper, dtype: dtype, using: &first)
        expectSame(found, Tensor(exact).cast(to: dtype), "uniform, \(dtype)")
        #expect(first == second)
      }
    }
  }

  @Test func uniformNumbersStayBelowOne() {
    for dtype in [DType.float32, .float64, .bfloat16, .float16] {
      let numbers = cpu.random(.uniform, shape: [100_000], dtype: dtype, seed: 1, stream: 2, position: 3)
      #expect(cpu.reduce(.maximum, numbers, to: [1]).scalar < 1)
      #expect(cpu.reduce(.minimum, numbers, to: [1]).scalar >= 0)
      #expect(abs(cpu.reduce(.sum, numbers.cast(to: .float64), to: [1]).scalar / 100_000 - 0.5) < 0.005)
    }
  }
}
