// SPDX-License-Identifier: Apache-2.0

/// A convolution with what follows it: `f(norm(convolution(x, weight) + bias) + residual)`. See `Engine.convolution` for
/// the shapes.
public struct ConvolutionCall {
  /// Each channel less a mean, over the root of a variance, times a scale, plus a shift; all of them `[outputs]`.
  public struct Norm {
    /// What is subtracted from each channel, and the square of what it is divided by.
    public var mean, variance: Tensor
    /// What each channel is multiplied by.
    public var scale: Tensor?
    /// What is then added to each channel.
    public var shift: Tensor?
    /// What is added to the variance.
    public var epsilon: Double
  }

  /// The images, float32, float64 or one of the halves.
  public var x: Tensor
  /// The kernel, of the type of `x`, or float32.
  public var weight: Tensor
  /// What is added to each channel, `[outputs]`, of the weight's type.
  public var bias: Tensor?
  /// How the kernel lies on the images.
  public var geometry: ConvolutionGeometry
  /// A batch normalisation with given statistics.
  public var norm: Norm?
  /// What is added to the result, of its shape and the type of `x`.
  public var residual: Tensor?
  /// f, one of `ConvolutionCall.activations`.
  public var activation: Activation?

  /// The activations that can be part of a call.
  public static let activations: Set<Activation> = [
    .relu, .tanh, .sigmoid, .gelu, .silu, .relu6, .leakyReLU, .hardSwish,
  ]

  /// The convolution alone.
  public init(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ geometry: ConvolutionGeometry) {
    (self.x, self.weight, self.bias, self.geometry) = (x, weight, bias, geometry)
  }

  /// The shape of the result.
  var resultShape: Shape {
    let (x, weight) = (x.shape, weight.shape)
    let size = geometry.outputSize(image: Size2D(x[1], x[2]), kernel: Size2D(weight[0], weight[1]))
    var shape = Shape(x[0], size.height, size.width)
    shape.append(weight[3])
    return shape
  }
}

extension Engine {
  /// One after the other.
  public func convolution(_ call: ConvolutionCall) -> Tensor { composedConvolution(call) }

  /// The gradient of the operands in the result's type, where that is wider.
  public func convolutionWeightGradient(
    _ x: Tensor, _ gradient: Tensor, shape: Shape, _ geometry: ConvolutionGeometry, resultType: DType
  ) -> Tensor {
    let isWider = resultType.size > gradient.dtype.size
    func operand(_ x: Tensor) -> Tensor { isWider ? converted(x, to: resultType) : x }
    let value = convolutionWeightGradient(operand(x), operand(gradient), shape: shape, geometry)
    return converted(value, to: resultType)
  }

  func composedConvolution(_ call: ConvolutionCall) -> Tensor {
    var y = convolution(call.x, call.weight, bias: call.bias, call.geometry)
    if let norm = call.norm {
      let (factor, offset) = factorAndOffset(of: norm)
      // In the statistics' type, which is wider than a half.
      let wide = y.dtype == factor.dtype ? y : converted(y, to: factor.dtype)
      y = converted(binary(.add, binary(.multiply, wide, factor), offset), to: y.dtype)
    }
    return finished(y, call)
  }

  /// What follows the norm in a call.
  func finished(_ y: Tensor, _ call: ConvolutionCall) -> Tensor {
    let sum = call.residual.map { binary(.add, y, $0) } ?? y
    return call.activation.map { activated(sum, by: $0) } ?? sum
  }

  /// A norm as a product with a factor and the sum with an offset, `[outputs]` each.
  func factorAndOffset(of norm: ConvolutionCall.Norm) -> (factor: Tensor, offset: Tensor) {
    var factor = unary(
      .reciprocalSquareRoot, binary(.add, norm.variance, number(norm.epsilon, like: norm.variance)))
    if let scale = norm.scale { factor = binary(.multiply, factor, scale) }
    let moved = binary(.multiply, norm.mean, factor)
    return (factor, norm.shift.map { binary(.subtract, $0, moved) } ?? unary(.negate, moved))
  }

  private func activated(_ x: Tensor, by activation: Activation) -> Tensor {
    func upToSix(_ x: Tensor) -> Tensor {
      binary(.minimum, binary(.maximum, x, number(0, like: x)), number(6, like: x))
    }
    switch activation {
    case .relu: return unary(.relu, x)
    case .tanh: return unary(.tanh, x)
    case .sigmoid: return unary(.sigmoid, x)
    case .gelu: return unary(.gelu, x)
    case .silu: return unary(.silu, x)
    case .relu6: return upToSix(x)
    case .leakyReLU: return binary(.maximum, x, binary(.multiply, x, number(0.01, like: x)))
    case .hardSwish:
      let gate = binary(.multiply, upToSix(binary(.add, x, number(3, like: x))), number(1.0 / 6, like: x))
      return binary(.multiply, x, gate)
    default: preconditionFailure("convolution: no call with \(activation)")
    }
  }

  private func number(_ value: Double, like x: Tensor) -> Tensor {
    let result = Tensor(unsetWithShape: Shape(), dtype: x.dtype)
    fill(result, with: value)
    return result
  }

  private func converted(_ x: Tensor, to dtype: DType) -> Tensor {
    if x.dtype == dtype { return x }
    let result = Tensor(unsetWithShape: x.shape, dtype: dtype)
    copy(x, into: result)
    return result
  }
}
