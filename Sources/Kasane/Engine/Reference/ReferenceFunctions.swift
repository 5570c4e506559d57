// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The functions of one and two elements; nil where the kind of number does not admit them.

extension Double {
  static func apply(_ primitive: UnaryPrimitive, _ x: Double) -> Double? {
    switch primitive {
    case .negate: -x
    case .absolute: x.magnitude
    case .sign: x > 0 ? 1 : x < 0 ? -1 : x
    case .square: x * x
    case .squareRoot: x.squareRoot()
    case .reciprocalSquareRoot: 1 / x.squareRoot()
    case .reciprocal: 1 / x
    case .exponential: exp(x)
    case .exponentialMinusOne: expm1(x)
    case .logarithm: log(x)
    case .logarithmOnePlus: log1p(x)
    case .sine: sin(x)
    case .cosine: cos(x)
    case .tangent: tan(x)
    case .arcSine: asin(x)
    case .arcCosine: acos(x)
    case .arcTangent: atan(x)
    case .hyperbolicSine: sinh(x)
    case .hyperbolicCosine: cosh(x)
    case .tanh: tanh(x)
    case .inverseHyperbolicSine: asinh(x)
    case .inverseHyperbolicCosine: acosh(x)
    case .inverseHyperbolicTangent: atanh(x)
    case .errorFunction: erf(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .softplus: (x < 0 ? 0 : x) + log1p(exp(-x.magnitude))
    case .relu: x < 0 ? 0 : x
    case .gelu: x == -.infinity ? 0 : 0.5 * x * erfc(-x * 0.5.squareRoot())
    case .geluTanh:
      x == -.infinity ? 0 : x / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x == -.infinity ? 0 : x / (1 + exp(-x))
    case .floor: x.rounded(.down)
    case .ceiling: x.rounded(.up)
    case .round: x.rounded(.toNearestOrEven)
    }
  }

  static func apply(_ primitive: BinaryPrimitive, _ a: Double, _ b: Double) -> Double? {
    switch primitive {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .power: pow(a, b)
    case .maximum: a > b || a.isNaN ? a : b
    case .minimum: a < b || a.isNaN ? a : b
    case .remainder: floorRemainder(a, b)
    case .arcTangent2: atan2(a, b)
    case .tanhGradient: a * (1 - b * b)
    case .sigmoidGradient: a * b * (1 - b)
    case .reluGradient: b > 0 ? a : 0
    case .geluGradient: a * geluSlope(b)
    case .geluTanhGradient: a * geluTanhSlope(b)
    }
  }

  private static func geluSlope(_ x: Double) -> Double {
    let density = (0.5 / Double.pi).squareRoot() * exp(-0.5 * x * x)
    return 0.5 * erfc(-x * 0.5.squareRoot()) + (density == 0 ? 0 : x * density)
  }

  private static func geluTanhSlope(_ x: Double) -> Double {
    let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
    let gate = 1 / (1 + exp(-2 * inner))
    let rise = 2 * (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x) * gate * (1 - gate)
    return gate + (rise.isNaN && !x.isNaN ? 0 : x * rise)
  }

  /// The remainder with the divisor's sign.
  private static func floorRemainder(_ a: Double, _ b: Double) -> Double {
    let rest = fmod(a, b)
    if rest == 0 { return Double(signOf: b, magnitudeOf: 0) }
    return (rest < 0) != (b < 0) ? rest + b : rest
  }
}

extension ReferenceWhole {
  static func apply(_ primitive: UnaryPrimitive, _ x: ReferenceWhole) -> ReferenceWhole? {
    let x = x.whole
    let result: Int64? =
      switch primitive {
      case .negate: 0 &- x
      case .absolute: x < 0 ? 0 &- x : x
      case .sign: x.signum()
      case .square: x &* x
      case .relu: max(x, 0)
      default: nil
      }
    return result.map(ReferenceWhole.init)
  }

  /// Division drops the fraction; the remainder has the divisor's sign.
  static func apply(
    _ primitive: BinaryPrimitive, _ a: ReferenceWhole, _ b: ReferenceWhole
  ) -> ReferenceWhole? {
    let (a, b) = (a.whole, b.whole)
    let result: Int64? =
      switch primitive {
      case .add: a &+ b
      case .subtract: a &- b
      case .multiply: a &* b
      case .divide: a.dividedReportingOverflow(by: b).partialValue
      case .remainder: floorRemainder(a, b)
      case .maximum: max(a, b)
      case .minimum: min(a, b)
      default: nil
      }
    return result.map(ReferenceWhole.init)
  }

  private static func floorRemainder(_ a: Int64, _ b: Int64) -> Int64 {
    let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
  }
}
