// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

@Suite struct ElementwiseKernelTests {
  private static let floats: [DType] = [.float32, .float64, .bfloat16, .float16]

  /// Numbers of every size and both signs, dense where functions bend.
  private static let sweep: [Double] = {
    var numbers = (-4000...4000).map { Double($0) * 0.025 + 0.0003 }
    numbers += (-4000...4000).map { Double($0) * 0.0005 }
    for exponent in stride(from: -44.0, through: 38, by: 0.37) {
      numbers += [Foundation.pow(10, exponent), -Foundation.pow(10, exponent)]
    }
    return numbers
  }()

  @Test(arguments: UnaryPrimitive.allCases) func functionsAreThoseOfTheCLibrary(_ primitive: UnaryPrimitive) {
    let x = Tensor(Self.sweep).cast(to: .float32)
    expectEachClose(
      cpu.unary(primitive, x), cpu.unary(primitive, x.cast(to: .float64)).cast(to: .float32), 1e-6,
      "\(primitive)")
  }

  @Test func floatFunctionsMatchFoundation() {
    let x = Self.sweep.filter { abs($0) < 700 }
    func expect(_ primitive: UnaryPrimitive, _ exact: (Double) -> Double) {
      expectEachClose(cpu.unary(primitive, Tensor(x)), Tensor(x.map(exact)), 1e-13, "\(primitive)")
    }
    expect(.exponential, Foundation.exp)
    expect(.exponentialMinusOne, Foundation.expm1)
    expect(.logarithmOnePlus, Foundation.log1p)
    expect(.errorFunction, Foundation.erf)
    expect(.gelu) { 0.5 * $0 * Foundation.erfc(-$0 / 2.0.squareRoot()) }
    expect(.silu) { $0 / (1 + Foundation.exp(-$0)) }
    expect(.softplus) { Swift.max($0, 0) + Foundation.log1p(Foundation.exp(-abs($0))) }
    expect(.inverseHyperbolicSine, Foundation.asinh)
    expect(.round) { $0.rounded(.toNearestOrEven) }
    expect(.sign) { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
  }

  @Test func slopesOfSinglePrecisionAreThoseOfDouble() {
    let x = Tensor(Self.sweep).cast(to: .float32)
    let ones = Tensor(ones: [Self.sweep.count])
    for primitive in [BinaryPrimitive.geluGradient, .geluTanhGradient] {
      let found = cpu.binary(primitive, ones, x)
      let exact = cpu.binary(primitive, ones.cast(to: .float64), x.cast(to: .float64))
      expectClose(found, exact, 3e-7, "\(primitive)")
      let reference = ReferenceEngine().binary(primitive, ones.cast(to: .float64), x.cast(to: .float64))
      expectClose(exact, reference, 1e-13, "\(primitive)")
    }
  }

  @Test func everyLengthAndLayoutAgrees() {
    for count in kernelLengths {
      let numbers = (0..<count).map { Double($0 % 37) * 0.31 - 5 }
      for dtype in Self.floats {
        let x = Tensor(numbers).cast(to: dtype)
        for primitive in UnaryPrimitive.allCases {
          let y = cpu.unary(primitive, x)
          // One element at a time takes no vector.
          for place in stride(from: 0, to: count, by: max(1, count / 3)) {
            expectEachClose(
              y.select(place), cpu.unary(primitive, x.select(place)), dtype == .float64 ? 0 : 2e-7,
              "\(primitive) at \(place) of \(count), \(dtype)")
          }
          for layout in [Layout.stepped, .reversed, .offset] {
            expectEachClose(
              cpu.unary(primitive, x.laidOut(layout)), y, dtype == .float32 ? 3e-7 : 0,
              "\(primitive) of \(count), \(layout), \(dtype)")
          }
        }
      }
    }
  }

  @Test func halvesAreRoundedSinglePrecision() {
    for dtype in [DType.bfloat16, .float16] {
      for count in kernelLengths {
        let a = tensor([count]) { Double($0) * 0.37 - 40 }.cast(to: dtype)
        let b = tensor([count]) { Double(($0 * 7) % 23) - 11.5 }.cast(to: dtype)
        let (wideA, wideB) = (a.cast(to: .float32), b.cast(to: .float32))
        for primitive in BinaryPrimitive.allCases {
          let exact = cpu.binary(primitive, wideA, wideB).cast(to: dtype)
          let scalar = cpu.binary(primitive, wideA, Tensor(Float(2.5))).cast(to: dtype)
          expectSame(cpu.binary(primitive, a, b), exact, "\(primitive) of \(count), \(dtype)")
          expectSame(
            cpu.binary(primitive, a.laidOut(.reversed), b.laidOut(.stepped)), exact,
            "\(primitive) of \(count) in views, \(dtype)")
          expectSame(
            cpu.binary(primitive, a, Tensor(Float(2.5)).cast(to: dtype)), scalar,
            "\(primitive) of \(count) and a number, \(dtype)")
        }
      }
    }
  }

  @Test func wholeNumbersWrapAround() {
    for dtype in [DType.int8, .uint8, .int32, .int64] {
      for count in kernelLengths.dropFirst() {
        let (low, high): (Int64, Int64) =
          switch dtype {
          case .int8: (-128, 127)
          case .uint8: (0, 255)
          case .int32: (Int64(Int32.min), Int64(Int32.max))
          default: (Int64.min, Int64.max)
          }
        let special: [Int64] = [low, high, 0, 1, 3, dtype == .uint8 ? 255 : -1, 7, dtype == .uint8 ? 9 : -3]
        let x = (0..<count).map { special[$0 % 8] }
        let y = (0..<count).map { index -> Int64 in
          let value = special[(index / 8 + index * 3 + 4) % 8]
          return value == 0 ? 2 : value
        }
        func wrapped(_ value: Int64) -> Int64 {
          switch dtype {
          case .int8: Int64(Int8(truncatingIfNeeded: value))
          case .uint8: Int64(UInt8(truncatingIfNeeded: value))
          case .int32: Int64(Int32(truncatingIfNeeded: value))
          default: value
          }
        }
        let (a, b) = (Tensor(x).cast(to: dtype), Tensor(y).cast(to: dtype))
        func expect(_ found: Tensor, _ name: String, _ exact: (Int64, Int64) -> Int64) {
          let expected = zip(x, y).map { wrapped(exact($0, $1)) }
          #expect(found.cast(to: .int64).elements(as: Int64.self) == expected, "\(name), \(dtype), \(count)")
        }
        expect(cpu.binary(.add, a, b), "add", &+)
        expect(cpu.binary(.subtract, a, b.laidOut(.reversed)), "subtract", &-)
        expect(cpu.binary(.multiply, a, b), "multiply", &*)
        expect(cpu.binary(.divide, a, b), "divide") { $0.dividedReportingOverflow(by: $1).partialValue }
        expect(cpu.binary(.remainder, a, b), "remainder") {
          let rest = $0.remainderReportingOverflow(dividingBy: $1).partialValue
          return rest != 0 && (rest < 0) != ($1 < 0) ? rest + $1 : rest
        }
        expect(cpu.binary(.maximum, a, b), "maximum") { Swift.max($0, $1) }
        expect(cpu.binary(.minimum, a, b), "minimum") { Swift.min($0, $1) }
        expect(cpu.unary(.negate, a), "negate") { value, _ in 0 &- value }
        expect(cpu.unary(.absolute, a), "absolute") { value, _ in value < 0 ? 0 &- value : value }
        expect(cpu.unary(.sign, a), "sign") { value, _ in value.signum() }
        expect(cpu.unary(.square, a), "square") { value, _ in value &* value }
      }
    }
  }

  @Test func remaindersHaveTheDivisorsSign() {
    let found = cpu.binary(.remainder, Tensor([7.0, -7, 7, -7, 6, -6]), Tensor([3.0, 3, -3, -3, 3, 3]))
    #expect(found.elements(as: Double.self) == [1, 2, -2, -1, 0, 0])
  }

  @Test func comparisonsAndExtremesKnowNaN() {
    for dtype in Self.floats {
      for count in kernelLengths.dropFirst() {
        var numbers = (0..<count).map { Double($0 % 5) - 2 }
        numbers[count - 1] = .nan
        let (x, zeros) = (Tensor(numbers).cast(to: dtype), Tensor(zeros: [count], dtype: dtype))
        func expect(_ primitive: ComparisonPrimitive, _ exact: (Double, Double) -> Bool) {
          let found = cpu.compare(primitive, x, zeros).elements(as: Bool.self)
          #expect(found == numbers.map { exact($0, 0) }, "\(primitive), \(count), \(dtype)")
          let scalar = cpu.compare(primitive, x.laidOut(.stepped), zeros.select(0)).elements(as: Bool.self)
          #expect(scalar == found, "\(primitive) with a number, \(count), \(dtype)")
        }
        expect(.equal, ==)
        expect(.notEqual, !=)
        expect(.less, <)
        expect(.lessOrEqual, <=)
        expect(.greater, >)
        expect(.greaterOrEqual, >=)
        for primitive in [BinaryPrimitive.maximum, .minimum] {
          let sides = [cpu.binary(primitive, x, zeros), cpu.binary(primitive, zeros, x)]
          for side in sides {
            #expect(side.cast(to: .float64).elements(as: Double.self)[count - 1].isNaN)
          }
        }
      }
    }
  }

  @Test func selectionTakesEitherSide() {
    for dtype in DType.allCases {
      for count in kernelLengths {
        let numbers = (0..<count).map { $0 % 2 }
        let condition = tensor([count]) { $0 % 3 == 0 }
        let a = Tensor(numbers).cast(to: dtype)
        let b = Tensor(numbers.map { 1 - $0 }).cast(to: dtype)
        let exact = tensor([count]) { $0 % 3 == 0 ? numbers[$0] : 1 - numbers[$0] }.cast(to: dtype)
        expectSame(cpu.select(condition, a, b), exact, "\(dtype), \(count)")
        expectSame(
          cpu.select(condition.laidOut(.reversed), a.laidOut(.stepped), b), exact, "views, \(dtype), \(count)"
        )
        let one = Tensor(1).cast(to: dtype)
        let ones = one.broadcast(to: [count])
        expectSame(
          cpu.select(condition, a, one), cpu.select(condition, a, ones.contiguous()), "\(dtype), \(count)")
        expectSame(
          cpu.select(condition, one, b), cpu.select(condition, ones.contiguous(), b), "\(dtype), \(count)")
      }
    }
  }

  @Test func largeWorkIsThatOfItsParts() {
    let numbers = (0..<301 * 7 * 97).map { Float($0 % 1013) - 500 }
    let a = Tensor(numbers, shape: [301, 7, 97])
    let row = tensor([97]) { Float($0) / 2 }
    let column = tensor([301, 1, 1]) { Float($0) }
    let (sums, products) = (cpu.binary(.add, a, row), cpu.binary(.multiply, column, a.laidOut(.transposed)))
    let condition = cpu.compare(.greater, a, column)
    let chosen = cpu.select(condition, a, row)
    for index in stride(from: 0, to: 301, by: 50) {
      let part = a.select(index)
      expectSame(sums.select(index), cpu.binary(.add, part, row), "sum \(index)")
      expectSame(
        products.select(index), cpu.binary(.multiply, column.select(index), part), "product \(index)")
      expectSame(
        chosen.select(index), cpu.select(cpu.compare(.greater, part, column.select(index)), part, row),
        "choice \(index)")
    }
  }

  @Test func addingInPlaceIsAdding() {
    for count in kernelLengths {
      for dtype in [DType.float32, .float64, .bfloat16, .int32] {
        let total = tensor([count]) { Double($0) }.cast(to: dtype)
        let value = tensor([count]) { Double($0 % 7) }.cast(to: dtype)
        let sum = cpu.binary(.add, total, value)
        cpu.accumulate(value.laidOut(.reversed), into: total)
        expectSame(total, sum, "\(dtype), \(count)")
      }
    }
  }
}
