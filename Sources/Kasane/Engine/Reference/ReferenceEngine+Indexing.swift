// SPDX-License-Identifier: Apache-2.0

extension ReferenceEngine {
  func take(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    var shape = x.shape
    shape[axis] = indices.elementCount
    return takeAlong(x, spread(indices, over: shape, axis), axis: axis)
  }

  func scatterAdd(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    scatterAddAlong(values, spread(indices, over: values.shape, axis), axis: axis, into: target)
  }

  /// Indices `[count]` along an axis, the same for all others.
  private func spread(_ indices: Tensor, over shape: Shape, _ axis: Int) -> Tensor {
    let numbers = indices.numbers(ReferenceWhole.self), lines = Lines(of: shape, along: axis)
    return Tensor((0..<shape.elementCount).map { numbers[$0 / lines.step % lines.size].whole }, shape: shape)
  }

  /// Where, in a contiguous tensor, the elements lie to which indices along an axis point.
  private func targets(_ indices: Tensor, axis: Int, in shape: Shape) -> [Int] {
    let own = Lines(of: indices.shape, along: axis), size = shape[axis]
    return indices.numbers(ReferenceWhole.self).enumerated().map { place, index in
      let (outer, inner) = (place / own.step / own.size, place % own.step)
      return (outer * size + Int(index.whole)) * own.step + inner
    }
  }

  func takeAlong(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let values = x.numbers(type)
      return Tensor(
        numbers: targets(indices, axis: axis, in: x.shape).map { values[$0] }, shape: indices.shape,
        dtype: x.dtype)
    }
    return run(x.dtype.number)
  }

  func scatterAddAlong(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    func run<N: ReferenceNumber>(_ type: N.Type) {
      var totals = target.numbers(type)
      for (value, place) in zip(values.numbers(type), targets(indices, axis: axis, in: target.shape)) {
        totals[place] = totals[place] + value
      }
      target.set(totals)
    }
    run(target.dtype.number)
  }

  func sort(_ x: Tensor, descending: Bool) -> (values: Tensor, indices: Tensor) {
    func run<N: ReferenceNumber>(_ type: N.Type) -> (Tensor, Tensor) {
      let size = x.shape[x.rank - 1], numbers = x.numbers(type)
      func isBefore(_ i: Int, _ j: Int) -> Bool {
        let (a, b) = descending ? (numbers[j], numbers[i]) : (numbers[i], numbers[j])
        if a < b || !a.isNaN && b.isNaN { return true }
        if b < a || a.isNaN && !b.isNaN { return false }
        return i < j
      }
      let order = stride(from: 0, to: numbers.count, by: max(size, 1)).flatMap { start in
        (start..<start + size).sorted(by: isBefore)
      }
      return (
        Tensor(numbers: order.map { numbers[$0] }, shape: x.shape, dtype: x.dtype),
        Tensor(order.map { Int64($0 % size) }, shape: x.shape)
      )
    }
    return run(x.dtype.number)
  }

  func random(
    _ distribution: RandomDistribution, shape: Shape, dtype: DType, seed: UInt64, stream: UInt64,
    position: UInt64
  ) -> Tensor {
    var generator = RandomGenerator(seed: seed, stream: stream, position: position)
    // Rounding must not make a number one.
    let belowOne: Double =
      switch dtype {
      case .float32: 1 - 0x1p-24
      case .bfloat16: 1 - 0x1p-8
      case .float16: 1 - 0x1p-11
      default: 1
      }
    let numbers = (0..<shape.elementCount).map { _ -> Double in
      switch distribution {
      case .uniform: min(generator.uniform(), belowOne)
      case .normal: generator.normal()
      }
    }
    return Tensor(numbers: numbers, shape: shape, dtype: dtype)
  }
}
