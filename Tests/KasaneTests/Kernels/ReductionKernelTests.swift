// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

@Suite struct ReductionKernelTests {
  private static let wholes: [DType] = [.int8, .uint8, .int32, .int64]
  private static let numbers: [DType] = [.float32, .float64, .bfloat16, .float16] + wholes

  @Test func longSumsKeepTheirDigits() {
    let x = Tensor(repeating: 0.1, shape: [10_000_000])
    let exact = 1e7 * Double(Float(0.1))
    #expect(abs(cpu.reduce(.sum, x, to: [1]).scalar / exact - 1) < 2e-7)
    let columns = x.reshaped(to: [2_000_000, 5])
    for sum in cpu.reduce(.sum, columns, to: [1, 5]).elements(as: Float.self) {
      #expect(abs(Double(sum) / exact * 5 - 1) < 2e-7)
    }
    let running = cpu.cumulativeSum(x, axis: 0, reversed: false).elements(as: Float.self)
    #expect(abs(Double(running[9_999_999]) / exact - 1) < 2e-7)
    let ones = Tensor(ones: [1000, 3], dtype: .bfloat16)
    #expect(
      cpu.reduce(.sum, ones, to: [1, 3]).cast(to: .float32).elements(as: Float.self) == [1000, 1000, 1000])
  }

  @Test func everyLengthIsReduced() {
    for count in kernelLengths {
      let values = (0..<count).map { ($0 * 31) % 5 - 2 }
      for dtype in Self.numbers {
        let numbers = dtype == .uint8 ? values.map { $0 + 2 } : values
        let x = Tensor(numbers).cast(to: dtype)
        let sum = Tensor(numbers.reduce(0, +)).cast(to: .int64).elements(as: Int64.self)[0]
        func wrapped(_ value: Int64) -> Double {
          switch dtype {
          case .int8: Double(Int8(truncatingIfNeeded: value))
          case .uint8: Double(UInt8(truncatingIfNeeded: value))
          default: Double(value)
          }
        }
        for layout in [Layout.contiguous, .stepped, .reversed] {
          let view = x.laidOut(layout)
          let found = cpu.reduce(.sum, view, to: [1]).scalar
          #expect(
            found == Tensor(wrapped(sum)).cast(to: dtype).scalar, "sum of \(count), \(layout), \(dtype)")
          guard count > 0 else { continue }
          #expect(cpu.reduce(.maximum, view, to: [1]).scalar == Double(numbers.max()!), "\(count), \(dtype)")
          #expect(cpu.reduce(.minimum, view, to: [1]).scalar == Double(numbers.min()!), "\(count), \(dtype)")
          let place = cpu.argument(.maximum, view, axis: 0).scalar
          #expect(Int(place) == numbers.firstIndex(of: numbers.max()!)!, "\(count), \(layout), \(dtype)")
          let least = cpu.argument(.minimum, view, axis: 0).scalar
          #expect(Int(least) == numbers.firstIndex(of: numbers.min()!)!, "\(count), \(layout), \(dtype)")
        }
      }
    }
  }

  @Test(arguments: numbers) func everyChoiceOfAxesIsReduced(_ dtype: DType) {
    for shape in [Shape([17, 5, 70]), [3, 600, 4], [130, 9, 90]] {
      let x = Tensor(
        (0..<shape.elementCount).map { Double(($0 * 7919) % 13) - (dtype == .uint8 ? 0 : 6) }, shape: shape)
      for choice in 0..<8 {
        var kept = shape
        for axis in 0..<3 where choice >> axis & 1 == 1 { kept[axis] = 1 }
        let exact = sums(x, to: kept)
        for layout in [Layout.contiguous, .transposed, .stepped] {
          let view = x.cast(to: dtype).laidOut(layout)
          let name = "\(shape) to \(kept), \(layout), \(dtype)"
          switch dtype {
          case .float32, .float64, .int32, .int64:
            expectSame(cpu.reduce(.sum, view, to: kept), exact.cast(to: dtype), name)
          case .int8, .uint8:
            let wrapped = exact.elements(as: Double.self).map {
              dtype == .int8
                ? Double(Int8(truncatingIfNeeded: Int($0))) : Double(UInt8(truncatingIfNeeded: Int($0)))
            }
            expectSame(cpu.reduce(.sum, view, to: kept), Tensor(wrapped, shape: kept).cast(to: dtype), name)
          default:
            expectSame(cpu.reduce(.sum, view, to: kept), exact.cast(to: .float32).cast(to: dtype), name)
          }
          let largest = cpu.reduce(.maximum, view, to: kept)
          expectSame(cpu.reduce(.maximum, x.cast(to: .float64), to: kept).cast(to: dtype), largest, name)
        }
      }
    }
  }

  /// Sums in plain Swift.
  private func sums(_ x: Tensor, to kept: Shape) -> Tensor {
    let (shape, values) = (x.shape, x.elements(as: Double.self))
    var result = [Double](repeating: 0, count: kept.elementCount)
    for place in values.indices {
      let index = [place / (shape[1] * shape[2]), place / shape[2] % shape[1], place % shape[2]]
      let (i, j, k) = (index[0] % kept[0], index[1] % kept[1], index[2] % kept[2])
      result[(i * kept[1] + j) * kept[2] + k] += values[place]
    }
    return Tensor(result, shape: kept)
  }

  @Test func notANumberBeatsAll() {
    for dtype in [DType.float32, .float64, .bfloat16, .float16] {
      for count in [1, 2, 17, 33, 100, 513] {
        for place in Set([0, count / 2, count - 1]) {
          var numbers = (0..<count).map { Double($0 % 11) }
          numbers[place] = .nan
          let row = Tensor(numbers).cast(to: dtype)
          let column = row.reshaped(to: [count, 1]).broadcast(to: [count, 3]).contiguous()
          for primitive in [ReductionPrimitive.maximum, .minimum] {
            #expect(
              cpu.reduce(primitive, row, to: [1]).scalar.isNaN, "\(primitive) \(place) of \(count), \(dtype)")
            #expect(cpu.argument(primitive, row, axis: 0).scalar == Double(place))
            #expect(
              cpu.argument(primitive, column, axis: 0).elements(as: Int64.self)
                == [Int64](repeating: Int64(place), count: 3))
            let found = cpu.reduce(primitive, column, to: [1, 3]).cast(to: .float64).elements(as: Double.self)
            #expect(found.allSatisfy { $0.isNaN })
          }
        }
      }
    }
  }

  @Test func truthsAreAnyAndAll() {
    let x = tensor([7000, 10]) { $0 % 10 < 5 && $0 != 3 }
    let byColumn = cpu.reduce(.minimum, x, to: [1, 10]).elements(as: Bool.self)
    #expect(byColumn == [true, true, true, false, true, false, false, false, false, false])
    let any = cpu.reduce(.maximum, x, to: [1, 10]).elements(as: Bool.self)
    #expect(any == (0..<10).map { $0 < 5 })
    #expect(cpu.reduce(.maximum, x, to: [1, 1]).elements(as: Bool.self) == [true])
    #expect(cpu.argument(.minimum, x, axis: 1).elements(as: Int64.self)[0...1] == [3, 5])
  }

  @Test func threadsAndLayoutsGiveTheSameBits() {
    var random = RandomGenerator(seed: 5)
    let x = Tensor(normal: [700, 311], using: &random)
    let threads = Machine.threads
    defer { Machine.threads = threads }
    func results() -> [Tensor] {
      [
        cpu.reduce(.sum, x, to: [1, 1]), cpu.reduce(.sum, x, to: [1, 311]),
        cpu.reduce(.sum, x, to: [700, 1]),
        cpu.reduce(.product, x, to: [1, 311]), cpu.halfSquaredError(x, x.laidOut(.reversed)),
        cpu.cumulativeSum(x, axis: 0, reversed: true), cpu.cumulativeSum(x, axis: 1, reversed: false),
        cpu.argument(.maximum, x, axis: 0), cpu.softmax(x), cpu.logSoftmax(x.transposed()),
      ]
    }
    Machine.threads = 1
    let one = results()
    Machine.threads = 3
    for (number, (a, b)) in zip(one, results()).enumerated() { expectSame(a, b, "result \(number)") }
  }

  @Test func runningSumsGoBothWays() {
    for dtype in Self.numbers {
      for shape in [Shape([1]), [40], [0, 3], [3, 0], [5, 70, 3], [600, 2], [2, 600]] {
        let values = (0..<shape.elementCount).map { Double($0 % 3) }
        let x = Tensor(values, shape: shape).cast(to: dtype)
        for axis in 0..<shape.count {
          for reversed in [false, true] {
            var exact = values
            let inner = shape.dropFirst(axis + 1).reduce(1, *)
            for place in reversed ? Array(values.indices.reversed()) : Array(values.indices) {
              let position = place / inner % shape[axis]
              let before = reversed ? position + 1 : position - 1
              if before >= 0 && before < shape[axis] {
                exact[place] += exact[place + (before - position) * inner]
              }
            }
            let wrapped = exact.map {
              dtype == .int8
                ? Double(Int8(truncatingIfNeeded: Int($0)))
                : dtype == .uint8 ? Double(UInt8(truncatingIfNeeded: Int($0))) : $0
            }
            for layout in [Layout.contiguous, .transposed, .reversed] {
              let found = cpu.cumulativeSum(x.laidOut(layout), axis: axis, reversed: reversed)
              expectSame(
                found, Tensor(wrapped, shape: shape).cast(to: dtype),
                "\(shape) along \(axis), \(layout), \(dtype)")
            }
          }
        }
      }
    }
  }

  @Test func softmaxIsStable() {
    var random = RandomGenerator(seed: 6)
    for count in kernelLengths.dropFirst() {
      var numbers = (0..<3 * count).map { _ in random.normal() * 5 }
      for place in count..<2 * count { numbers[place] += 1e4 }
      if count > 2 { numbers[2 * count] = -.infinity }
      let x = Tensor(numbers, shape: [3, count])
      let single = x.cast(to: .float32)
      var exact: [Double] = []
      for row in 0..<3 {
        let values = single.cast(to: .float64).select(row).elements(as: Double.self)
        let largest = values.max()!
        let powers = values.map { Foundation.exp($0 - largest) }
        let total = powers.reduce(0, +)
        exact += powers.map { $0 / total }
      }
      let expected = Tensor(exact, shape: [3, count])
      expectEachClose(cpu.softmax(single), expected.cast(to: .float32), 4e-6, "softmax of \(count)")
      expectEachClose(
        cpu.softmax(single.laidOut(.transposed)), expected.cast(to: .float32), 4e-6, "softmax of \(count)")
      expectClose(cpu.logSoftmax(single), log(expected), 2e-7, "logSoftmax of \(count)")
      for dtype in [DType.bfloat16, .float16] {
        let half = (x - 1e4 * Tensor([0.0, 1, 0], shape: [3, 1])).cast(to: dtype)
        expectSame(
          cpu.softmax(half), cpu.softmax(half.cast(to: .float32)).cast(to: dtype),
          "softmax of \(count), \(dtype)")
      }
    }
    #expect(cpu.softmax(Tensor(zeros: [0, 3])).shape == [0, 3])
    #expect(cpu.logSoftmax(Tensor(zeros: [3, 0])).shape == [3, 0])
  }

  @Test func infinitiesAreFound() {
    for dtype in [DType.float32, .float64, .bfloat16, .float16] {
      for count in kernelLengths.dropFirst() + [200_000] {
        let x = Tensor(repeating: 2, shape: [count], dtype: dtype)
        #expect(cpu.isFinite(x))
        for value in [Double.infinity, -.infinity, .nan] {
          let spoilt = x.laidOut(.offset).contiguous()
          spoilt.select(count - 1).fill(from: Tensor(value))
          #expect(!cpu.isFinite(spoilt), "\(value) of \(count), \(dtype)")
        }
      }
    }
  }
}
