// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Convolutions with what follows them in one primitive against their compositions.
@Suite struct ConvolutionCallTests {
  private static let activations: [Activation?] = [nil] + Array(ConvolutionCall.activations).map { $0 }

  @Test(arguments: 0..<48)
  func agreesWithComposition(_ number: Int) {
    var random = RandomGenerator(seed: 78, stream: UInt64(number))
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var geometry = ConvolutionGeometry()
    let kernel = number % 3 == 0 ? Size2D(1) : Size2D(draw(1...3), draw(1...4))
    geometry.stride = Size2D(draw(1...2), draw(1...3))
    geometry.margins = Margins(vertical: draw(0...1), horizontal: draw(0...2))
    let (groups, inputs, outputs): (Int, Int, Int)
    switch number % 4 {
    case 0: (groups, inputs, outputs) = (1, draw(1...3) * 16, draw(1...3) * 16)
    case 1: (groups, inputs, outputs) = (draw(2...40), 1, 1)
    case 2: (groups, inputs, outputs) = (draw(2...3), draw(1...9), draw(1...17))
    default: (groups, inputs, outputs) = (1, draw(1...40), draw(1...40))
    }
    geometry.groups = groups
    let x = Tensor(normal: [draw(1...2), draw(4...12), draw(4...12), groups * inputs], using: &random)
    let weight = Tensor(
      normal: [kernel.height, kernel.width, inputs, groups * outputs], standardDeviation: 0.2, using: &random)
    let channels: Shape = [groups * outputs]
    var call = ConvolutionCall(
      x, weight, bias: number % 2 == 0 ? Tensor(normal: channels, using: &random) : nil, geometry)
    if number % 5 != 0 {
      call.norm = ConvolutionCall.Norm(
        mean: Tensor(normal: channels, using: &random),
        variance: Tensor(uniform: channels, from: 0.5, to: 2, using: &random),
        scale: number % 7 == 0 ? nil : Tensor(normal: channels, using: &random),
        shift: number % 11 == 0 ? nil : Tensor(normal: channels, using: &random), epsilon: 1e-3)
    }
    if number % 2 == 1 { call.residual = Tensor(normal: call.resultShape, using: &random) }
    call.activation = Self.activations[number % Self.activations.count]
    let expected = ReferenceEngine().convolution(call)
    expectClose(CPUEngine().convolution(call), expected, 2e-5, "\(call.geometry), \(call.activation as Any)")

    // Views, and bfloat16 with a weight of float32.
    var other = call
    other.x = x.permuted([0, 2, 1, 3]).contiguous().permuted([0, 2, 1, 3])
    expectClose(CPUEngine().convolution(other), expected, 2e-5, "a view")
    other.x = x.cast(to: .bfloat16)
    other.residual = call.residual?.cast(to: .bfloat16)
    let half = CPUEngine().convolution(other)
    #expect(half.dtype == .bfloat16)
    expectClose(half, expected, 6e-2, "bfloat16, \(call.geometry), \(call.activation as Any)")
  }

  /// The layer computes the same at once and in parts, and sees every change of a parameter.
  @Test func layerFollowsItsParameters() {
    var random = RandomGenerator(seed: 5)
    let layer = ConvolutionNorm(8, 16, kernelSize: 3, activation: .relu, using: &random)
    let x = Tensor(normal: [2, 9, 7, 8], using: &random)
    let residual = Tensor(normal: [2, 9, 7, 16], using: &random)
    func check(_ label: String) {
      let parts = relu(layer.normalization(layer.convolution(x)) + residual)
      expectClose(layer(x, adding: residual), parts, 1e-5, label)
      expectClose(layer(x), relu(layer.normalization(layer.convolution(x))), 1e-5, label)
    }
    check("new")
    for (name, parameter) in layer.parameters {
      parameter.assign(Tensor(uniform: parameter.shape, from: 0.5, to: 1.5, using: &random))
      check(name)
    }
    _ = withTraining(using: &random) { layer(x) }
    check("new statistics")
    let (_, gradients) = valueWithGradient(at: layer) { $0(x).sum() }
    SGD(learningRate: 0.01).update(layer, along: gradients)
    check("a step")
    // Within a gradient scope the parts run, and give the same gradient as in use.
    let (value, gradient) = valueWithGradient(at: x) { layer($0, adding: residual).sum() }
    expectClose(value, layer(x, adding: residual).sum(), 1e-5, "recorded")
    #expect(gradient.shape == x.shape)
  }
}
