// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum TrigonometricRows {
  static var sine: [OperationRow] { [.unary("sin", covers: ["sin"]) { sin($0) }] }
  static var cosine: [OperationRow] { [.unary("cos", covers: ["cos"]) { cos($0) }] }
  static var tangent: [OperationRow] { [.unary("tan", covers: ["tan"]) { tan($0) }] }
  static var arcSine: [OperationRow] { [.unary("asin", covers: ["asin"], .insideOne) { asin($0) }] }
  static var arcCosine: [OperationRow] { [.unary("acos", covers: ["acos"], .insideOne) { acos($0) }] }
  static var arcTangent: [OperationRow] { [.unary("atan", covers: ["atan"]) { atan($0) }] }
  static var hyperbolicSine: [OperationRow] { [.unary("sinh", covers: ["sinh"]) { sinh($0) }] }
  static var hyperbolicCosine: [OperationRow] { [.unary("cosh", covers: ["cosh"]) { cosh($0) }] }
  static var inverseHyperbolicSine: [OperationRow] { [.unary("asinh", covers: ["asinh"]) { asinh($0) }] }
  static var inverseHyperbolicCosine: [OperationRow] {
    [.unary("acosh", covers: ["acosh"], .between(1.2, 3)) { acosh($0) }]
  }
  static var inverseHyperbolicTangent: [OperationRow] {
    [.unary("atanh", covers: ["atanh"], .insideOne) { atanh($0) }]
  }
  static var arcTangent2: [OperationRow] { [.binary("atan2", covers: ["atan2"]) { atan2($0, $1) }] }
}
