// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What the elements of an input may be.
enum Domain {
  /// Numbers of either sign with magnitudes in [0.2, 1.2): away from zero, where functions have corners.
  case real
  /// Numbers in [0.2, 1.2).
  case positive
  /// Numbers of either sign with magnitudes in [0.1, 0.8).
  case insideOne
  /// Numbers in [lower, upper).
  case between(Double, Double)
  /// Numbers of which any two are at least 0.05 apart, where an order matters.
  case distinct
  /// Whole numbers from zero up to, and without, a bound, as int64.
  case index(below: Int)
  /// True and false.
  case bool

  /// Whether the elements are real numbers, cast to the type that is checked and differentiated by.
  var isReal: Bool {
    switch self {
    case .index, .bool: false
    default: true
    }
  }
}

/// An input of a row: its shape, and what its elements may be.
struct Input {
  var shape: Shape
  var domain: Domain

  init(_ shape: Shape, _ domain: Domain = .real) {
    self.shape = shape
    self.domain = domain
  }
}

/// Which shapes, besides its own, a row is tried with.
enum ShapeChoice {
  /// None.
  case fixed
  /// Random ones, the same for all inputs.
  case same(leastRank: Int = 0, allowsEmpty: Bool = true)
  /// Random ones that broadcast.
  case broadcasting
}

/// How often an operation can be differentiated.
enum Differentiability: Int {
  case none, once, twice
}

/// One use of an operation that the tests check in every way they know: finite differences, PyTorch's numbers, all the
/// types it admits, views, thread counts, engines.
struct OperationRow: Sendable {
  /// The row's own name, by which its fixture is found.
  let name: String
  /// The public functions of `Sources/Kasane/Operations` that the row uses.
  let covers: [String]
  /// What the function is called with.
  let inputs: [Input]
  /// What the function is called with besides.
  let shapes: ShapeChoice
  /// The element types that the real inputs may have; float64 is always tried.
  let dtypes: [DType]
  let differentiability: Differentiability
  /// Whether there is a fixture with PyTorch's value and gradients.
  let isInPyTorch: Bool
  /// Whether each element of the result is computed alone, so that the number of threads cannot change a bit.
  let isElementwise: Bool
  let function: @Sendable ([Tensor]) -> Tensor

  init(
    _ name: String, covers: [String], _ inputs: [Input], shapes: ShapeChoice = .fixed,
    dtypes: [DType] = .floatingPoint, differentiability: Differentiability = .twice, isInPyTorch: Bool = true,
    isElementwise: Bool = false, function: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.covers = covers
    self.inputs = inputs
    self.shapes = shapes
    self.dtypes = dtypes
    self.differentiability = differentiability
    self.isInPyTorch = isInPyTorch
    self.isElementwise = isElementwise
    self.function = function
  }

  /// A function of each element.
  static func unary(
    _ name: String, covers: [String], _ domain: Domain = .real, dtypes: [DType] = .floatingPoint,
    differentiability: Differentiability = .twice, isInPyTorch: Bool = true,
    function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: covers, [Input([2, 3], domain)], shapes: .same(), dtypes: dtypes,
      differentiability: differentiability, isInPyTorch: isInPyTorch, isElementwise: true
    ) { function($0[0]) }
  }

  /// A function of each pair of elements, broadcast.
  static func binary(
    _ name: String, covers: [String], _ left: Domain = .real, _ right: Domain = .real,
    dtypes: [DType] = .floatingPoint, differentiability: Differentiability = .twice, isInPyTorch: Bool = true,
    function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: covers, [Input([2, 1, 3], left), Input([4, 1], right)], shapes: .broadcasting,
      dtypes: dtypes, differentiability: differentiability, isInPyTorch: isInPyTorch, isElementwise: true
    ) { function($0[0], $0[1]) }
  }

  /// A function of one tensor of any shape with at least `leastRank` axes. Its gradient, where it is constant, is made
  /// to vary by whoever writes the row, with a `square` before or after.
  static func reduction(
    _ name: String, covers: [String], leastRank: Int = 0, allowsEmpty: Bool = true, _ domain: Domain = .real,
    dtypes: [DType] = .floatingPoint, differentiability: Differentiability = .twice, isInPyTorch: Bool = true,
    function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: covers, [Input([2, 3, 4], domain)],
      shapes: .same(leastRank: leastRank, allowsEmpty: allowsEmpty), dtypes: dtypes,
      differentiability: differentiability, isInPyTorch: isInPyTorch
    ) { function($0[0]) }
  }
}

extension OperationRow: CustomTestStringConvertible {
  var testDescription: String { name }
}

extension [DType] {
  /// The types of functions such as `exp`.
  static let floatingPoint: [DType] = [.float64, .float32, .bfloat16, .float16]
  /// The types of arithmetic.
  static let numbers: [DType] = floatingPoint + [.int8, .uint8, .int32, .int64]
  /// The types of comparison and movement.
  static let every: [DType] = numbers + [.bool]
}
