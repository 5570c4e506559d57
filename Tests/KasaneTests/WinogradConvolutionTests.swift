// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Winograd's convolution against the plain float64 loops, beyond the shapes that it is used for.
@Suite(.serialized) struct WinogradConvolutionTests {
  private struct Case {
    var x, weight, bias, gradient: Tensor
    var geometry: ConvolutionGeometry

    init(batch: Int, _ image: Size2D, _ inputs: Int, _ outputs: Int, _ margins: Margins, seed: UInt64 = 3) {
      var random = RandomGenerator(seed: seed)
      var geometry = ConvolutionGeometry()
      geometry.margins = margins
      let size = geometry.outputSize(image: image, kernel: 3)
      // Images with a mean, as a rectifier makes them.
      x = Tensor(normal: [batch, image.height, image.width, inputs], using: &random) + 0.5
      weight = Tensor(normal: [3, 3, inputs, outputs], using: &random)
      bias = Tensor(normal: [outputs], using: &random)
      gradient = Tensor(normal: [batch, size.height, size.width, outputs], using: &random)
      self.geometry = geometry
    }

    var winograd: WinogradConvolution? {
      WinogradConvolution(
        images: x.shape, weight: weight.shape, results: gradient.shape, dtype: x.dtype, geometry)
    }

    var found: [Tensor] {
      let winograd = winograd!
      return [
        winograd.forward(x, weight, bias: bias), winograd.forward(x, weight, bias: nil),
        winograd.imagesGradient(gradient, weight), winograd.weightGradient(x, gradient),
      ]
    }

    var exact: [Tensor] {
      let (x, weight, gradient) = (
        x.cast(to: .float64), weight.cast(to: .float64), gradient.cast(to: .float64)
      )
      return [
        engine.convolution(x, weight, bias: bias.cast(to: .float64), geometry),
        engine.convolution(x, weight, bias: nil, geometry),
        engine.convolutionInputGradient(gradient, weight, shape: x.shape, geometry),
        engine.convolutionWeightGradient(x, gradient, shape: weight.shape, geometry),
      ]
    }
  }

  /// Tiles whole and cut, margins of every kind, panels of 16 and 32 channels, few tiles and many, few pairs of channels
  /// and many.
  private static let cases: [Case] = [
    Case(batch: 2, Size2D(8, 8), 16, 16, Margins(top: 1, bottom: 1, left: 1, right: 1)),
    Case(batch: 1, Size2D(3, 3), 16, 32, Margins()),
    Case(batch: 3, Size2D(5, 13), 32, 80, Margins(top: 2, bottom: 2, left: 2, right: 2)),
    Case(batch: 2, Size2D(7, 37), 48, 16, Margins(top: 1, bottom: 0, left: 0, right: 1)),
    Case(batch: 5, Size2D(17, 9), 80, 80, Margins(top: 1, bottom: 1, left: 1, right: 1)),
    Case(batch: 2, Size2D(4, 4), 144, 64, Margins(top: 4, bottom: 3, left: 3, right: 5)),
    Case(batch: 70, Size2D(1, 2), 16, 48, Margins(top: 1, bottom: 1, left: 1, right: 1)),
  ]

  @Test(arguments: cases.indices)
  func agreesWithPlainLoops(_ number: Int) {
    let item = Self.cases[number]
    let label = "\(item.x.shape) by \(item.weight.shape), \(item.geometry.margins)"
    for (found, exact) in zip(item.found, item.exact) {
      let size = sqrt(square(exact).mean()).scalar
      let error = found.cast(to: .float64) - exact
      #expect(found.shape == exact.shape, "\(label)")
      #expect(sqrt(square(error).mean()).scalar <= 3e-6 * size, "\(label)")
      #expect(abs(error).max().scalar <= 3e-5 * size, "\(label)")
    }
  }

