// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct CustomPullbackTests {
  @Test func aMissingPullbackNamesItself() async {
    await #expect(processExitsWith: .failure) {
      _ = gradient(at: Tensor([1.0])) { x in
        withPullback("fold", of: [x]) { x + 1 }
      }
    }
    // Where no gradient arrives nothing is missing.
    let (value, slope) = valueWithGradient(at: Tensor([1.0])) { x in
      let y = withPullback("fold", of: [x]) { x + 1 }
      return (x * y.detached()).sum()
    }
    #expect(value.scalar == 2 && slope.scalar == 2)
  }

  @Test func wrongGradientsAreNamed() async {
    await #expect(processExitsWith: .failure) {
      _ = gradient(at: Tensor([1.0, 2])) { x in
        withPullback("wrong", of: [x]) {
          x
        } pullback: { _, _ in
          [Tensor([1.0])]
        }.sum()
      }
    }
    await #expect(processExitsWith: .failure) {
      _ = gradient(at: Tensor([1.0, 2])) { x in
        withPullback("wrong", of: [x]) {
          x
        } pullback: { _, _ in
          []
        }.sum()
      }
    }
  }

  @Test func gradientReversal() {
    let slope = gradient(at: Tensor([1.0, 2])) { x in
      let reversed = withPullback("reversal", of: [x]) {
        x
      } pullback: { gradient, _ in
        [-gradient]
      }
      return (3 * reversed).sum() + (2 * x).sum()
    }
    #expect(slope.elements(as: Double.self) == [-1, -1])
  }

  @Test func straightThrough() {
    let (value, slope) = valueWithGradient(at: Tensor([0.4, 1.7])) { x in
      let rounded = withPullback("straightThrough", of: [x]) {
        Tensor(x.elements(as: Double.self).map { $0.rounded() })
      } pullback: { gradient, _ in
        [gradient]
      }
      return square(rounded).sum()
    }
    #expect(value.scalar == 4)
    #expect(slope.elements(as: Double.self) == [0, 4])
  }

  @Test func inputsWithoutGradient() {
    let (_, slopes) = valueWithGradients(at: [Tensor([1.0]), Tensor([2.0])]) { x in
      withPullback("first", of: x) {
        x[0] * x[1]
      } pullback: { gradient, _ in
        [gradient, nil]
      }.sum()
    }
    #expect(slopes.map(\.scalar) == [1, 0])
  }

  @Test func hooksSeeAndReplaceGradients() {
    var seen: [[Double]] = []
    let slope = gradient(at: Tensor([1.0, 2])) { x in
      let y = square(x).onGradient { seen.append($0.elements(as: Double.self)) }
      let z = y.replacingGradient { 10 * $0 }
      // The whole gradient is seen, not its parts.
      return (z * z).sum()
    }
    #expect(seen == [[20, 80]])
    #expect(slope.elements(as: Double.self) == [40, 320])
  }

  @Test func parametersHaveHooks() {
    let model = SmallModel(Tensor([1.0, 2]), Tensor([3.0]))
    var seen: [Double] = []
    model.weight.onGradient = { gradient in
      seen = gradient.elements(as: Double.self)
      return nil
    }
    model.bias.onGradient = { -$0 }
    let gradients = gradient(at: model) { (square($0.weight.value) * $0.bias.value).sum() }
    #expect(seen == [6, 12])
    #expect(gradients[model.weight]!.elements(as: Double.self) == [6, 12])
    #expect(gradients[model.bias]!.elements(as: Double.self) == [-5])
    model.bias.onGradient = nil
    #expect(gradient(at: model) { $0.bias.value.sum() }[model.bias]!.scalar == 1)
  }

  @Test func outsideOfAScopeNothingIsRecorded() {
    let y = withPullback("fold", of: [Tensor([1.0])]) { Tensor([2.0]) }
    #expect(y.scalar == 2)
  }
}
