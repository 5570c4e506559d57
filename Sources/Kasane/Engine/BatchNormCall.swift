// SPDX-License-Identifier: Apache-2.0

/// A batch normalisation with what follows it: each channel of `x` less its mean, over the root of its variance, times
/// its scale, plus its shift, plus the residual, and where it rectifies zero in place of what is negative.
///
/// Scale, shift and statistics are `[channels]`, of type float64 where `x` is, else of type float32.
public struct BatchNormCall {
  /// What is normalised, `[..., channels]`, of a floating-point type and not empty.
  public var x: Tensor
  /// What is added, of the shape and type of `x`.
  public var residual: Tensor?
  /// What each channel is multiplied by.
  public var scale: Tensor?
  /// What is added to each channel.
  public var shift: Tensor?
  /// What is added to the variance.
  public var epsilon: Double
  /// Whether negative numbers become zero.
  public var rectifies: Bool
}

/// A batch normalisation's way back.
public struct BatchNormBackward {
  /// The gradient of the value.
  public var gradient: Tensor
  /// The value; may be nil where there is no residual or the call does not rectify.
  public var value: Tensor?
  /// The mean of each channel in the batch.
  public var mean: Tensor
  /// The mean squared distance from the mean of each channel in the batch.
  public var variance: Tensor
  /// What the gradient by `x` is added to in place, of its shape and type, where there is something; it may be a view.
  public var total: Tensor?
  /// Whether the gradient by `x` is wanted.
  public var needsInput: Bool
  /// Whether the gradient by the residual is wanted.
  public var needsResidual: Bool
}

/// The gradients by what a batch normalisation is made of; nil where not wanted or not there.
public struct BatchNormGradients {
  /// By `x`, or the total that it was added to.
  public var x: Tensor?
  /// By the residual, of its shape and type.
  public var residual: Tensor?
  /// By the scale, `[channels]`.
  public var scale: Tensor
  /// By the shift, `[channels]`.
  public var shift: Tensor
}

extension Engine {
  /// Mean and mean squared distance over all rows, and then the rest.
  public func batchNorm(_ call: BatchNormCall) -> (value: Tensor, mean: Tensor, variance: Tensor) {
    composedBatchNorm(call)
  }

  /// The call with the given mean and variance.
  public func batchNorm(_ call: BatchNormCall, mean: Tensor, variance: Tensor) -> Tensor {
    composedBatchNorm(call, mean: mean, variance: variance)
  }

  /// The gradients of a call with the batch's own statistics.
  public func batchNormGradient(_ call: BatchNormCall, _ backward: BatchNormBackward) -> BatchNormGradients {
    composedBatchNormGradient(call, backward)
  }

  func composedBatchNorm(_ call: BatchNormCall) -> (value: Tensor, mean: Tensor, variance: Tensor) {
    let columns = Columns(self, of: call.x)
    let mean = columns.mean(columns.wide(call.x))
    let distances = binary(.subtract, columns.wide(call.x), mean)
    let variance = columns.mean(unary(.square, distances))
    let (flatMean, flatVariance) = (columns.flat(mean), columns.flat(variance))
    return (composedBatchNorm(call, mean: flatMean, variance: flatVariance), flatMean, flatVariance)
  }

  func composedBatchNorm(_ call: BatchNormCall, mean: Tensor, variance: Tensor) -> Tensor {
    let columns = Columns(self, of: call.x)
    var y = columns.normalized(call, mean: mean, variance: variance)
    if let scale = call.scale { y = binary(.multiply, y, scale) }
    if let shift = call.shift { y = binary(.add, y, shift) }
    if let residual = call.residual { y = binary(.add, y, columns.wide(residual)) }
    if call.rectifies { y = unary(.relu, y) }
    return columns.narrow(y)
  }

  /// With n rows and z the normalised x, whose mean is 0 and mean square 1 (Ioffe and Szegedy 2015, section 3):
  ///
  ///     dx = scale / deviation (g - sum(g) / n - z sum(g z) / n)
  func composedBatchNormGradient(_ call: BatchNormCall, _ backward: BatchNormBackward) -> BatchNormGradients {
    let columns = Columns(self, of: call.x)
    var gradient = backward.gradient
    if call.rectifies {
      let value =
        backward.value ?? composedBatchNorm(call, mean: backward.mean, variance: backward.variance)
      gradient = binary(.reluGradient, gradient, value)
    }
    let g = columns.wide(gradient)
    let z = columns.normalized(call, mean: backward.mean, variance: backward.variance)
    let sum = columns.sum(g), product = columns.sum(binary(.multiply, g, z))
    var result = BatchNormGradients(
      x: nil, residual: backward.needsResidual ? gradient : nil, scale: columns.flat(product),
      shift: columns.flat(sum))
    guard backward.needsInput else { return result }
    let n = columns.number(Double(columns.rows))
    let level = binary(.divide, sum, n), slope = binary(.divide, product, n)
    let rest = binary(.subtract, binary(.subtract, g, level), binary(.multiply, z, slope))
    var factor = columns.inverseDeviation(call, backward.variance)
    if let scale = call.scale { factor = binary(.multiply, factor, scale) }
    let value = columns.narrow(binary(.multiply, rest, factor))
    result.x = value
    if let total = backward.total {
      copy(binary(.add, total, value), into: total)
      result.x = total
    }
    return result
  }
}

/// What the compositions have in common: numbers for each channel, in the type that is computed in.
private struct Columns<E: Engine> {
  let engine: E
  let dtype, wideType: DType
  let shape: Shape
  let rows: Int

  init(_ engine: E, of x: Tensor) {
    (self.engine, dtype) = (engine, x.dtype)
    wideType = x.dtype.statisticsType
    let channels = x.shape[x.rank - 1]
    var shape = Shape(repeating: 1, count: x.rank)
    shape[x.rank - 1] = channels
    self.shape = shape
    rows = x.elementCount / channels
  }

  func wide(_ x: Tensor) -> Tensor { converted(x, wideType) }
  func narrow(_ x: Tensor) -> Tensor { converted(x, dtype) }
  private func converted(_ x: Tensor, _ dtype: DType) -> Tensor {
    if x.dtype == dtype { return x }
    let result = Tensor(unsetWithShape: x.shape, dtype: dtype)
    engine.copy(x, into: result)
    return result
  }

  func number(_ value: Double) -> Tensor {
    let result = Tensor(unsetWithShape: Shape(), dtype: wideType)
    engine.fill(result, with: value)
    return result
  }

  func sum(_ x: Tensor) -> Tensor { engine.reduce(.sum, x, to: shape) }
  func mean(_ x: Tensor) -> Tensor { engine.binary(.divide, sum(x), number(Double(rows))) }
  func flat(_ x: Tensor) -> Tensor { withoutGradient { x.reshaped(to: Shape(shape[shape.count - 1])) } }

  func inverseDeviation(_ call: BatchNormCall, _ variance: Tensor) -> Tensor {
    engine.unary(.reciprocalSquareRoot, engine.binary(.add, variance, number(call.epsilon)))
  }

  func normalized(_ call: BatchNormCall, mean: Tensor, variance: Tensor) -> Tensor {
    engine.binary(
      .multiply, engine.binary(.subtract, wide(call.x), mean), inverseDeviation(call, variance))
  }
}

extension DType {
  /// The type in which statistics of this type's numbers, and what they are scaled by, are.
  var statisticsType: DType { self == .float64 ? .float64 : .float32 }
}
