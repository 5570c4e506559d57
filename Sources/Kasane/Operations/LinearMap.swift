// SPDX-License-Identifier: Apache-2.0

/// An affine map of the last axis with an activation, f(x W + b), as one primitive of the engine.
///
/// - Parameters:
///   - x: `[..., inputs]`
///   - weight: W, `[inputs, outputs]`
///   - bias: b, `[outputs]`, or nil
///   - activation: f, or nil for the identity
/// - Returns: `[..., outputs]`
public func linear(
  _ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, activation: Activation? = nil
) -> Tensor {
  precondition(
    x.rank > 0 && weight.rank == 2 && x.shape[x.rank - 1] == weight.shape[0],
    "linear: input \(x.shape) and weight \(weight.shape) do not fit")
  precondition(
    bias.map { $0.hasShape(Shape(weight.shape[1])) } ?? true,
    "linear: bias of shape \(bias!.shape), not [\(weight.shape[1])]")
  if x.rank == 1 {
    return linear(x.expanded(axis: 0), weight, bias: bias, activation: activation).squeezed(axis: 0)
  }
  let isLowered = x.isToBeLowered && weight.isToBeLowered
  if !isLowered, let (x, weight) = x.widened(with: weight) {
    return linear(x, weight, bias: bias, activation: activation)
  }
  let tape = Tape.recording
  guard !Tape.isNested else { return composedLinear(x, weight, bias, activation) }
  let primitive = activation?.primitive
  if let activation, primitive == nil || (tape != nil && activation.gradientPrimitive == nil) {
    return activation(linear(x, weight, bias: bias))
  }
  // The engine reads a bias as it does the operands, or as float32.
  let type = isLowered ? DType.bfloat16 : x.dtype
  if let bias, bias.dtype != (isLowered ? .float32 : type) {
    return linear(x, weight, bias: bias.cast(to: isLowered ? .float32 : type), activation: activation)
  }
  let (input, matrix) = isLowered ? (x.lowered(), weight.lowered()) : (x, weight)
  // Where the activation's gradient needs what it was applied to, that is made first.
  let isApart = tape != nil && activation?.gradientFromInput != nil
  let kept = engine.linear(
    input, matrix, bias: bias, activation: isApart ? nil : primitive, resultType: type)
  let y = isApart ? engine.unary(primitive!, kept) : kept
  tape?.record(
    .linear, y, (x, weight, bias, nil, nil), inputCount: 3,
    saving: (input, matrix, activation == nil ? nil : kept, nil, nil, nil), savedCount: 3,
    integers: (
      Int(activation?.gradientPrimitive?.rawValue ?? -1),
      Int(x.object.pointee.dtype) | Int(weight.object.pointee.dtype) << 8
        | Int(bias?.object.pointee.dtype ?? 0) << 16
    ), pullback: linearPullback)
  return y
}

/// The gradient of the activation with that of the bias, then the two products.
private func linearPullback(_ step: borrowing PullbackStep) {
  let (activation, types) = step.integers
  let (input, weight) = (step[0], step[1])
  func type(_ number: Int) -> DType { DType(rawValue: UInt8(truncatingIfNeeded: number))! }
  var gradient = step.gradient.dtype == weight.dtype ? step.gradient : step.gradient.cast(to: weight.dtype)
  if activation >= 0 {
    let primitive = BinaryPrimitive(rawValue: Int32(activation))!
    if step.needs(2) {
      let sums: Tensor
      (gradient, sums) = engine.binaryWithColumnSums(primitive, gradient, step[2])
      step.add(sums.cast(to: type(types >> 16)), to: 2)
    } else {
      gradient = engine.binary(primitive, gradient, step[2])
    }
  } else if step.needs(2) {
    step.add(engine.columnSums(gradient).cast(to: type(types >> 16)), to: 2)
  }
  step.add(engine.matrixProduct(gradient, weight, transposing: .right, resultType: type(types)), to: 0)
  // The gradient of a transposed weight, such as an embedding that also serves as output, is to lie as that does.
  let isTransposed = weight.strides[0] == 1 && weight.strides[1] > 1
  let (left, right) = isTransposed ? (gradient, input) : (input, gradient)
  let product = engine.matrixProduct(left, right, transposing: .left, resultType: type(types >> 8))
  step.add(isTransposed ? withoutGradient { product.transposed() } : product, to: 1)
}

/// The same from plain operations.
func composedLinear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ activation: Activation?) -> Tensor {
  var y = matmul(x, weight)
  if let bias { y = y + bias.cast(to: y.dtype) }
  return activation.map { $0(y) } ?? y
}

extension Activation {
  /// The engine's primitive for it, or nil.
  var primitive: UnaryPrimitive? {
    switch self {
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .relu: .relu
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    case .silu: .silu
    case .softplus: .softplus
    default: nil
    }
  }

  /// The engine's primitive for its gradient, or nil.
  fileprivate var gradientPrimitive: BinaryPrimitive? { gradientFromValue ?? gradientFromInput }

  /// The same where the gradient is a function of what it is applied to, or nil.
  fileprivate var gradientFromInput: BinaryPrimitive? {
    switch self {
    case .gelu: .geluGradient
    case .geluTanh: .geluTanhGradient
    default: nil
    }
  }

  /// The engine's primitive for its gradient where that is a function of its value, or nil.
  var gradientFromValue: BinaryPrimitive? {
    switch self {
    case .sigmoid: .sigmoidGradient
    case .tanh: .tanhGradient
    case .relu: .reluGradient
    default: nil
    }
  }
}
