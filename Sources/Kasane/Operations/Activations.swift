// SPDX-License-Identifier: Apache-2.0

/// The hyperbolic tangent of each element.
public func tanh(_ x: Tensor) -> Tensor {
  let y = engine.unary(.tanh, x)
  return recorded(.tanh, y, x, saving: y) { step in
    step.add(tanhGradient(step.gradient, step[0]), to: 0)
  }
}

/// The logistic function 1 / (1 + exp(-x)) of each element.
public func sigmoid(_ x: Tensor) -> Tensor {
  let y = engine.unary(.sigmoid, x)
  return recorded(.sigmoid, y, x, saving: y) { step in
    step.add(sigmoidGradient(step.gradient, step[0]), to: 0)
  }
}

/// The larger of each element and zero (Nair and Hinton 2010); its derivative at zero is taken as 0.
public func relu(_ x: Tensor) -> Tensor {
  let y = engine.unary(.relu, x)
  return recorded(.relu, y, x, saving: y) { step in
    step.add(reluGradient(step.gradient, step[0]), to: 0)
  }
}

// The derivatives are operations themselves, so that second derivatives flow through them.

/// g (1 - y^2), where y = tanh(x).
func tanhGradient(_ g: Tensor, _ y: Tensor) -> Tensor {
  recorded(.tanhGradient, engine.binary(.tanhGradient, g, y), g, y, saving: g, y) { step in
    step.add(tanhGradient(step.gradient, step[1]), to: 0)
    step.add(-2 * step.gradient * step[0] * step[1], to: 1)
  }
}

/// g y (1 - y), where y = sigmoid(x).
func sigmoidGradient(_ g: Tensor, _ y: Tensor) -> Tensor {
  recorded(.sigmoidGradient, engine.binary(.sigmoidGradient, g, y), g, y, saving: g, y) { step in
    step.add(sigmoidGradient(step.gradient, step[1]), to: 0)
    step.add(step.gradient * step[0] * (1 - 2 * step[1]), to: 1)
  }
}

/// g where y > 0, else 0, where y = relu(x).
func reluGradient(_ g: Tensor, _ y: Tensor) -> Tensor {
  recorded(.reluGradient, engine.binary(.reluGradient, g, y), g, saving: y) { step in
    step.add(reluGradient(step.gradient, step[0]), to: 0)
  }
}

// MARK: Rectifiers

/// The function max(0, x) up to 6, min(max(0, x), 6) (Krizhevsky 2010); its derivative at 0 and 6 is taken as 0.
public func relu6(_ x: Tensor) -> Tensor { hardTanh(x, min: 0, max: 6) }

/// x where it is positive, else `slope` x (Maas et al. 2013).
public func leakyReLU(_ x: Tensor, slope: Double = 0.01) -> Tensor {
  x.requireFloatingPoint("leakyReLU")
  return x * withoutGradient { engine.select(x .> 0, x.number(1), x.number(slope)) }
}

/// x where it is positive, else `slope` x with a slope that is learnt (He et al. 2015, equation 1); `slope`
/// broadcasts to the shape of `x`: one number, say, or one for each channel of the last axis.
public func prelu(_ x: Tensor, slope: Tensor) -> Tensor {
  x.requireFloatingPoint("prelu")
  precondition(
    x.shape.broadcast(with: slope.shape) == x.shape,
    "prelu: a slope of shape \(slope.shape) does not broadcast to shape \(x.shape)")
  return Tensor.where(x .> 0, x, x * slope)
}

/// x where it is positive, else `alpha` (exp(x) - 1) (Clevert et al. 2016, equation 16).
public func elu(_ x: Tensor, alpha: Double = 1) -> Tensor { relu(x) + alpha * expm1(x.clipped(max: 0)) }

/// The exponential linear unit scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017,
/// equation 2).
public func selu(_ x: Tensor) -> Tensor {
  let (scale, alpha) = (1.0507009873554804934193349852946, 1.6732632423543772848170429916717)
  return scale * elu(x, alpha: alpha)
}

/// log(1 + exp(x)) (Dugas et al. 2001).
public func softplus(_ x: Tensor) -> Tensor {
  recorded(.softplus, engine.unary(.softplus, x), x, saving: x) { step in
    step.add(step.gradient * sigmoid(step[0]), to: 0)
  }
}

// MARK: Gates

/// x Phi(x), where Phi is the distribution function of the standard normal distribution (Hendrycks and Gimpel 2016).
public func gelu(_ x: Tensor) -> Tensor {
  recorded(.gelu, engine.unary(.gelu, x), x, saving: x) { step in
    step.add(geluGradient(step.gradient, step[0]), to: 0)
  }
}

