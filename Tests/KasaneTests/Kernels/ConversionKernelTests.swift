// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

@Suite struct ConversionKernelTests {
  /// What a half's bits mean, by the definition of the format.
  private func value(_ bits: UInt16, exponentBits: Int, fractionBits: Int) -> Double {
    let fraction = Double(bits & (1 << fractionBits - 1))
    let exponent = Int(bits >> fractionBits) & (1 << exponentBits - 1)
    let bias = 1 << (exponentBits - 1) - 1
    let scale = Double(1 << fractionBits)
    let magnitude =
      exponent == 0
      ? Foundation.scalbn(fraction / scale, 1 - bias)
      : Foundation.scalbn(1 + fraction / scale, exponent - bias)
    return bits >> 15 == 1 ? -magnitude : magnitude
  }

  private func halves(_ bits: [UInt16], _ dtype: DType) -> Tensor {
    let tensor = Tensor(unsetWithShape: [bits.count], dtype: dtype)
    bits.withUnsafeBytes {
      tensor.object.pointee.data!.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
    }
    return tensor
  }

  private func bits(_ tensor: Tensor) -> [UInt16] {
    let memory = tensor.object.pointee.data!.assumingMemoryBound(to: UInt16.self)
    return withExtendedLifetime(tensor) { (0..<tensor.elementCount).map { memory[$0] } }
  }

  @Test(arguments: [(DType.float16, 5, 10), (.bfloat16, 8, 7)])
  func everyHalfConvertsExactly(_ dtype: DType, _ exponentBits: Int, _ fractionBits: Int) {
    // All finite patterns, then infinity.
    let infinity = UInt16((1 << exponentBits - 1) << fractionBits)
    let positive = (0..<infinity).map { $0 }
    let exact = positive.map { value($0, exponentBits: exponentBits, fractionBits: fractionBits) }
    let wide = halves(positive, dtype).cast(to: .float32)
    #expect(wide.elements(as: Float.self).map(Double.init) == exact)
    #expect(bits(wide.cast(to: dtype)) == positive)
    #expect(bits(cpu.unary(.negate, wide).cast(to: dtype)) == positive.map { $0 | 0x8000 })
    // Half way between two neighbours the even one is the nearest; just beside it, the nearer one.
    let middles = zip(exact, exact.dropFirst()).map { Float(($0 + $1) / 2) }
    let even = positive.dropLast().map { $0 % 2 == 0 ? $0 : $0 + 1 }
    #expect(bits(Tensor(middles).cast(to: dtype)) == even)
    let above = middles.map { $0.nextUp }, below = middles.map { $0.nextDown }
    if dtype == .float16 {
      #expect(bits(Tensor(above).cast(to: dtype)) == positive.dropFirst().map { $0 })
      #expect(bits(Tensor(below).cast(to: dtype)) == positive.dropLast())
    }
    let special = Tensor([Float.infinity, -.infinity, .nan, 3.4e38]).cast(to: dtype)
    let back = special.cast(to: .float32).elements(as: Float.self)
    #expect(back[0] == .infinity && back[1] == -.infinity && back[2].isNaN && back[3] == .infinity)
  }

  @Test func wholeNumbersPassExactly() {
    let large: [Int64] = [
      .max, .min, 1 << 53 + 1, -(1 << 53) - 1, 0, Int64(Int32.max), Int64(Int32.min), 255,
    ]
    for count in kernelLengths {
      let numbers = (0..<count).map { large[$0 % large.count] }
      let x = Tensor(numbers)
      #expect(x.laidOut(.stepped).contiguous().elements(as: Int64.self) == numbers)
      #expect(x.cast(to: .int32).elements(as: Int32.self) == numbers.map { Int32(clamping: $0) })
      #expect(
        x.laidOut(.reversed).cast(to: .int32).elements(as: Int32.self) == numbers.map { Int32(clamping: $0) })
      #expect(x.cast(to: .int8).elements(as: Int8.self) == numbers.map { Int8(clamping: $0) })
      #expect(x.cast(to: .uint8).elements(as: UInt8.self) == numbers.map { UInt8(clamping: $0) })
      #expect(x.cast(to: .float32).elements(as: Float.self) == numbers.map { Float($0) })
      #expect(x.cast(to: .bool).elements(as: Bool.self) == numbers.map { $0 != 0 })
      let narrow = Tensor(numbers.map { Int32(clamping: $0) })
      #expect(narrow.cast(to: .int64).elements(as: Int64.self) == numbers.map { Int64(Int32(clamping: $0)) })
    }
  }

  @Test func fractionsAreCutOffAndSaturate() {
    let special: [Double] = [
      1.9, -1.9, 127.5, 128, -128.5, -129, 255.9, 256, -0.5, 2147483647, 2147483648, -2147483649,
      9.3e18, -9.3e18, .infinity, -.infinity, .nan, 9223372036854774784,
    ]
    for count in kernelLengths {
      let numbers = (0..<count).map { special[$0 % special.count] }
      func clamped<Whole: FixedWidthInteger>(_ type: Whole.Type, _ value: Double) -> Whole {
        value.isNaN ? 0 : value >= Double(Whole.max) ? .max : value <= Double(Whole.min) ? .min : Whole(value)
      }
      for (dtype, x) in [
        (DType.float64, numbers), (.float32, numbers.map { Double(Float($0)) }),
      ] {
        let tensor = Tensor(numbers).cast(to: dtype)
        #expect(tensor.cast(to: .int8).elements() == x.map { clamped(Int8.self, $0) }, "\(dtype)")
        #expect(tensor.cast(to: .uint8).elements() == x.map { clamped(UInt8.self, $0) }, "\(dtype)")
        #expect(tensor.cast(to: .int32).elements() == x.map { clamped(Int32.self, $0) }, "\(dtype)")
        #expect(tensor.cast(to: .int64).elements() == x.map { clamped(Int64.self, $0) }, "\(dtype)")
        #expect(tensor.laidOut(.reversed).cast(to: .int32).elements() == x.map { clamped(Int32.self, $0) })
        #expect(tensor.cast(to: .bool).elements() == x.map { $0 != 0 })
      }
    }
  }

  @Test(arguments: DType.allCases) func transposesAreCopiedWhole(_ dtype: DType) {
    for shape in [Shape([1, 1]), [3, 8], [33, 65], [9, 40, 100], [300, 7, 50], [200, 900]] {
      let x = tensor(shape) { Double($0 % 101) }.cast(to: dtype)
      let turned = x.transposed()
      let copy = turned.contiguous()
      expectSame(copy.transposed().contiguous(), x, "\(shape), \(dtype)")
      let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
      let (a, b) = (
        x.cast(to: .float64).elements(as: Double.self), copy.cast(to: .float64).elements(as: Double.self)
      )
      let place = { (row: Int, column: Int) in (row * columns + column, column * rows + row) }
      for (row, column) in [(0, 0), (rows - 1, 0), (0, columns - 1), (rows / 2, columns / 3)] {
        #expect(a[place(row, column).0] == b[place(row, column).1])
      }
    }
  }

  @Test func viewsAreFilled() {
    let whole = Tensor(zeros: [4, 5], dtype: .int32)
    cpu.fill(whole.select(2, axis: 1), with: 7)
    #expect(whole.elements(as: Int32.self) == (0..<20).map { $0 % 5 == 2 ? 7 : 0 })
  }
}
