// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum PowerRows {
  static var reciprocalSquareRoot: [OperationRow] {
    [.unary("rsqrt", covers: ["rsqrt"], .positive) { rsqrt($0) }]
  }
  static var reciprocal: [OperationRow] {
    [.unary("reciprocal", covers: ["reciprocal"]) { Kasane.reciprocal($0) }]
  }
  static var exponentialMinusOne: [OperationRow] { [.unary("expm1", covers: ["expm1"]) { expm1($0) }] }
  static var logarithmOnePlus: [OperationRow] {
    [.unary("log1p", covers: ["log1p"], .between(-0.7, 2)) { log1p($0) }]
  }
  static var errorFunction: [OperationRow] { [.unary("erf", covers: ["erf"]) { erf($0) }] }
  static var power: [OperationRow] {
    [.binary("pow", covers: ["pow"], .positive, .real) { pow($0, $1) }]
  }
  static var powerOfNumber: [OperationRow] {
    // Those of whole numbers also of negative ones; a small whole exponent at every order of derivative becomes one of
    // the special cases.
    [-3.0, -1, 0, 1, 2, 3, 4].map { exponent in
      .unary("pow \(exponent)", covers: ["pow"]) { pow($0, exponent) }
    }
      + [-2.5, -0.5, 0.5, 1.7].map { exponent in
        .unary("pow \(exponent)", covers: ["pow"], .positive) { pow($0, exponent) }
      }
  }
  static var numberToPower: [OperationRow] {
    [0.4, 1, 2.5].map { base in .unary("\(base) to the power", covers: ["pow"]) { pow(base, $0) } }
  }
  static var logarithms: [OperationRow] {
    [
      .unary("log2", covers: ["log2"], .positive) { log2($0) },
      .unary("log10", covers: ["log10"], .positive) { log10($0) },
    ]
  }
}
