// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The engine's convolutions themselves: the library's float32 against the plain float64 loops.
@Suite struct ConvolutionEngineTests {
  private static func geometry(_ random: inout RandomGenerator) -> ConvolutionGeometry {
    var geometry = ConvolutionGeometry()
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    geometry.stride = Size2D(draw(1...3), draw(1...3))
    geometry.dilation = Size2D(draw(1...2), draw(1...3))
    geometry.margins = Margins(top: draw(0...3), bottom: draw(-1...3), left: draw(0...3), right: draw(-2...3))
    return geometry
  }

  @Test(arguments: 0..<60)
  func libraryAgreesWithPlainLoops(_ number: Int) {
    var random = RandomGenerator(seed: 77, stream: UInt64(number))
    func draw(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    var geometry = Self.geometry(&random)
    let kernel = Size2D(draw(1...5), draw(1...4))
    let image = Size2D(draw(1...13), draw(1...13))
    let channels: (Int, Int, Int)  // groups, inputs and outputs of each
    switch number % 4 {
    case 0: channels = (1, draw(1...40), draw(1...40))
    case 1: channels = (draw(2...4), draw(1...9), draw(1...17))
    case 2: channels = (draw(2...40), 1, 1)
    default: channels = (draw(2...19), 1, draw(2...3))
    }
    geometry.groups = channels.0
    let size = geometry.outputSize(image: image, kernel: kernel)
    let batch = draw(0...3)
    let x = Tensor(
      normal: [batch, image.height, image.width, channels.0 * channels.1], dtype: .float64, using: &random)
    let weight = Tensor(
      normal: [kernel.height, kernel.width, channels.1, channels.0 * channels.2], dtype: .float64,
      using: &random)
    let bias = Tensor(normal: [channels.0 * channels.2], dtype: .float64, using: &random)
    let gradient = Tensor(
      normal: [batch, size.height, size.width, channels.0 * channels.2], dtype: .float64, using: &random)
    func results(_ dtype: DType) -> [Tensor] {
      let (x, weight, gradient) = (x.cast(to: dtype), weight.cast(to: dtype), gradient.cast(to: dtype))
      return [
        engine.convolution(x, weight, bias: bias.cast(to: dtype), geometry),
        engine.convolution(x, weight, bias: nil, geometry),
        engine.convolutionInputGradient(gradient, weight, shape: x.shape, geometry),
        engine.convolutionWeightGradient(x, gradient, shape: weight.shape, geometry),
      ]
    }
    let exact = results(.float64)
    for (found, exact) in zip(results(.float32), exact) { expectClose(found, exact, 2e-5, "\(geometry)") }
    for (found, exact) in zip(results(.bfloat16), exact) {
      #expect(found.dtype == .bfloat16)
      expectClose(found, exact, 5e-2, "\(geometry)")
    }
  }

  /// So much work in steps of more than one, or along a single row, that what places see is gathered, some images at a
  /// time.
  @Test(arguments: [1, 3], [1, 2])
  func gatheredGradientsAgreeWithPlainLoops(_ height: Int, _ dilation: Int) {
    var random = RandomGenerator(seed: 78)
    var geometry = ConvolutionGeometry()
    geometry.stride = height == 1 ? Size2D(1) : Size2D(2, 3)
    geometry.dilation = Size2D(1, dilation)
    geometry.margins = Margins(top: height / 2, bottom: 0, left: 2, right: 1)
    let image = height == 1 ? Size2D(1, 4001) : Size2D(73, 90)
    let size = geometry.outputSize(image: image, kernel: Size2D(height, 3))
    let x = Tensor(normal: [4, image.height, image.width, 64], dtype: .float64, using: &random)
    let gradient = Tensor(normal: [4, size.height, size.width, 32], dtype: .float64, using: &random)
    let shape: Shape = [height, 3, 64, 32]
    let exact = engine.convolutionWeightGradient(x, gradient, shape: shape, geometry)
    let found = engine.convolutionWeightGradient(
      x.cast(to: .float32), gradient.cast(to: .float32), shape: shape, geometry)
    expectClose(found, exact, 2e-5, "\(geometry)")
  }

  /// More geometries than are kept, from several tasks at once.
  @Test func primitivesComeAndGo() async {
    let sums = await withTaskGroup(of: [Double].self) { group in
      for _ in 0..<4 {
        group.addTask {
          (1...200).flatMap { width in
            (1...3).map { stride in
              let x = Tensor(ones: [1, 1, width + 3, 1])
              return convolution2D(x, Tensor(ones: [1, 3, 1, 1]), stride: Size2D(1, stride)).sum().scalar
            }
          }
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    let expected = (1...200).flatMap { width in (1...3).map { Double(3 * (width / $0 + 1)) } }
    for sum in sums { #expect(sum == expected) }
  }
}
