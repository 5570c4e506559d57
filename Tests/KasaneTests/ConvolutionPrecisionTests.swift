// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Convolutions in a scope of bfloat16 against those in float32.
@Suite struct ConvolutionPrecisionTests {
  private func difference(_ a: Tensor, _ b: Tensor) -> Double {
    let (a, b) = (a.cast(to: .float64), b.cast(to: .float64))
    return abs(a - b).max().scalar / max(abs(b).max().scalar, 1e-9)
  }

  @Test(arguments: [
    (1, 3, 32, 3, 2), (1, 64, 48, 1, 1), (24, 1, 1, 3, 1), (1, 17, 5, 3, 1), (3, 4, 6, 2, 2),
    (1, 40, 72, 3, 1),
    (1, 72, 40, 3, 2), (1, 130, 65, 1, 1), (1, 65, 130, 2, 1),
  ])
  func valuesAndGradientsAreNear(_ groups: Int, _ inputs: Int, _ outputs: Int, _ size: Int, _ stride: Int) {
    var random = RandomGenerator(seed: 3)
    let operands = [
      Tensor(normal: [2, 11, 9, groups * inputs], using: &random),
      Tensor(normal: [size, size, inputs, groups * outputs], using: &random),
      Tensor(normal: [groups * outputs], using: &random),
    ]
    func value(_ all: [Tensor]) -> Tensor {
      convolution2D(
        all[0], all[1], bias: all[2], stride: Size2D(stride), padding: .explicit(1), groups: groups)
    }
    let factor = Tensor(normal: value(operands).shape, using: &random)
    func all() -> [Tensor] {
      [value(operands)] + valueWithGradients(at: operands) { (value($0) * factor).sum() }.gradients
    }
    let (near, exact) = (withPrecision(.bfloat16, all), all())
    #expect(near[0].dtype == .bfloat16)
    for (a, b) in zip(near, exact) { #expect(difference(a, b) < 0x1p-5) }
    for gradient in near.dropFirst() { #expect(gradient.dtype == .float32) }
  }

  /// Large enough to be gathered: few places, and steps of two.
  @Test(arguments: [(4, 9, 3, 1, 0), (4, 14, 3, 2, 1), (9, 27, 1, 2, 0), (4, 7, 5, 1, 2)])
  func weightGradientsOfManyNumbers(_ batch: Int, _ side: Int, _ size: Int, _ stride: Int, _ margin: Int) {
    var random = RandomGenerator(seed: 7)
    let x = Tensor(normal: [batch, side, side, 162], using: &random).cast(to: .bfloat16)
    var geometry = ConvolutionGeometry()
    geometry.stride = Size2D(stride)
    geometry.margins = Margins(top: margin, bottom: margin, left: margin, right: margin)
    let places = geometry.outputSize(image: Size2D(side), kernel: Size2D(size))
    let gradient = Tensor(normal: [batch, places.height, places.width, 200], using: &random)
      .cast(to: .bfloat16)
    let shape: Shape = [size, size, 162, 200]
    let found = engine.convolutionWeightGradient(x, gradient, shape: shape, geometry, resultType: .float32)
    let exact = engine.convolutionWeightGradient(
      x.cast(to: .float64), gradient.cast(to: .float64), shape: shape, geometry)
    #expect(found.dtype == .float32)
    #expect(difference(found, exact) < 1e-5)
  }

  @Test func transposedConvolutionsAreNear() {
    var random = RandomGenerator(seed: 4)
    let x = Tensor(normal: [2, 5, 6, 8], using: &random)
    let weight = Tensor(normal: [3, 3, 4, 8], using: &random)
    func all() -> [Tensor] {
      let found = valueWithGradients(at: [x, weight]) {
        square(transposedConvolution2D($0[0], $0[1], stride: 2)).sum()
      }
      return [found.value] + found.gradients
    }
    for (a, b) in zip(withPrecision(.bfloat16, all), all()) { #expect(difference(a, b) < 0x1p-5) }
  }

  /// A layer in use keeps its weight in the type that it computes with, for each precision apart.
  @Test func layersInUse() {
    var random = RandomGenerator(seed: 5)
    let layer = ConvolutionNorm(16, 32, kernelSize: 3, activation: .relu, using: &random)
    let x = Tensor(normal: [1, 8, 8, 16], using: &random)
    let residual = Tensor(normal: [1, 8, 8, 32], using: &random)
    for _ in 0..<2 {
      let exact = layer(x, adding: residual)
      let near = withPrecision(.bfloat16) { layer(x, adding: residual) }
      #expect(exact.dtype == .float32 && near.dtype == .bfloat16)
      #expect(difference(near, exact) < 0x1p-5)
    }
    // Training a step in bfloat16 gives gradients in float32.
    let (_, gradients) = withTraining(using: &random) {
      valueWithGradient(at: layer) { layer in
        withPrecision(.bfloat16) { layer(x).cast(to: .float32).sum() }
      }
    }
    #expect(gradients[layer.convolution.weight]?.dtype == .float32)
  }
}