/// g (Phi(x) + x phi(x)), where phi is the density of the standard normal distribution.
func geluGradient(_ g: Tensor, _ x: Tensor) -> Tensor {
  recorded(.geluGradient, engine.binary(.geluGradient, g, x), g, x, saving: g, x) { step in
    step.add(geluGradient(step.gradient, step[1]), to: 0)
    let square = square(step[1])
    let density = (0.5 / Double.pi).squareRoot() * exp(-0.5 * square)
    step.add(step.gradient * step[0] * (density * (2 - square)), to: 1)
  }
}

/// The approximation of `gelu` by the hyperbolic tangent,
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel 2016, section 2).
public func geluTanh(_ x: Tensor) -> Tensor {
  // The primitive's gradient is not recorded, so the composition serves where second derivatives may be asked for.
  if Tape.isNested { return composedGELUTanh(x) }
  return recorded(.geluTanh, engine.unary(.geluTanh, x), x, saving: x) { step in
    step.add(engine.binary(.geluTanhGradient, step.gradient, step[0]), to: 0)
  }
}

/// The same from plain operations.
func composedGELUTanh(_ x: Tensor) -> Tensor {
  let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * (x * square(x)))
  return 0.5 * x * (tanh(inner) + 1)
}

/// x sigmoid(x), also called swish (Elfwing et al. 2018; Ramachandran et al. 2017).
public func silu(_ x: Tensor) -> Tensor {
  recorded(.silu, engine.unary(.silu, x), x, saving: x) { step in
    let gate = sigmoid(step[0])
    step.add(step.gradient * (gate * (step[0] * (1 - gate) + 1)), to: 0)
  }
}

/// x tanh(softplus(x)) (Misra 2020).
public func mish(_ x: Tensor) -> Tensor { x * tanh(softplus(x)) }

/// The first half of an axis times the logistic function of its second half (Dauphin et al. 2017).
public func glu(_ x: Tensor, axis: Int = -1) -> Tensor {
  let axis = x.axis(axis, of: "glu")
  precondition(x.shape[axis] % 2 == 0, "glu: axis \(axis) of shape \(x.shape) has no halves")
  var halves = Array(x.shape)
  halves[axis] /= 2
  halves.insert(2, at: axis)
  let pairs = x.reshaped(to: Shape(halves))
  return pairs.select(0, axis: axis) * sigmoid(pairs.select(1, axis: axis))
}

/// The hyperbolic tangent of the first half of the last axis times the logistic function of its second half (van den
/// Oord et al. 2016, "WaveNet", equation 2): `[..., 2 * features]` becomes `[..., features]`.
public func gatedTanh(_ x: Tensor) -> Tensor {
  x.requireFloatingPoint("gatedTanh")
  precondition(
    x.rank > 0 && x.shape[x.rank - 1] % 2 == 0, "gatedTanh: the last axis of shape \(x.shape) has no halves")
  // Where a second derivative may be asked for, the halves are recorded themselves.
  if Tape.isNested {
    let half = x.shape[x.rank - 1] / 2
    return tanh(x.sliced(0..<half, axis: -1)) * sigmoid(x.sliced(half..<2 * half, axis: -1))
  }
  return recorded(.gatedTanh, engine.gatedTanh(x), x, saving: x) { step in
    step.add(engine.gatedTanhGradient(step.gradient, step[0]), to: 0)
  }
}

// MARK: Bounded functions

/// x / (1 + |x|) (Bergstra et al. 2009).
public func softsign(_ x: Tensor) -> Tensor {
  x.requireFloatingPoint("softsign")
  return x / (abs(x) + 1)
}

/// x between two bounds, elsewhere the nearest bound (Collobert 2004); its derivative at the bounds is taken as 0.
public func hardTanh(_ x: Tensor, min lower: Double = -1, max upper: Double = 1) -> Tensor {
  x.requireFloatingPoint("hardTanh")
  precondition(lower <= upper, "hardTanh: a least value of \(lower) above \(upper)")
  let y = engine.binary(.minimum, engine.binary(.maximum, x, x.number(lower)), x.number(upper))
  return recorded(.hardTanh, y, x, saving: x) { step in
    let isBetween = withoutGradient { (step[0] .> lower) .& (step[0] .< upper) }
    step.add(Tensor.where(isBetween, step.gradient, 0), to: 0)
  }
}

/// x / 6 + 1/2 between 0 and 1 (Howard et al. 2019, section 5.2).
public func hardSigmoid(_ x: Tensor) -> Tensor { hardTanh(x / 6 + 0.5, min: 0, max: 1) }

/// x hardSigmoid(x) (Howard et al. 2019, section 5.2).
public func hardSwish(_ x: Tensor) -> Tensor { x * hardSigmoid(x) }
