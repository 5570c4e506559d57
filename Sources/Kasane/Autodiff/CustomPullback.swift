// SPDX-License-Identifier: Apache-2.0

/// A value computed outside of the tape, with a pullback of your own.
///
/// The gradient of exp(x), from its value:
///
///     func myExp(_ x: Tensor) -> Tensor {
///       withPullback("myExp", of: [x]) { exp(x) } pullback: { gradient, y in [gradient * y] }
///     }
///
/// Gradient reversal (Ganin and Lempitsky 2015), the identity whose gradient has the other sign:
///
///     withPullback("reversal", of: [x]) { x } pullback: { gradient, _ in [-gradient] }
///
/// A straight-through estimator (Bengio, Léonard and Courville 2013), which rounds forward and is the identity backward:
///
///     withPullback("straightThrough", of: [x]) { round(x) } pullback: { gradient, _ in [gradient] }
///
/// - Parameters:
///   - name: What messages call the operation.
///   - inputs: The tensors that gradients flow to. Whatever else the value is made of is a constant.
///   - value: Computes the value; nothing in it is recorded.
///   - pullback: Turns the gradient of the value, and the value itself, into the gradient of each input, nil for none.
///     Made of operations on its arguments and on the inputs it can be differentiated again. Where it is nil, a
///     gradient that reaches the operation traps and names it.
public func withPullback(
  _ name: String, of inputs: [Tensor], value: () throws -> Tensor,
  pullback: ((_ gradient: Tensor, _ value: Tensor) -> [Tensor?])? = nil
) rethrows -> Tensor {
  guard let tape = Tape.recording else { return try value() }
  // The value may be a tensor that was there before, which has its own place on the tape.
  let output = try withoutGradient(value).alias()
  let shapes = inputs.map(\.shape)
  tape.record(.custom, output, inputs: inputs, saving: [output]) { step in
    guard let pullback else { preconditionFailure("no pullback: \(name)") }
    let gradients = pullback(step.gradient, step[0])
    precondition(
      gradients.count == shapes.count,
      "\(name): the pullback gives \(gradients.count) gradients for \(shapes.count) inputs")
    for (index, gradient) in gradients.enumerated() {
      guard let gradient else { continue }
      precondition(
        gradient.shape == shapes[index],
        "\(name): the pullback gives a gradient of shape \(gradient.shape) for input \(index) of shape "
          + "\(shapes[index])")
      step.add(gradient, to: index)
    }
  }
  return output
}

extension Tensor {
  /// This tensor, with `look` called with the gradient of what is returned, as soon as a backward pass knows it: use the
  /// result in this tensor's place.
  ///
  ///     let h = layer(x).onGradient { print("the gradient of h:", $0) }
  public func onGradient(_ look: @escaping (Tensor) -> Void) -> Tensor {
    withPullback("onGradient", of: [self]) {
      self
    } pullback: { gradient, _ in
      look(gradient)
      return [gradient]
    }
  }

  /// This tensor, its gradient replaced by what `change` makes of it: use the result in this tensor's place.
  public func replacingGradient(_ change: @escaping (Tensor) -> Tensor) -> Tensor {
    withPullback("replacingGradient", of: [self]) {
      self
    } pullback: { gradient, _ in
      [change(gradient)]
    }
  }
}
