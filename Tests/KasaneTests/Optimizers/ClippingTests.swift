// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct ClippingTests {
  /// PyTorch's norms and clipped gradients (Tests/Fixtures/optimizers.py).
  @Test func normsArePyTorchs() throws {
    let fixture = try OptimizerFixture()
    let model = fixture.model()
    for step in 0..<fixture.steps {
      var gradients = fixture.gradients(step, for: model)
      let norm = gradients.clip(toNorm: 1.5)
      let expected = Double(fixture["clip.norm"].elements(as: Float.self)[step])
      #expect(abs(norm - expected) <= 1e-6 * expected)
      #expect(gradients.norm <= 1.5)
      expectClose(gradients[model.weight]!, fixture["clipped.weight"].select(step), 1e-6)
      expectClose(gradients[model.bias]!, fixture["clipped.bias"].select(step), 1e-6)
      // The optimizer applies what clipping left to be done.
      let (clipped, plain) = (fixture.model(), fixture.model())
      var moved = Gradients()
      moved[clipped.weight] = fixture["gradient.weight"].select(step)
      moved[clipped.bias] = fixture["gradient.bias"].select(step)
      moved.clip(toNorm: 1.5)
      Adagrad().update(clipped, along: moved)
      var explicit = Gradients()
      explicit[plain.weight] = fixture["clipped.weight"].select(step)
      explicit[plain.bias] = fixture["clipped.bias"].select(step)
      Adagrad().update(plain, along: explicit)
      expectClose(clipped.weight.value, plain.weight.value, 1e-6)
    }
  }

  @Test func smallGradientsStay() {
    let model = SmallModel(Tensor([1.0, 2]), Tensor([3.0]))
    var gradients = Gradients()
    gradients[model.weight] = Tensor([3.0, 4])
    #expect(gradients.clip(toNorm: 10) == 5)
    #expect(gradients[model.weight]!.elements(as: Double.self) == [3, 4])
    #expect(Gradients().norm == 0)
  }

  @Test func valuesAreBounded() {
    let model = SmallModel(Tensor([1.0, 2, 3]), Tensor([3.0]))
    var gradients = Gradients()
    gradients[model.weight] = Tensor([3.0, -4, 0.5])
    gradients[model.bias] = Tensor([-0.25])
    gradients.scale(by: 2)
    let before = gradients
    gradients.clip(toValue: 2)
    #expect(gradients[model.weight]!.elements(as: Double.self) == [2, -2, 1])
    #expect(gradients[model.bias]!.elements(as: Double.self) == [-0.5])
    // Gradients are values.
    #expect(before[model.weight]!.elements(as: Double.self) == [6, -8, 1])
  }
}
