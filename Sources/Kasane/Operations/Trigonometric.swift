// SPDX-License-Identifier: Apache-2.0

/// The sine of each element, in radians.
public func sin(_ x: Tensor) -> Tensor {
  recorded(.sine, engine.unary(.sine, x), x, saving: x) { step in
    step.add(step.gradient * cos(step[0]), to: 0)
  }
}

/// The cosine of each element, in radians.
public func cos(_ x: Tensor) -> Tensor {
  recorded(.cosine, engine.unary(.cosine, x), x, saving: x) { step in
    step.add(-(step.gradient * sin(step[0])), to: 0)
  }
}

/// The tangent of each element, in radians.
public func tan(_ x: Tensor) -> Tensor {
  let y = engine.unary(.tangent, x)
  return recorded(.tangent, y, x, saving: y) { step in
    step.add(step.gradient * (square(step[0]) + 1), to: 0)
  }
}

/// The angle in [-pi/2, pi/2] whose sine is each element.
public func asin(_ x: Tensor) -> Tensor {
  recorded(.arcSine, engine.unary(.arcSine, x), x, saving: x) { step in
    step.add(step.gradient * rsqrt(1 - square(step[0])), to: 0)
  }
}

/// The angle in [0, pi] whose cosine is each element.
public func acos(_ x: Tensor) -> Tensor {
  recorded(.arcCosine, engine.unary(.arcCosine, x), x, saving: x) { step in
    step.add(-(step.gradient * rsqrt(1 - square(step[0]))), to: 0)
  }
}

/// The angle in (-pi/2, pi/2) whose tangent is each element.
public func atan(_ x: Tensor) -> Tensor {
  recorded(.arcTangent, engine.unary(.arcTangent, x), x, saving: x) { step in
    step.add(step.gradient / (square(step[0]) + 1), to: 0)
  }
}

/// The angle in [-pi, pi] of the point with the coordinates `x` and `y`, with NumPy's broadcasting; its derivatives
/// at the origin are taken as 0.
public func atan2(_ y: Tensor, _ x: Tensor) -> Tensor {
  recorded(.arcTangent2, engine.binary(.arcTangent2, y, x), y, x, saving: y, x) { step in
    let squares = square(step[0]) + square(step[1])
    let scaled = step.gradient / Tensor.where(squares .== 0, 1, squares)
    step.add(scaled * step[1], to: 0)
    step.add(-(scaled * step[0]), to: 1)
  }
}

// The hyperbolic tangent is among the activations.

/// The hyperbolic sine of each element.
public func sinh(_ x: Tensor) -> Tensor {
  recorded(.hyperbolicSine, engine.unary(.hyperbolicSine, x), x, saving: x) { step in
    step.add(step.gradient * cosh(step[0]), to: 0)
  }
}

/// The hyperbolic cosine of each element.
public func cosh(_ x: Tensor) -> Tensor {
  recorded(.hyperbolicCosine, engine.unary(.hyperbolicCosine, x), x, saving: x) { step in
    step.add(step.gradient * sinh(step[0]), to: 0)
  }
}

/// The number whose hyperbolic sine is each element.
public func asinh(_ x: Tensor) -> Tensor {
  recorded(.inverseHyperbolicSine, engine.unary(.inverseHyperbolicSine, x), x, saving: x) { step in
    step.add(step.gradient * rsqrt(square(step[0]) + 1), to: 0)
  }
}

/// The number of at least 0 whose hyperbolic cosine is each element, which is at least 1.
public func acosh(_ x: Tensor) -> Tensor {
  recorded(.inverseHyperbolicCosine, engine.unary(.inverseHyperbolicCosine, x), x, saving: x) { step in
    step.add(step.gradient * rsqrt(square(step[0]) - 1), to: 0)
  }
}

/// The number whose hyperbolic tangent is each element, which lies in [-1, 1].
public func atanh(_ x: Tensor) -> Tensor {
  recorded(.inverseHyperbolicTangent, engine.unary(.inverseHyperbolicTangent, x), x, saving: x) { step in
    step.add(step.gradient / (1 - square(step[0])), to: 0)
  }
}
