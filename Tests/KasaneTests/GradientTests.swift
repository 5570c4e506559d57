// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What gradients do beyond the single operations, which `OperationTests` checks one by one.
@Suite struct GradientTests {
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
