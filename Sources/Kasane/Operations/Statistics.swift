// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The mean over the axes; NaN over no elements.
  public func mean(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    requireFloatingPoint("mean")
    let count = ReducedShape(self, over: axes, of: "mean").count
    return inSinglePrecision { $0.sum(axes: axes, keepingAxes: keepingAxes) / Double(count) }
  }

  /// The variance over the axes: the summed squares of the distances to the mean, divided by the number of elements
  /// less `correction`, which is 1 for the unbiased estimate from a sample (Bessel) and 0 for the variance of the
  /// elements themselves.
  public func variance(axes: Shape? = nil, keepingAxes: Bool = false, correction: Int = 1) -> Tensor {
    requireFloatingPoint("variance")
    let count = ReducedShape(self, over: axes, of: "variance").count
    return inSinglePrecision { x in
      let distances = x - x.mean(axes: axes, keepingAxes: true)
      let total = square(distances).sum(axes: axes, keepingAxes: keepingAxes)
      return total / Double(Swift.max(0, count - correction))
    }
  }

  /// The square root of the variance over the axes; its derivative where the variance is 0 is taken as 0.
  public func standardDeviation(
    axes: Shape? = nil, keepingAxes: Bool = false, correction: Int = 1
  ) -> Tensor {
    requireFloatingPoint("standardDeviation")
    return inSinglePrecision {
      $0.variance(axes: axes, keepingAxes: keepingAxes, correction: correction).power(0.5)
    }
  }

  /// log(sum(exp(x))) over the axes, without overflow; minus infinity over no elements.
  public func logSumExp(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    requireFloatingPoint("logSumExp")
    let reduced = ReducedShape(self, over: axes, of: "logSumExp")
    guard reduced.count > 0, elementCount > 0 else {
      return log(sum(axes: axes, keepingAxes: keepingAxes))
    }
    return inSinglePrecision { x in
      // Where the largest element is infinite it must not be subtracted from itself.
      let largest = withoutGradient { () -> Tensor in
        let largest = engine.reduce(.maximum, x, to: reduced.kept)
        return Tensor.where(Kasane.isFinite(largest), largest, 0)
      }
      let total = exp(x - largest).sum(axes: axes, keepingAxes: true)
      return reduced.result(log(total) + largest, keepingAxes: keepingAxes)
    }
  }

  /// The norm over the axes, sum(|x|^p)^(1/p): the sum of the magnitudes for p = 1, Euclid's length for p = 2, the
  /// largest magnitude for p = infinity, the smallest for p = -infinity, the number of elements that are not zero for
  /// p = 0. Where an element or the norm is 0 and has no derivative, it is taken as 0.
  public func norm(_ p: Double = 2, axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    requireFloatingPoint("norm")
    precondition(!p.isNaN, "norm: p is not a number")
    return inSinglePrecision { x in
      switch p {
      case 0: x.countNonzero(axes: axes, keepingAxes: keepingAxes).cast(to: x.dtype)
      case 1: abs(x).sum(axes: axes, keepingAxes: keepingAxes)
      case 2: square(x).sum(axes: axes, keepingAxes: keepingAxes).power(0.5)
      case .infinity: abs(x).max(axes: axes, keepingAxes: keepingAxes)
      case -.infinity: abs(x).min(axes: axes, keepingAxes: keepingAxes)
      default: abs(x).power(p).sum(axes: axes, keepingAxes: keepingAxes).power(1 / p)
      }
    }
  }

  /// Each element, of which none is negative, to a power; the derivative at zero is taken as 0.
  private func power(_ exponent: Double) -> Tensor {
    let isZero = withoutGradient { self .== 0 }
    let power = pow(Tensor.where(isZero, 1, self), exponent)
    return Tensor.where(isZero, exponent < 0 ? .infinity : 0, power)
  }
}
