// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What gradients do beyond the single operations, which `OperationTests` checks one by one.
@Suite struct GradientTests {
  /// The fused primitive works in float32: it is held against the composition, in value and gradient.
  @Test(arguments: [Activation.sigmoid, .relu, .tanh])
  func fusedRecurrentIsTheComposition(_ activation: Activation) {
    var make = RowInputs(seed: 5)
    for (batch, steps, inputs, hidden) in [(1, 8, 2, 16), (3, 5, 4, 7), (2, 1, 1, 33), (4, 6, 3, 40)] {
      for (hasBias, hasInitial) in [(false, false), (true, false), (false, true), (true, true)] {
        var tensors = [
          make.tensor(Input([batch, steps, inputs])), make.tensor(Input([inputs, hidden])),
          make.tensor(Input([hidden, hidden])) * (1 / Double(hidden)),
        ]
        if hasBias { tensors.append(make.tensor(Input([hidden]))) }
        if hasInitial { tensors.append(make.tensor(Input([batch, hidden]))) }
        let weights = make.tensor(Input([batch, steps, hidden]))
        func loss(_ x: [Tensor], _ weights: Tensor) -> Tensor {
          let bias = hasBias ? x[3] : nil
          let initial = hasInitial ? x[hasBias ? 4 : 3] : nil
          let states = recurrent(
            x[0], inputWeight: x[1], recurrentWeight: x[2], bias: bias, initialState: initial,
            activation: activation)
          return (states * weights).sum()
        }
        let exact = valueWithGradients(at: tensors) { loss($0, weights) }
        let single = tensors.map { $0.cast(to: .float32) }
        let fused = valueWithGradients(at: single) { loss($0, weights.cast(to: .float32)) }
        expectClose(fused.value, exact.value, 2e-5)
        for (a, b) in zip(fused.gradients, exact.gradients) { expectClose(a, b, 2e-5) }
      }
    }
  }

  @Test func gradientPenalty() {
    // The gradient of |d/dx (x W)^2|^2 by W, which needs the derivative of a derivative.
    var make = RowInputs(seed: 6)
    let x = make.tensor(Input([4, 3]))
    checkGradients("gradient penalty", at: [make.tensor(Input([3, 2]))], second: false) { weights in
      let (_, slope) = valueWithGradient(at: x) { tanh(matmul($0, weights[0])).sum() }
      return square(slope).sum()
    }
  }

  @Test func hessianTimesVector() {
    // f(x) = sum x^4 has the Hessian 12 x^2 on its diagonal.
    let x = Tensor([1.0, -2, 3]), v = Tensor([1.0, 10, 100])
    let product = gradient(at: x) { x in
      (gradient(at: x) { square(square($0)).sum() } * v).sum()
    }
    #expect(product.elements(as: Double.self) == [12, 480, 10800])
  }

  @Test func constantsGetNothing() {
    let (value, gradient) = valueWithGradient(at: Tensor([1.0, 2])) { x in
      withoutGradient { square(x).sum() } + x.detached().sum()
    }
    #expect(value.scalar == 8)
    #expect(gradient.elements(as: Double.self) == [0, 0])
  }
}