  /// The sum over more tiles than are taken at once, with blocks of the kernel cut.
  @Test func weightGradientGoesOnFromTilesToTiles() {
    let item = Case(batch: 3, Size2D(61, 37), 336, 80, Margins(top: 1, bottom: 1, left: 1, right: 1))
    let one = Tensor(ones: item.gradient.shape), x = Tensor(ones: item.x.shape)
    let found = item.winograd!.weightGradient(x, one)
    // The number of places where an element of the kernel lies on the image.
    let rows = Tensor([60, 61, 60] as [Float]), columns = Tensor([36, 37, 36] as [Float])
    let expected = 3 * rows.reshaped(to: [3, 1, 1, 1]) * columns.reshaped(to: [1, 3, 1, 1])
    expectClose(found, expected.broadcast(to: found.shape), 1e-5, scale: 6771, "sum over many tiles")
  }

  /// Some of the channels of wider images are read where they lie.
  @Test func readsPartsOfWiderImages() {
    let item = Self.cases[4]
    func part(_ x: Tensor) -> Tensor {
      let wide = Tensor.concatenate([Tensor(ones: x.shape), x, Tensor(ones: x.shape)], axis: 3)
      return wide[..., x.shape[3]..<2 * x.shape[3]]
    }
    var parts = item
    (parts.x, parts.gradient) = (part(item.x), part(item.gradient))
    #expect(!parts.x.isContiguous && !parts.gradient.isContiguous)
    for (found, expected) in zip(parts.found, item.found) { #expect(found.isEqual(to: expected)) }
  }

  /// Forward and for the images no sum depends on the number of threads, for the kernel none on anything else.
  @Test func sameBitsEachTime() {
    let item = Self.cases[4]
    for (first, second) in zip(item.found, item.found) { #expect(first.isEqual(to: second)) }
    let all = item.found
    let before = Machine.threads
    defer { Machine.threads = before }
    Machine.threads = 1
    for (alone, shared) in zip(item.found, all).prefix(3) { #expect(alone.isEqual(to: shared)) }
  }

  @Test func takesOnlyWhatItCan() {
    let margins = Margins(top: 1, bottom: 1, left: 1, right: 1)
    func accepts(
      _ x: Shape, _ weight: Shape, dtype: DType = .float32,
      _ change: (inout ConvolutionGeometry) -> Void = { _ in }
    ) -> Bool {
      var geometry = ConvolutionGeometry()
      geometry.margins = margins
      change(&geometry)
      let size = geometry.outputSize(image: Size2D(x[1], x[2]), kernel: Size2D(weight[0], weight[1]))
      return WinogradConvolution(
        images: x, weight: weight, results: [x[0], size.height, size.width, weight[3]], dtype: dtype, geometry
      )
        != nil
    }
    #expect(accepts([1, 8, 8, 16], [3, 3, 16, 32]))
    #expect(!accepts([1, 8, 8, 16], [3, 3, 16, 32], dtype: .bfloat16))
    #expect(!accepts([1, 8, 8, 16], [3, 3, 16, 37]))
    #expect(!accepts([1, 8, 8, 24], [3, 3, 24, 32]))
    #expect(!accepts([1, 8, 8, 16], [5, 3, 16, 32]))
    #expect(!accepts([0, 8, 8, 16], [3, 3, 16, 32]))
    #expect(!accepts([1, 8, 8, 32], [3, 3, 16, 32]) { $0.groups = 2 })
    #expect(!accepts([1, 8, 8, 16], [3, 3, 16, 32]) { $0.stride = 2 })
    #expect(!accepts([1, 8, 8, 16], [3, 3, 16, 32]) { $0.dilation = 2 })
  }

  /// Whole tiles and work enough.
  @Test func isChosenByShape() {
    func pays(batch: Int, _ side: Int, _ inputs: Int, _ outputs: Int) -> Bool {
      var geometry = ConvolutionGeometry()
      geometry.margins = Margins(top: 1, bottom: 1, left: 1, right: 1)
      return WinogradConvolution(
        images: [batch, side, side, inputs], weight: [3, 3, inputs, outputs],
        results: [batch, side, side, outputs], dtype: .float32, geometry)!.pays
    }
    #expect(pays(batch: 8, 56, 64, 64) && pays(batch: 8, 7, 512, 512) && pays(batch: 8, 14, 128, 32))
    #expect(!pays(batch: 8, 7, 128, 32) && !pays(batch: 8, 1, 512, 512) && !pays(batch: 1, 7, 512, 512))
  }
}
