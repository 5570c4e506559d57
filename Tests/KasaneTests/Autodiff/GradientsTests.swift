// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct GradientsTests {
  private func makeModel() -> SmallModel { SmallModel(Tensor([1.0, 2]), Tensor([3.0])) }

  private func batch(_ model: SmallModel, _ x: Double) -> Gradients {
    gradient(at: model) { (square($0.weight.value) * x + $0.bias.value).sum() }
  }

  @Test func batchesAddUp() {
    let model = makeModel()
    var total = Gradients()
    for x in [1.0, 2, 5] { total.accumulate(batch(model, x), scale: 0.5) }
    #expect(total[model.weight]!.elements(as: Double.self) == [8, 16])
    #expect(total[model.bias]!.scalar == 3)
    let before = total
    total.scale(by: 2)
    total.accumulate(batch(model, 1))
    #expect(total[model.weight]!.elements(as: Double.self) == [18, 36])
    #expect(before[model.weight]!.elements(as: Double.self) == [8, 16])
    SGD(learningRate: 0.5).update(model, along: total)
    #expect(model.weight.value.elements(as: Double.self) == [-8, -16])
  }

  @Test func gradientsOfDifferentModelsAreJoined() {
    let (first, second) = (makeModel(), makeModel())
    var total = batch(first, 1)
    total.accumulate(batch(second, 2))
    #expect(total[first.weight]!.elements(as: Double.self) == [2, 4])
    #expect(total[second.weight]!.elements(as: Double.self) == [4, 8])
  }

  @Test func gradientsHaveNames() {
    struct Outer: Module {
      let inner: SmallModel
      let tied: Parameter
      let unused: Parameter
    }
    let inner = makeModel()
    let model = Outer(inner: inner, tied: inner.bias, unused: Parameter(Tensor([1.0])))
    let gradients = gradient(at: model) { ($0.inner.weight.value * $0.tied.value).sum() }
    let named = gradients.named(in: model)
    #expect(named.map(\.name) == ["inner.weight", "inner.bias"])
    #expect(named.map { $0.gradient.elements(as: Double.self) } == [[3, 3], [3]])
    #expect(named[0].parameter === inner.weight)
  }

  @Test func gradientsCanBeReplaced() {
    let model = makeModel()
    var gradients = batch(model, 1)
    let before = gradients
    gradients[model.weight] = Tensor([7.0, 7])
    gradients[model.bias] = nil
    #expect(gradients[model.weight]!.elements(as: Double.self) == [7, 7] && gradients[model.bias] == nil)
    gradients.mapValues { 2 * $0 }
    #expect(gradients[model.weight]!.elements(as: Double.self) == [14, 14])
    #expect(before[model.weight]!.elements(as: Double.self) == [2, 4])
  }

  @Test func heldGradientsOutliveTheNextStep() {
    let model = makeModel()
    let first = batch(model, 1)
    _ = batch(model, 10)
    #expect(first[model.weight]!.elements(as: Double.self) == [2, 4])
  }

  // MARK: Other forms

  @Test func modelsAndTensorsTogether() {
    let model = makeModel()
    let (value, gradients, slope) = valueWithGradient(at: model, Tensor([2.0, 3])) { model, x in
      (model.weight.value * x + model.bias.value).sum()
    }
    #expect(value.scalar == 14)
    #expect(gradients[model.weight]!.elements(as: Double.self) == [2, 3])
    #expect(gradients[model.bias]!.scalar == 2)
    #expect(slope.elements(as: Double.self) == [1, 2])
  }

  @Test func severalLosses() {
    let model = makeModel()
    let (values, gradients) = valuesWithGradients(at: model) { model in
      let shared = square(model.weight.value)
      return [shared.sum(), (shared * model.bias.value).sum(), Tensor(1.0)]
    }
    #expect(values.map(\.scalar) == [5, 15, 1])
    #expect(gradients[0][model.weight]!.elements(as: Double.self) == [2, 4])
    #expect(gradients[0][model.bias] == nil)
    #expect(gradients[1][model.weight]!.elements(as: Double.self) == [6, 12])
    #expect(gradients[1][model.bias]!.scalar == 5)
    #expect(gradients[2][model.weight] == nil)
  }

  @Test func jacobians() {
    let matrix = Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3])
    let found = jacobian(at: Tensor([1.0, -1, 2], shape: [3, 1])) { matmul(matrix, $0) }
    #expect(found.shape == [2, 1, 3, 1])
    #expect(found.elements(as: Double.self) == [1, 2, 3, 4, 5, 6])
    let (value, product) = valueWithVectorJacobianProduct(
      at: Tensor([1.0, -1, 2], shape: [3, 1]), vector: { _ in Tensor([10.0, 1], shape: [2, 1]) }
    ) { matmul(matrix, $0) }
    #expect(value.elements(as: Double.self) == [5, 11])
    #expect(product.elements(as: Double.self) == [14, 25, 36])
    #expect(jacobian(at: Tensor([1.0, 2])) { _ in Tensor(zeros: [0], dtype: .float64) }.shape == [0, 2])
  }

  /// The Jacobian of a gradient is the Hessian.
  @Test func hessians() {
    let hessian = jacobian(at: Tensor([1.0, 2])) { x in
      gradient(at: x) { x in (x * x * x).sum() * x.sum() }
    }
    // f = (a^3 + b^3)(a + b)
    let (a, b) = (1.0, 2.0)
    let mixed = 3 * a * a + 3 * b * b
    let exact = [6 * a * (a + b) + 6 * a * a, mixed, mixed, 6 * b * (a + b) + 6 * b * b]
    expectClose(hessian, Tensor(exact, shape: [2, 2]), 1e-12)
  }

  // MARK: Depth

  @Test func aMillionNodesAreFreedWithoutRecursion() {
    let slope = gradient(at: Tensor(Float(1))) { x in
      var y = x
      for _ in 0..<1_000_000 { y = -y }
      return y
    }
    #expect(slope.scalar == 1)
  }
}
