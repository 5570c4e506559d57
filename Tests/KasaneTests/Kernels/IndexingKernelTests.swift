// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct IndexingKernelTests {
  private static let numbers: [DType] = [
    .float32, .float64, .bfloat16, .float16, .int8, .uint8, .int32, .int64,
  ]

  @Test(arguments: DType.allCases) func slicesAreTaken(_ dtype: DType) {
    for shape in [Shape([5]), [5, 3], [2, 5, 1], [3, 5, 40], [4, 5, 300]] {
      let axis = shape.count == 1 ? 0 : shape.firstIndex(of: 5)!
      let x = tensor(shape) { Double($0 % 97) }.cast(to: dtype)
      let places = [4, 0, 0, 3, 4, 1, 2]
      for layout in [Layout.contiguous, .transposed, .reversed] {
        let found = cpu.take(x.laidOut(layout), Tensor(places).laidOut(.reversed), axis: axis)
        for (number, place) in places.enumerated() {
          expectSame(
            found.select(number, axis: axis), x.select(place, axis: axis).contiguous(), "\(shape), \(dtype)")
        }
      }
      var none = shape
      none[axis] = 0
      #expect(cpu.take(x, Tensor([Int]()), axis: axis).shape == none)
    }
  }

  @Test(arguments: numbers) func slicesAreAddedInOrder(_ dtype: DType) {
    // Enough for threads to share the outer axis, the columns, or the slices.
    for shape in [Shape([6]), [6, 3], [40, 6, 60], [6, 700], [2, 6, 3]] {
      let axis = shape.firstIndex(of: 6)!
      let count = 70_000 / (shape.elementCount / 6) + 3
      let places = (0..<count).map { ($0 * $0 + $0 / 3) % 5 }
      var full = shape
      full[axis] = count
      let values = tensor(full) { Double($0 % 7) * 0.25 - 0.5 }.cast(
        to: dtype)
      let target = Tensor(ones: shape, dtype: dtype)
      let wide = target.cast(to: .float64)
      cpu.scatterAdd(values, Tensor(places), axis: axis, into: target)
      for (number, place) in places.enumerated() {
        let slice = wide.select(place, axis: axis)
        slice.fill(from: cpu.binary(.add, slice, values.select(number, axis: axis).cast(to: .float64)))
      }
      expectWrapped(target, wide, "\(shape), \(dtype)")
    }
  }

  /// Compares with sums in float64 as the type holds them.
  private func expectWrapped(_ found: Tensor, _ wide: Tensor, _ name: String) {
    let exact = wide.elements(as: Double.self).map { value -> Double in
      switch found.dtype {
      case .int8: Double(Int8(truncatingIfNeeded: Int(value)))
      case .uint8: Double(UInt8(truncatingIfNeeded: Int(value)))
      default: value
      }
    }
    let expected = Tensor(exact, shape: wide.shape)
    expectSame(found, expected.cast(to: .float32).cast(to: found.dtype), name)
  }

  @Test(arguments: numbers) func elementsAlongAnAxis(_ dtype: DType) {
    for (shape, axis, count) in [
      (Shape([6]), 0, 9), ([3, 6], 1, 4), ([6, 5], 0, 20_000), ([30, 6, 40], 1, 80), ([1, 6, 1], 1, 90_000),
    ] {
      var full = shape
      full[axis] = count
      let places = tensor(full) { ($0 * 5 + $0 / 7) % 6 }
      let x = tensor(shape) { Double($0 % 31) }.cast(to: dtype)
      let found = cpu.takeAlong(x.laidOut(.transposed), places.laidOut(.reversed), axis: axis)
      let (from, indices) = (x.cast(to: .float64).elements(as: Double.self), places.elements(as: Int.self))
      let inner = shape.dropFirst(axis + 1).reduce(1, *)
      let source = indices.indices.map {
        ($0 / inner / count * shape[axis] + indices[$0]) * inner + $0 % inner
      }
      expectSame(found, Tensor(source.map { from[$0] }, shape: full).cast(to: dtype), "\(shape), \(dtype)")

      let target = Tensor(ones: shape, dtype: dtype)
      let values = tensor(full) { Double($0 % 5) }.cast(to: dtype)
      cpu.scatterAddAlong(values.laidOut(.stepped), places, axis: axis, into: target)
      var sums = [Double](repeating: 1, count: shape.elementCount)
      for (place, target) in source.enumerated() { sums[target] += Double(place % 5) }
      expectWrapped(target, Tensor(sums, shape: shape), "\(shape), \(dtype)")
    }
  }

  @Test(arguments: DType.allCases) func sortsAreStable(_ dtype: DType) {
    var random = RandomGenerator(seed: 8)
    for (rows, count) in [(1, 0), (1, 1), (3, 2), (2, 47), (2, 48), (2, 49), (3, 300), (40, 1000), (1, 5000)]
    {
      var numbers = (0..<rows * count).map { _ in Double(Int.random(in: -90...90, using: &random)) }
      if dtype.isFloatingPoint && count > 10 {
        for (place, value) in [.nan, -0.0, 0.0, .infinity, -.infinity, -.nan, 0.0, -0.0, .nan].enumerated() {
          numbers[(place * 5) % count] = value
        }
      }
      let x = Tensor(numbers, shape: [rows, count]).cast(to: dtype)
      let wide = x.cast(to: .float64)
      for descending in [false, true] {
        let (values, indices) = cpu.sort(x.laidOut(.transposed), descending: descending)
        expectSame(values, cpu.takeAlong(x, indices, axis: 1), "\(count), \(dtype)")
        for row in 0..<rows {
          let keys = wide.select(row).elements(as: Double.self)
          let exact = keys.indices.sorted {
            let (a, b) = (keys[$0], keys[$1])
            if a == b || a.isNaN && b.isNaN { return $0 < $1 }
            if a.isNaN || b.isNaN { return b.isNaN != descending }
            return descending ? a > b : a < b
          }
          #expect(
            indices.select(row).elements(as: Int64.self) == exact.map(Int64.init),
            "row \(row) of \(count), descending \(descending), \(dtype)")
        }
      }
    }
  }

  @Test func wideNumbersAreSortedByAllTheirDigits() {
    var random = RandomGenerator(seed: 9)
    let numbers =
      (0..<3000).map { _ in Int64(bitPattern: random.next()) >> Int64(random.next() % 60) } + [.max, .min]
    #expect(cpu.sort(Tensor(numbers), descending: false).values.elements(as: Int64.self) == numbers.sorted())
    let real = (0..<3000).map { _ in random.normal() * (random.uniform() < 0.5 ? 1e-300 : 1e300) }
    #expect(cpu.sort(Tensor(real), descending: true).values.elements(as: Double.self) == real.sorted(by: >))
    #expect(cpu.sort(Tensor(2.5), descending: true).indices.scalar == 0)
  }
}
