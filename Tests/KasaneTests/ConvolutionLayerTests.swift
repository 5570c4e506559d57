// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The layers of convolution and pooling: they hand their choices on to the operations, whose numbers are checked there.
@Suite struct ConvolutionLayerTests {
  private var x: Tensor {
    var random = RandomGenerator(seed: 4)
    return Tensor(normal: [2, 7, 6, 4], using: &random)
  }

  private func check<L: Layer>(_ layer: L, _ names: [String], _ shape: Shape, _ expected: Tensor)
  where L.Input == Tensor, L.Output == Tensor {
    #expect(layer.parameters.map(\.name) == names)
    let input = expected.rank == 3 ? x.reshaped(to: [2, 42, 4]) : x
    let y = layer(input)
    #expect(y.shape == shape)
    expectClose(y, expected, 1e-6, "\(L.self)")
  }

  @Test func convolutions() {
    var random = RandomGenerator(seed: 5)
    let plain = Convolution2D(
      4, 6, kernelSize: Size2D(3, 2), stride: 2, padding: .same, groups: 2, using: &random)
    plain.bias!.assign(Tensor(normal: [6], using: &random))
    #expect(plain.weight.shape == [3, 2, 2, 6])
    check(
      plain, ["weight", "bias"], [2, 4, 3, 6],
      convolution2D(
        x, plain.weight.value, bias: plain.bias!.value, stride: 2, padding: .same, groups: 2))

    let sequence = Convolution1D(
      4, 3, kernelSize: 3, padding: .causal, dilation: 2, bias: false, using: &random)
    #expect(sequence.weight.shape == [3, 4, 3])
    check(
      sequence, ["weight"], [2, 42, 3],
      convolution1D(x.reshaped(to: [2, 42, 4]), sequence.weight.value, padding: .causal, dilation: 2))

    let transposed = TransposedConvolution2D(
      4, 6, kernelSize: 3, stride: 2, padding: .explicit(1), outputPadding: 1, groups: 2, using: &random)
    #expect(transposed.weight.shape == [3, 3, 3, 4])
    check(
      transposed, ["weight", "bias"], [2, 14, 12, 6],
      transposedConvolution2D(
        x, transposed.weight.value, stride: 2, padding: .explicit(1), outputPadding: 1, groups: 2))

    let longer = TransposedConvolution1D(4, 5, kernelSize: 4, stride: 3, padding: .same, using: &random)
    #expect(longer.weight.shape == [4, 5, 4])
    check(
      longer, ["weight", "bias"], [2, 126, 5],
      transposedConvolution1D(x.reshaped(to: [2, 42, 4]), longer.weight.value, stride: 3, padding: .same))
  }

  @Test func separable() {
    var random = RandomGenerator(seed: 6)
    let depthwise = DepthwiseConvolution2D(4, kernelSize: 3, multiplier: 2, padding: .same, using: &random)
    #expect(depthwise.weight.shape == [3, 3, 1, 8])
    check(
      depthwise, ["weight", "bias"], [2, 7, 6, 8],
      convolution2D(x, depthwise.weight.value, padding: .same, groups: 4))
    let separable = SeparableConvolution2D(4, 5, kernelSize: 3, multiplier: 2, stride: 2, using: &random)
    let middle = convolution2D(x, separable.depthwise.weight.value, stride: 2, groups: 4)
    check(
      separable, ["depthwise.weight", "pointwise.weight", "pointwise.bias"], [2, 3, 2, 5],
      convolution2D(middle, separable.pointwise.weight.value))
  }

  /// The variance of He's rule keeps that of what passes through rectified units.
  @Test func weightsHaveTheirVariance() {
    var random = RandomGenerator(seed: 7)
    func variance(_ parameter: Parameter) -> Double { square(parameter.value).mean().scalar }
    let kernel = Convolution2D(32, 64, kernelSize: 3, groups: 2, using: &random).weight
    #expect(abs(variance(kernel) * 9 * 16 / 2 - 1) < 0.1)
    let depthwise = DepthwiseConvolution2D(200, kernelSize: 5, using: &random).weight
    #expect(abs(variance(depthwise) * 25 / 2 - 1) < 0.1)
    let transposed = TransposedConvolution2D(32, 16, kernelSize: 4, stride: 2, using: &random).weight
    #expect(abs(variance(transposed) * 4 * 32 / 2 - 1) < 0.1)
  }

  @Test func pools() {
    check(MaxPool2D(2), [], [2, 3, 3, 4], maxPool2D(x, size: 2))
    check(
      MaxPool2D(3, stride: 2, padding: .explicit(1), roundsUp: true), [], [2, 4, 4, 4],
      maxPool2D(x, size: 3, stride: 2, padding: .explicit(1), roundsUp: true))
    check(
      AveragePool2D(3, stride: 2, padding: .same, countsPadding: true), [], [2, 4, 3, 4],
      averagePool2D(x, size: 3, stride: 2, padding: .same, countsPadding: true))
    let sequences = x.reshaped(to: [2, 42, 4])
    check(MaxPool1D(4), [], [2, 10, 4], maxPool1D(sequences, size: 4))
    check(AveragePool1D(4, stride: 1), [], [2, 39, 4], averagePool1D(sequences, size: 4, stride: 1))
    #expect(GlobalAveragePool2D()(x).shape == [2, 4])
    #expect(GlobalMaxPool2D()(x).shape == [2, 4])
    #expect(AdaptiveAveragePool2D(Size2D(2, 3))(x).shape == [2, 2, 3, 4])
  }

  @Test func notANumberWins() {
    for dtype in [DType.float32, .float64, .bfloat16] {
      let x = Tensor(
        [1, .nan, 3, 2, -1, -.infinity, -.infinity, -.infinity] as [Float], shape: [1, 2, 4, 1])
      let y = maxPool2D(x.cast(to: dtype), size: 2).cast(to: .float32).elements(as: Float.self)
      #expect(y[0].isNaN && y[1] == 3)
      let least = maxPool1D(x.cast(to: dtype).reshaped(to: [1, 8, 1]), size: 2).cast(to: .float32)
      #expect(least.elements(as: Float.self).last == -.infinity)
    }
  }

  /// Of equal maxima the first gets the gradient.
  @Test func firstOfEqualMaximaIsMeant() {
    let slope = gradient(at: Tensor(zeros: [1, 2, 2, 1])) { maxPool2D($0, size: 2).sum() }
    #expect(slope.elements(as: Float.self) == [1, 0, 0, 0])
  }

  @Test func mistakesAreNamed() async {
    let kernel = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = convolution2D(Tensor(zeros: [1, 5, 5, 3]), Tensor(zeros: [3, 3, 4, 8]))
    }
    expect(kernel, "convolution2D: input [1, 5, 5, 3] and weight [3, 3, 4, 8] do not fit")
    let larger = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = convolution1D(Tensor(zeros: [1, 2, 3]), Tensor(zeros: [3, 3, 8]))
    }
    expect(
      larger, "convolution1D: weight [1, 3, 3, 8], dilated by 1 and 1, is larger than input [1, 1, 2, 3]")
    let type = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = maxPool2D(Tensor(zeros: [1, 4, 4, 1], dtype: .int32), size: 2)
    }
    expect(type, "maxPool2D: int32 where a floating-point type is needed")
    let margins = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = averagePool2D(Tensor(zeros: [1, 4, 4, 1]), size: 2, padding: .explicit(2))
    }
    expect(margins, "averagePool2D: ")
  }

  private func expect(_ result: ExitTest.Result?, _ message: String) {
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains(message))
  }
}
