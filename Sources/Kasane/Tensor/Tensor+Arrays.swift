// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// A tensor with two axes. The rows must have one length.
  public init<Element: TensorElement>(_ rows: [[Element]]) {
    let columns = rows.first?.count ?? 0
    for row in rows {
      precondition(row.count == columns, "a tensor of rows with \(columns) and with \(row.count) elements")
    }
    self.init(Array(rows.joined()), shape: Shape(rows.count, columns))
  }

  /// A tensor with three axes. The matrices must have one shape.
  public init<Element: TensorElement>(_ matrices: [[[Element]]]) {
    let (rows, columns) = (matrices.first?.count ?? 0, matrices.first?.first?.count ?? 0)
    for matrix in matrices {
      precondition(matrix.count == rows, "a tensor of matrices with \(rows) and with \(matrix.count) rows")
    }
    let flat = Tensor(Array(matrices.joined()))
    self = flat.reshaped(to: Shape(matrices.count, rows, columns))
  }

  /// The elements in row-major order, whatever their type, as numbers; true is 1.
  public var scalars: [Double] { [Double](self) }
}

extension Array where Element: TensorElement {
  /// A tensor's elements in row-major order, converted where they are of another type.
  public init(_ tensor: Tensor) {
    self = withoutGradient { tensor.cast(to: Element.dtype) }.elements(as: Element.self)
  }
}

extension Array {
  /// The rows of a tensor with two axes, its elements converted where they are of another type.
  public init<Scalar: TensorElement>(_ tensor: Tensor) where Element == [Scalar] {
    precondition(tensor.rank == 2, "rows of a tensor of shape \(tensor.shape), which has not two axes")
    let (all, columns) = ([Scalar](tensor), tensor.shape[1])
    self = (0..<tensor.shape[0]).map { [Scalar](all[$0 * columns..<($0 + 1) * columns]) }
  }
}

extension Tensor: ExpressibleByArrayLiteral {
  /// A number, a truth value or an array of such in an array literal that becomes a tensor.
  public struct Literal: ExpressibleByArrayLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, Sendable
  {
    fileprivate enum Content: Sendable {
      case integer(Int)
      case number(Double)
      case truth(Bool)
      case array([Literal])
    }

    fileprivate let content: Content

    /// A whole number.
    public init(integerLiteral value: Int) { content = .integer(value) }
    /// A number.
    public init(floatLiteral value: Double) { content = .number(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { content = .truth(value) }
    /// An array, of which all elements have one shape.
    public init(arrayLiteral elements: Literal...) { content = .array(elements) }

    fileprivate var shape: [Int] {
      guard case .array(let elements) = content else { return [] }
      let inner = elements.first?.shape ?? []
      for element in elements {
        precondition(
          element.shape == inner, "an array literal of tensors of shapes \(inner) and \(element.shape)")
      }
      return [elements.count] + inner
    }

    fileprivate func forEach(_ body: (Content) -> Void) {
      guard case .array(let elements) = content else { return body(content) }
      for element in elements { element.forEach(body) }
    }
  }

  /// A tensor of the literal's numbers: float32 where one of them is written with a point or exponent, int64 where
  /// all are whole, bool where they are truth values.
  ///
  ///     let weights: Tensor = [[1.5, 2], [3, 4]]
  public init(arrayLiteral elements: Literal...) {
    var (integers, numbers, truths): ([Int], [Float], [Bool]) = ([], [], [])
    var hasPoint = elements.isEmpty
    let whole = Literal(elements)
    whole.forEach { content in
      switch content {
      case .integer(let value):
        integers.append(value)
        numbers.append(Float(value))
      case .number(let value):
        hasPoint = true
        numbers.append(Float(value))
      case .truth(let value): truths.append(value)
      case .array: break
      }
    }
    precondition(truths.isEmpty || numbers.isEmpty, "an array literal of numbers and truth values")
    let shape = Shape(whole.shape)
    if !truths.isEmpty {
      self.init(truths, shape: shape)
    } else if hasPoint || numbers.isEmpty {
      self.init(numbers, shape: shape)
    } else {
      self.init(integers, shape: shape)
    }
  }
}

extension Tensor.Literal {
  fileprivate init(_ elements: [Tensor.Literal]) { content = .array(elements) }
}
