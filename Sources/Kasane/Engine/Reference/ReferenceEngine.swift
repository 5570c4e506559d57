// SPDX-License-Identifier: Apache-2.0

/// The specification of the seam: every primitive as a plain loop over numbers, Double for floating-point types and
/// Int64 for whole ones, rounded to the tensor's type at the end. It shares the tensors' memory with the CPU's engine
/// and none of its kernels. Tests run all operations through it (`KASANE_ENGINE=reference`) and hold the CPU's engine
/// against it, primitive by primitive.
struct ReferenceEngine: Engine {
  var description: String { "reference" }

  // MARK: Memory

  func fill(_ target: Tensor, with value: Double) {
    target.set([Double](repeating: value, count: target.elementCount), clamping: true)
  }

  func copy(_ x: Tensor, into target: Tensor) {
    func run<N: ReferenceNumber>(_ type: N.Type) {
      target.set(x.numbers(type, in: target.shape), clamping: true)
    }
    run(x.dtype.number)
  }

  func scalar(_ x: Tensor) -> Double { x.numbers(Double.self)[0] }

  func isFinite(_ x: Tensor) -> Bool { x.numbers(Double.self).allSatisfy(\.isFinite) }

  // MARK: Element by element

  func unary(_ primitive: UnaryPrimitive, _ x: Tensor) -> Tensor {
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let values = x.numbers(type).map { number -> N in
        guard let value = N.apply(primitive, number) else {
          preconditionFailure("\(primitive): \(x.dtype) where a floating-point type is needed")
        }
        return value
      }
      return Tensor(numbers: values, shape: x.shape, dtype: x.dtype)
    }
    return run(x.dtype.number)
  }

  func binary(_ primitive: BinaryPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    let shape = commonShape("\(primitive)", a, b)
    let dtype = a.dtype
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let values = zip(a.numbers(type, in: shape), b.numbers(type, in: shape)).map { a, b -> N in
        let isDivision = primitive == .divide || primitive == .remainder
        precondition(N.self == Double.self || !isDivision || b.whole != 0, "\(primitive): by zero")
        guard let value = N.apply(primitive, a, b) else {
          preconditionFailure("\(primitive): \(dtype) where a floating-point type is needed")
        }
        return value
      }
      return Tensor(numbers: values, shape: shape, dtype: dtype)
    }
    return run(a.dtype.number)
  }

  func compare(_ primitive: ComparisonPrimitive, _ a: Tensor, _ b: Tensor) -> Tensor {
    let shape = commonShape("\(primitive)", a, b)
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let values = zip(a.numbers(type, in: shape), b.numbers(type, in: shape)).map { a, b -> Bool in
        switch primitive {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessOrEqual: a <= b
        case .greater: a > b
        case .greaterOrEqual: a >= b
        }
      }
      return Tensor(values, shape: shape)
    }
    return run(a.dtype.number)
  }

  func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
    let pair = commonShape("select", a, b)
    guard let shape = pair.broadcast(with: condition.shape) else {
      preconditionFailure("select: shapes \(condition.shape) and \(pair) do not broadcast")
    }
    let dtype = a.dtype
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let (a, b) = (a.numbers(type, in: shape), b.numbers(type, in: shape))
      let chosen = condition.numbers(ReferenceWhole.self, in: shape).enumerated().map { i, isTrue in
        isTrue.whole != 0 ? a[i] : b[i]
      }
      return Tensor(numbers: chosen, shape: shape, dtype: dtype)
    }
    return run(a.dtype.number)
  }

  func accumulate(_ value: Tensor, into total: Tensor) { copy(binary(.add, total, value), into: total) }

  private func commonShape(_ name: String, _ a: Tensor, _ b: Tensor) -> Shape {
    precondition(a.dtype == b.dtype, "\(name): \(a.dtype) with \(b.dtype); cast one of them")
    guard let shape = a.shape.broadcast(with: b.shape) else {
      preconditionFailure("\(name): shapes \(a.shape) and \(b.shape) do not broadcast")
    }
    return shape
  }

  // MARK: Reductions

  func reduce(_ primitive: ReductionPrimitive, _ x: Tensor, to shape: Shape) -> Tensor {
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      var results = [N?](repeating: nil, count: shape.elementCount)
      let result = Tensor(unsetWithShape: shape, dtype: x.dtype)
      for (value, place) in zip(x.numbers(type), result.places(in: x.shape)) {
        guard let present = results[place] else {
          results[place] = value
          continue
        }
        switch primitive {
        case .sum: results[place] = present + value
        case .product: results[place] = present * value
        case .maximum: results[place] = value > present || value.isNaN ? value : present
        case .minimum: results[place] = value < present || value.isNaN ? value : present
        }
      }
      // Over no elements; all of no truths are true.
      result.set(results.map { $0 ?? N(primitive == .product || primitive == .minimum ? 1.0 : 0) })
      return result
    }
    return run(x.dtype.number)
  }

  func argument(_ primitive: ReductionPrimitive, _ x: Tensor, axis: Int) -> Tensor {
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let lines = Lines(of: x.shape, along: axis), values = x.numbers(type)
      let results = lines.starts.map { start -> Int64 in
        var best = 0
        for i in 0..<lines.size {
          let (value, present) = (values[start + i * lines.step], values[start + best * lines.step])
          let isBetter = primitive == .maximum ? value > present : value < present
          if !present.isNaN && (isBetter || value.isNaN) { best = i }
        }
        return Int64(best)
      }
      var shape = Array(x.shape)
      shape.remove(at: axis)
      return Tensor(results, shape: Shape(shape))
    }
    return run(x.dtype.number)
  }

  func cumulativeSum(_ x: Tensor, axis: Int, reversed: Bool) -> Tensor {
    func run<N: ReferenceNumber>(_ type: N.Type) -> Tensor {
      let lines = Lines(of: x.shape, along: axis)
      var values = x.numbers(type)
      for start in lines.starts {
        for i in 1..<max(lines.size, 1) {
          let place = start + (reversed ? lines.size - 1 - i : i) * lines.step
          values[place] = values[place] + values[place + (reversed ? lines.step : -lines.step)]
        }
      }
      return Tensor(numbers: values, shape: x.shape, dtype: x.dtype)
    }
    return run(x.dtype.number)
  }
}

/// The lines of elements along an axis of a contiguous tensor: where each starts, how many elements it has and how
/// far they are apart.
struct Lines {
  let starts: [Int]
  let size: Int
  let step: Int

  init(of shape: Shape, along axis: Int) {
    let (size, step) = (shape[axis], shape.dropFirst(axis + 1).reduce(1, *))
    let outer = shape.prefix(axis).reduce(1, *)
    (self.size, self.step) = (size, step)
    starts = (0..<outer).flatMap { i in (0..<step).map { i * size * step + $0 } }
  }
}
