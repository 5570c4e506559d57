// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Products in bfloat16, which has eight bits: a rounded number is within 2^-9 of the number itself.
@Suite struct PrecisionTests {
  private func random(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var generator = RandomGenerator(seed: seed)
    return generator.normal(shape, dtype: .float32)
  }

  /// The largest difference, in units of the largest magnitude.
  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.cast(to: .float64), b.cast(to: .float64))
    return abs(a - b).max().scalar / abs(b).max().scalar
  }

  @Test func theScopeIsTheThreads() {
    #expect(Precision.current == .float32)
    withPrecision(.bfloat16) {
      #expect(Precision.current == .bfloat16)
      withPrecision(.float32) { #expect(Precision.current == .float32) }
      #expect(Precision.current == .bfloat16)
    }
    #expect(Precision.current == .float32)
  }

  @Test func productsAreBFloat16() {
    let (x, weight, bias) = (random([37, 61], 1), random([61, 129], 2), random([129], 3))
    withPrecision(.bfloat16) {
      #expect(matmul(x, weight).dtype == .bfloat16)
      #expect(linear(x, weight, bias: bias, activation: .gelu).dtype == .bfloat16)
      #expect(einsum("ij,jk->ki", [x, weight]).dtype == .bfloat16)
      #expect((matmul(x, weight) + bias).dtype == .float32)
      #expect(tanh(matmul(x, weight)).dtype == .bfloat16)
      #expect(matmul(x.cast(to: .float64), weight.cast(to: .float64)).dtype == .float64)
    }
    #expect(matmul(x, weight).dtype == .float32)
  }

  @Test func joinedTypesBecomeTheWider() {
    let (wide, narrow) = (random([2, 3], 6), random([2, 4], 7).cast(to: .bfloat16))
    for parts in [[wide, narrow], [narrow, wide], [narrow, narrow, wide]] {
      let (y, gradients) = valueWithGradients(at: parts) { square(Tensor.concatenate($0, axis: 1)).sum() }
      let joined = Tensor.concatenate(parts, axis: 1)
      #expect(joined.dtype == .float32 && y.dtype == .float32)
      #expect(joined.elements(as: Float.self)[0] == parts[0].cast(to: .float32).elements(as: Float.self)[0])
      for (part, gradient) in zip(parts, gradients) {
        #expect(gradient.dtype == part.dtype && difference(gradient, 2 * part) < 0x1p-8)
      }
    }
    #expect(Tensor.concatenate([narrow, narrow]).dtype == .bfloat16)
  }

  /// Value and gradients are those of float32 operands rounded to bfloat16, summed up in float32 and rounded once.
  @Test func valuesAndGradientsAreNear() {
    let shapes: [(Shape, Shape)] = [
      ([37, 61], [61, 129]), ([2, 5, 61], [61, 8]), ([3, 7, 20], [3, 20, 9]), ([2, 1, 7, 20], [3, 20, 9]),
      ([7, 20], [3, 20, 9]), ([128, 256], [256, 64]), ([1, 1], [1, 1]),
    ]
    for (left, right) in shapes {
      let inputs = [random(left, 4), random(right, 5)]
      func all() -> [Tensor] {
        let y = matmul(inputs[0], inputs[1])
        let factor = cos(Tensor((0..<y.elementCount).map { Float($0) }, shape: y.shape))
        return [y] + valueWithGradients(at: inputs) { (matmul($0[0], $0[1]) * factor).sum() }.gradients
      }
      let (near, exact) = (withPrecision(.bfloat16, all), all())
      for (a, b) in zip(near, exact) { #expect(difference(a, b) < 0x1p-6, "\(left) \(right)") }
      // Gradients are of their operands' type.
      #expect(near[1].dtype == .float32 && near[2].dtype == .float32)
    }
  }

  @Test func linearMapsAreNear() {
    let inputs = [random([129, 61], 6), random([61, 370], 7) * 0.1, random([370], 8)]
    for activation in [nil, .relu, .tanh, .gelu, .softsign] as [Activation?] {
      func all() -> [Tensor] {
        func map(_ x: [Tensor]) -> Tensor { linear(x[0], x[1], bias: x[2], activation: activation) }
        return [map(inputs)] + valueWithGradients(at: inputs) { square(map($0)).sum() }.gradients
      }
      let (near, exact) = (withPrecision(.bfloat16, all), all())
      for (a, b) in zip(near, exact) {
        #expect(difference(a, b) < 0x1p-5, "\(String(describing: activation))")
      }
      for gradient in near.dropFirst() { #expect(gradient.dtype == .float32) }
    }
  }

  @Test func theBackwardPassNeedsNoScope() {
    let inputs = [random([33, 20], 9), random([20, 65], 10)]
    let inside = withPrecision(.bfloat16) {
      valueWithGradients(at: inputs) { square(linear($0[0], $0[1])).sum() }.gradients
    }
    let outside = valueWithGradients(at: inputs) { inputs in
      withPrecision(.bfloat16) { square(linear(inputs[0], inputs[1])).sum() }
    }.gradients
    #expect(difference(inside[0], outside[0]) == 0 && difference(inside[1], outside[1]) == 0)
    let again = valueWithGradients(at: inputs) { inputs in
      withPrecision(.bfloat16) { square(checkpointed(inputs) { linear($0[0], $0[1]) }).sum() }
    }.gradients
    #expect(difference(again[0], outside[0]) == 0 && difference(again[1], outside[1]) == 0)
  }

  @Test func secondDerivativesFlow() {
    let x = random([4, 3], 11)
    let weight = random([3, 2], 12)
    func penalty(_ x: Tensor) -> Tensor {
      square(gradient(at: x) { square(linear($0, weight)).sum() }).sum()
    }
    let near = withPrecision(.bfloat16) { gradient(at: x, of: penalty) }
    #expect(difference(near, gradient(at: x, of: penalty)) < 0x1p-4)
  }

  private struct Model: Module {
    let weight: Parameter
  }

  @Test func aParameterIsConvertedOnceAndAnewAfterAStep() {
    let model = Model(weight: Parameter(random([64, 32], 13)))
    let x = random([8, 64], 14)
    func half() -> Tensor { model.weight.value.lowered() }
    let first = half()
    #expect(half().object == first.object)
    // A view of the value is a view of the copy.
    #expect(difference(model.weight.value.transposed().lowered(), first.transposed()) == 0)
    let part = model.weight.value.sliced(1..<3, axis: 1).lowered()
    #expect(difference(part, first.sliced(1..<3, axis: 1)) == 0)
    let (_, gradients) = valueWithGradient(at: model) { model in
      withPrecision(.bfloat16) { square(linear(x, model.weight.value)).sum() }
    }
    SGD(learningRate: 0.1).update(model, along: gradients)
    #expect(difference(half(), model.weight.value.cast(to: .bfloat16)) == 0)
    #expect(difference(half(), first) > 0)
  }
}
