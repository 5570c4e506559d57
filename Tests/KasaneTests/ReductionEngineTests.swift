// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The CPU's engine against the reference: reductions, order, indexing and random numbers.
@Suite struct ReductionEngineTests {
  private static let reductions: [(Shape, Shape)] = [
    ([], []), ([5], [1]), ([2, 3], [1, 3]), ([2, 3], [2, 1]), ([2, 3, 4], [2, 1, 4]),
    ([2, 3, 4], [1, 3, 1]),
    ([0, 3], [1, 3]), ([3, 0], [3, 1]), ([2, 300], [2, 1]), ([300, 2], [1, 2]), ([1, 4, 1], [1, 1, 1]),
    ([2, 3], [2, 3]), ([3, 5, 2, 7], [1, 5, 1, 7]),
  ]

  @Test(arguments: [ReductionPrimitive.sum, .product, .maximum, .minimum])
  func reductions(_ primitive: ReductionPrimitive) {
    let isOrder = primitive == .maximum || primitive == .minimum
    for (shape, kept) in Self.reductions where !isOrder || shape.elementCount > 0 {
      compareEngines(
        "\(primitive) of \(shape) to \(kept)", isOrder ? .every : .numbers,
        [Input(shape, primitive == .product ? .between(0.7, 1.3) : .real)], tolerance: 1e-5
      ) { [$0.reduce(primitive, $1[0], to: kept)] }
    }
  }

  private static let lines: [(Shape, Int)] = [
    ([5], 0), ([2, 3], 0), ([2, 3], 1), ([2, 5, 4], 1), ([2, 1, 4], 1), ([0, 3], 1), ([300], 0),
    ([3, 70], 1),
    ([70, 3], 0),
  ]

  @Test func placesOfExtremes() {
    for (shape, axis) in Self.lines {
      compareEngines("argument of \(shape) along \(axis)", .every, [Input(shape)]) { engine, x in
        [ReductionPrimitive.maximum, .minimum].map { engine.argument($0, x[0], axis: axis) }
      }
    }
  }

  @Test func notANumberBeatsEveryNumber() {
    let x = Tensor(
      [1.0, Double.nan, 3, Double.infinity, Double.nan, -2, 5, -Double.infinity, 0], shape: [3, 3])
    for dtype in [DType].floatingPoint {
      let x = x.cast(to: dtype)
      for primitive in [ReductionPrimitive.maximum, .minimum] {
        for axis in 0..<2 {
          let kept: Shape = axis == 0 ? [1, 3] : [3, 1]
          expectSame { $0.reduce(primitive, x, to: kept) }
          expectSame { $0.argument(primitive, x, axis: axis) }
        }
      }
      for descending in [false, true] {
        expectSame { $0.sort(x.reshaped(to: [9]), descending: descending).indices }
        expectSame { $0.sort(x, descending: descending).values }
      }
      let windows = PoolingWindows(rows: [0..<2, 1..<3], columns: [0..<3, 2..<3])
      expectSame { $0.maximumPool(x.reshaped(to: [1, 3, 3, 1]), windows).values }
      expectSame { $0.maximumPool(x.reshaped(to: [1, 3, 3, 1]), windows).indices }
    }
  }

  private func expectSame(_ name: String = #function, _ run: (any Engine) -> Tensor) {
    expectClose(run(CPUEngine()), run(ReferenceEngine()), 0, name)
  }

  @Test func cumulativeSums() {
    for (shape, axis) in Self.lines {
      compareEngines("sums of \(shape) along \(axis)", .numbers, [Input(shape)], tolerance: 1e-5) {
        engine, x in
        [false, true].map { engine.cumulativeSum(x[0], axis: axis, reversed: $0) }
      }
    }
  }

  /// With many equal elements, whose order must stay.
  @Test func order() {
    for shape: Shape in [[5], [2, 3], [2, 0], [0, 2], [300], [3, 2000]] {
      for domain in [Domain.real, .between(0, 0.999), .between(-3, 3)] {
        compareEngines("sort \(shape)", .every, [Input(shape, domain)]) { engine, x in
          [false, true].flatMap { descending in
            let (values, indices) = engine.sort(x[0], descending: descending)
            return [values, indices]
          }
        }
      }
    }
  }

  @Test func indexing() {
    for (shape, axis) in Self.lines where shape[axis] > 0 {
      var along = shape
      along[axis] = 6
      let inputs = [
        Input(shape), Input(along), Input([6], .index(below: shape[axis])),
        Input(along, .index(below: shape[axis])),
      ]
      compareEngines("take \(shape) \(axis)", .every, inputs) { engine, x in
        [engine.take(x[0], x[2], axis: axis), engine.takeAlong(x[0], x[3], axis: axis)]
      }
      compareEngines("scatter \(shape) \(axis)", .numbers, inputs, tolerance: 1e-6) { engine, x in
        let (slices, elements) = (x[0].copied(by: engine), x[0].copied(by: engine))
        engine.scatterAdd(x[1], x[2], axis: axis, into: slices)
        engine.scatterAddAlong(x[1], x[3], axis: axis, into: elements)
        return [slices, elements]
      }
    }
  }

  @Test func randomNumbers() {
    for dtype in [DType].floatingPoint {
      for (distribution, position) in [
        (RandomDistribution.uniform, 0), (.uniform, 7), (.normal, 0), (.normal, 5),
      ] {
        for shape: Shape in [[], [1], [3, 5], [0], [700]] {
          func numbers(_ engine: any Engine) -> Tensor {
            engine.random(
              distribution, shape: shape, dtype: dtype, seed: 9, stream: 3, position: UInt64(position))
          }
          let (found, expected) = (numbers(CPUEngine()), numbers(ReferenceEngine()))
          #expect(found.dtype == dtype)
          // The C library's functions may differ in the last digit where they are vectorised.
          expectClose(
            found, expected, 1e-15 + (dtype == .float64 ? 0 : dtype.tolerance), "\(distribution) \(dtype)")
        }
      }
    }
  }

  /// Against their compositions, which round half-width numbers at every step.
  @Test func fusedPrimitives() {
    for shape: Shape in [[5], [2, 3], [2, 0], [0, 2], [3, 100], [2, 1, 7]] {
      compareEngines(
        "softmax \(shape)", [.float64, .float32], [Input(shape), Input(shape)], tolerance: 1e-5
      ) {
        [$0.softmax($1[0]), $0.logSoftmax($1[0]), $0.halfSquaredError($1[0], $1[1])]
      }
    }
  }
}

extension Tensor {
  /// A contiguous copy.
  fileprivate func copied(by engine: any Engine) -> Tensor {
    let copy = Tensor(unsetLike: self)
    engine.copy(self, into: copy)
    return copy
  }
}
