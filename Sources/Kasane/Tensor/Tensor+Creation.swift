// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The whole numbers 0, 1, ..., count - 1.
  public static func arange(_ count: Int, dtype: DType = .int64) -> Tensor {
    arange(from: 0, to: count, dtype: dtype)
  }

  /// The whole numbers from `start` up to and without `end`, in steps.
  public static func arange(from start: Int, to end: Int, step: Int = 1, dtype: DType = .int64) -> Tensor {
    precondition(step != 0, "arange: a step of 0")
    let (distance, overflows) = end.subtractingReportingOverflow(start)
    precondition(!overflows, "arange: from \(start) to \(end)")
    let isEmpty = step > 0 ? distance <= 0 : distance >= 0
    let count = isEmpty ? 0 : (distance - step.signum()) / step + 1
    return Tensor(shape: Shape(count), of: Int.self) { values in
      for place in 0..<count { values.initializeElement(at: place, to: start + place * step) }
    }.cast(to: dtype)
  }

  /// The numbers start, start + step, ... that lie before `end`.
  public static func arange(
    from start: Double, to end: Double, step: Double = 1, dtype: DType = .float32
  ) -> Tensor {
    let steps = ((end - start) / step).rounded(.up)
    precondition(
      step != 0 && steps.magnitude < 0x1p53, "arange: from \(start) to \(end) in steps of \(step)")
    return Tensor(shape: Shape(Swift.max(0, Int(steps))), of: Double.self) { values in
      for place in values.indices { values.initializeElement(at: place, to: start + Double(place) * step) }
    }.cast(to: dtype)
  }

  /// `count` numbers spread evenly from `start` to `end`, both included.
  public static func linspace(
    from start: Double, to end: Double, count: Int, dtype: DType = .float32
  ) -> Tensor {
    precondition(count >= 0, "linspace: \(count) numbers")
    return Tensor(shape: Shape(count), of: Double.self) { values in
      for place in values.indices {
        let part = count == 1 ? 0 : Double(place) / Double(count - 1)
        // The ends are met exactly.
        let value = place == count - 1 && count > 1 ? end : start + (end - start) * part
        values.initializeElement(at: place, to: value)
      }
    }.cast(to: dtype)
  }

  /// The matrix with ones on its diagonal and zeros elsewhere; square where the number of columns is not given.
  public static func eye(_ rows: Int, _ columns: Int? = nil, dtype: DType = .float32) -> Tensor {
    let result = Tensor(zeros: Shape(rows, columns ?? rows), dtype: dtype)
    engine.copy(
      Tensor(ones: Shape(), dtype: dtype),
      into: Slicing(diagonalOf: result.shape, row: 0, column: 1, offset: 0).view(of: result))
    return result
  }

  /// A tensor whose elements all have one value.
  public static func full(_ value: Double, shape: Shape, dtype: DType = .float32) -> Tensor {
    Tensor(repeating: value, shape: shape, dtype: dtype)
  }

  /// A tensor of zeros with the shape and type of another.
  public init(zerosLike other: Tensor) { self.init(zeros: other.shape, dtype: other.dtype) }
  /// A tensor of ones with the shape and type of another.
  public init(onesLike other: Tensor) { self.init(ones: other.shape, dtype: other.dtype) }
}
