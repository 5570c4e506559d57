// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ElementwiseRows {
  static var leaf: [OperationRow] { [.unary("leaf", covers: ["*"], dtypes: .numbers) { $0 * $0 }] }
  static var add: [OperationRow] {
    [
      .binary("add", covers: ["+"], dtypes: .numbers, function: +),
      .unary("add number", covers: ["+"], dtypes: .numbers) { $0 + 3 },
    ]
  }
  static var subtract: [OperationRow] {
    [
      .binary("subtract", covers: ["-"], dtypes: .numbers, function: -),
      .unary("subtract number", covers: ["-"], dtypes: .numbers) { 3 - ($0 - 1) },
    ]
  }
  static var multiply: [OperationRow] {
    [
      .binary("multiply", covers: ["*"], dtypes: .numbers, function: *),
      .unary("multiply number", covers: ["*"], dtypes: .numbers) { 3 * ($0 * 2) },
    ]
  }
  static var divide: [OperationRow] {
    [
      .binary("divide", covers: ["/"], .real, .real, function: /),
      .unary("divide number", covers: ["/"]) { $0 / 3 },
    ]
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
}
