// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ElementwiseRows {
  static var leaf: [OperationRow] { [.unary("leaf", covers: ["*"], dtypes: .numbers) { $0 * $0 }] }
  static var add: [OperationRow] {
    [
      .binary("add", covers: ["+"], dtypes: .numbers, function: +),
      .unary("add number", covers: ["+"], dtypes: .numbers) { $0 + 3 },
      inPlace("+=", .real, dtypes: .numbers) { a, b in
        a += b
        a += 2
      },
    ]
  }
  static var subtract: [OperationRow] {
    [
      .binary("subtract", covers: ["-"], dtypes: .numbers, function: -),
      .unary("subtract number", covers: ["-"], dtypes: .numbers) { 3 - ($0 - 1) },
      inPlace("-=", .real, dtypes: .numbers) { a, b in
        a -= b
        a -= 2
      },
    ]
  }
  static var multiply: [OperationRow] {
    [
      .binary("multiply", covers: ["*"], dtypes: .numbers, function: *),
      .unary("multiply number", covers: ["*"], dtypes: .numbers) { 3 * ($0 * 2) },
      inPlace("*=", .real, dtypes: .numbers) { a, b in
        a *= b
        a *= 2
      },
    ]
  }
  static var divide: [OperationRow] {
    [
      .binary("divide", covers: ["/"], .real, .real, function: /),
      .unary("divide number", covers: ["/"]) { $0 / 3 },
      .unary("divide a number", covers: ["/"], .positive, isInPyTorch: false) { 3 / $0 + (1 + $0) },
      inPlace("/=", .positive) { a, b in
        a /= b
        a /= 2
      },
    ]
  }
  /// An operator that assigns, by a smaller tensor and by a number.
  private static func inPlace(
    _ name: String, _ right: Domain, dtypes: [DType] = .floatingPoint,
    function: @escaping @Sendable (inout Tensor, Tensor) -> Void
  ) -> OperationRow {
    OperationRow(
      name, covers: [name], [Input([2, 3]), Input([3], right)], dtypes: dtypes, isInPyTorch: false
    ) {
      var result = $0[0]
      function(&result, $0[1])
      return result
    }
  }

  static var negate: [OperationRow] { [.unary("negate", covers: ["-"], dtypes: .numbers) { -$0 }] }
  static var square: [OperationRow] {
    [.unary("square", covers: ["square"], dtypes: .numbers) { Kasane.square($0) }]
  }
  static var squareRoot: [OperationRow] { [.unary("sqrt", covers: ["sqrt"], .positive) { sqrt($0) }] }
  static var exponential: [OperationRow] { [.unary("exp", covers: ["exp"]) { exp($0) }] }
  static var logarithm: [OperationRow] { [.unary("log", covers: ["log"], .positive) { log($0) }] }
  static var cast: [OperationRow] {
    [
      .unary("cast to its own type", covers: [], isInPyTorch: false) { $0.cast(to: $0.dtype) },
      // Through another type and back, so that the result has the type it is expected to have.
      .unary("cast", covers: [], dtypes: [.float64], isInPyTorch: false) {
        (3 * $0).cast(to: .float64).cast(to: $0.dtype)
      },
    ]
  }

  static var absolute: [OperationRow] { [.unary("abs", covers: ["abs"], dtypes: .numbers) { abs($0) }] }
  // One side keeps away from the other, whose ties have no derivative.
  static var maximum: [OperationRow] {
    [
      .binary("maximum", covers: ["maximum"], .real, .between(-0.1, 0.1), dtypes: .numbers) {
        Kasane.maximum($0, $1)
      }
    ]
  }
  static var minimum: [OperationRow] {
    [
      .binary("minimum", covers: ["minimum"], .real, .between(-0.1, 0.1), dtypes: .numbers) {
        Kasane.minimum($0, $1)
      }
    ]
  }
  static var remainder: [OperationRow] {
    [
      .binary("remainder", covers: ["remainder"], .real, .between(1.3, 2.5), dtypes: .numbers) {
        Kasane.remainder($0, $1)
      },
      .binary("remainder by negative", covers: ["remainder"], .real, .between(1.3, 2.5)) {
        Kasane.remainder(3 * $0, -3 * $1)
      },
      .unary("remainder by number", covers: ["remainder"]) { Kasane.remainder($0, -2.5) },
    ]
  }
  static var clip: [OperationRow] {
    [
      .unary("clipped", covers: ["clipped"]) { $0.clipped(min: -0.1, max: 5) },
      .unary("clipped above", covers: ["clipped"]) { $0.clipped(max: 0.1) },
      .unary("clipped below", covers: ["clipped"]) { $0.clipped(min: 0) },
    ]
  }

  /// Functions without a derivative.
  static var constant: [OperationRow] {
    let functions: [(String, @Sendable (Tensor) -> Tensor)] = [
      ("sign", { sign($0) }), ("floor", { floor($0) }), ("ceil", { ceil($0) }), ("round", { round($0) }),
    ]
    return functions.map { name, function in
      .unary(
        name, covers: [name], .between(-3, 3), dtypes: .numbers, differentiability: .none, function: function)
    }
  }
  static var interpolation: [OperationRow] {
    [
      OperationRow(
        "lerp", covers: ["lerp"], [Input([2, 3]), Input([3]), Input([2, 1])], shapes: .broadcasting,
        isElementwise: true
      ) { lerp($0[0], $0[1], weight: $0[2]) },
      .binary("lerp by number", covers: ["lerp"]) { lerp($0, $1, weight: 0.3) },
    ]
  }
}
