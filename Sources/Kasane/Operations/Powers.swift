// SPDX-License-Identifier: Apache-2.0

/// The square of each element.
public func square(_ x: Tensor) -> Tensor {
  recorded(.square, engine.unary(.square, x), x, saving: x) { step in
    step.add(2 * step.gradient * step[0], to: 0)
  }
}

/// The square root of each element.
public func sqrt(_ x: Tensor) -> Tensor {
  let y = engine.unary(.squareRoot, x)
  return recorded(.squareRoot, y, x, saving: y) { step in
    step.add(step.gradient / (2 * step[0]), to: 0)
  }
}

/// One over the square root of each element.
public func rsqrt(_ x: Tensor) -> Tensor {
  let y = engine.unary(.reciprocalSquareRoot, x)
  return recorded(.reciprocalSquareRoot, y, x, saving: y) { step in
    step.add(-0.5 * step.gradient * (step[0] * square(step[0])), to: 0)
  }
}

/// One over each element.
public func reciprocal(_ x: Tensor) -> Tensor {
  let y = engine.unary(.reciprocal, x)
  return recorded(.reciprocal, y, x, saving: y) { step in
    step.add(-(step.gradient * square(step[0])), to: 0)
  }
}

/// e to the power of each element.
public func exp(_ x: Tensor) -> Tensor {
  let y = engine.unary(.exponential, x)
  return recorded(.exponential, y, x, saving: y) { step in step.add(step.gradient * step[0], to: 0) }
}

/// exp(x) - 1 of each element, exact also near zero.
public func expm1(_ x: Tensor) -> Tensor {
  let y = engine.unary(.exponentialMinusOne, x)
  return recorded(.exponentialMinusOne, y, x, saving: y) { step in
    step.add(step.gradient * (step[0] + 1), to: 0)
  }
}

/// The natural logarithm of each element.
public func log(_ x: Tensor) -> Tensor {
  recorded(.logarithm, engine.unary(.logarithm, x), x, saving: x) { step in
    step.add(step.gradient / step[0], to: 0)
  }
}

/// log(1 + x) of each element, exact also near zero.
public func log1p(_ x: Tensor) -> Tensor {
  recorded(.logarithmOnePlus, engine.unary(.logarithmOnePlus, x), x, saving: x) { step in
    step.add(step.gradient / (step[0] + 1), to: 0)
  }
}

/// The logarithm to base 2 of each element.
public func log2(_ x: Tensor) -> Tensor { log(x) / logarithm(2) }

/// The logarithm to base 10 of each element.
public func log10(_ x: Tensor) -> Tensor { log(x) / logarithm(10) }

/// Gauss's error function of each element, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to it.
public func erf(_ x: Tensor) -> Tensor {
  recorded(.errorFunction, engine.unary(.errorFunction, x), x, saving: x) { step in
    step.add((2 / Double.pi.squareRoot()) * step.gradient * exp(-square(step[0])), to: 0)
  }
}

/// Each element of `x` to the power of that of `exponent`, with NumPy's broadcasting.
public func pow(_ x: Tensor, _ exponent: Tensor) -> Tensor {
  let y = engine.binary(.power, x, exponent)
  return recorded(.power, y, x, exponent, saving: x, exponent) { step in
    let (x, exponent) = (step[0], step[1])
    let isZero = withoutGradient { x .== 0 }
    // The derivatives of 0^0 by its base and of 0^b, b >= 0, by its exponent are taken as 0.
    step.add(
      step.gradient * exponent * pow(Tensor.where(isZero .& (exponent .== 0), 1, x), exponent - 1), to: 0)
    step.add(
      step.gradient * pow(x, exponent) * log(Tensor.where(isZero .& (exponent .>= 0), 1, x)), to: 1)
  }
}

/// Each element to the power of a number.
public func pow(_ x: Tensor, _ exponent: Double) -> Tensor {
  precondition(
    x.dtype.isFloatingPoint || exponent >= 0 && exponent == exponent.rounded(),
    "pow: \(x.dtype) to the power of \(exponent); cast it to a floating-point type")
  switch exponent {
  case 0: return Tensor(ones: x.shape, dtype: x.dtype)
  case 1: return x
  case 2: return square(x)
  case 3: return x * square(x)
  case 0.5: return sqrt(x)
  case -0.5: return rsqrt(x)
  case -1: return reciprocal(x)
  default:
    guard x.dtype.isFloatingPoint else {
      let root = pow(x, (exponent / 2).rounded(.down))
      return exponent.remainder(dividingBy: 2) == 0 ? square(root) : square(root) * x
    }
    return recorded(.powerOfNumber, engine.binary(.power, x, x.number(exponent)), x, saving: x) { step in
      step.add(exponent * step.gradient * pow(step[0], exponent - 1), to: 0)
    }
  }
}

/// A number to the power of each element.
public func pow(_ base: Double, _ exponent: Tensor) -> Tensor {
  let y = engine.binary(.power, exponent.number(base), exponent)
  return recorded(.numberToPower, y, exponent, saving: y) { step in
    step.add((base == 0 ? 0 : logarithm(base)) * step.gradient * step[0], to: 0)
  }
}
