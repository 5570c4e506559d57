// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The CPU's engine against the reference: matrix products, convolutions and pooling.
@Suite struct ProductEngineTests {
  @Test(arguments: [Transposition.none, .left, .right]) func matrixProduct(_ transposing: Transposition) {
    let shapes: [(Shape, Shape)] =
      switch transposing {
      case .none:
        [
          ([2, 3], [3, 4]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]), ([3, 4], [2, 4, 5]),
          ([2, 1, 3, 2], [5, 2, 3]), ([40, 33], [33, 17]), ([1, 70], [70, 1]), ([1, 150], [150, 333]),
        ]
      case .left: [([3, 2], [3, 4]), ([2, 5, 3], [2, 5, 4]), ([0, 3], [0, 2]), ([65, 3], [65, 40])]
      case .right:
        [
          ([2, 3], [4, 3]), ([2, 5, 3], [4, 3]), ([2, 0], [3, 0]), ([20, 65], [33, 65]),
          ([1, 331], [70, 331]), ([400, 90], [40, 90]),
        ]
      }
    for (a, b) in shapes {
      compareEngines(
        "\(transposing) \(a) \(b)", .floatingPoint + [.int32, .int64], [Input(a), Input(b)], tolerance: 4e-6
      ) {
        [$0.matrixProduct($1[0], $1[1], transposing: transposing)]
      }
    }
  }

  @Test func convolutions() {
    for (number, (image, kernel, groups)) in [
      (Shape([2, 6, 5, 4]), Shape([3, 2, 4, 3]), 1), ([1, 7, 7, 4], [2, 3, 2, 6], 2),
      ([3, 4, 5, 3], [3, 3, 1, 6], 3),
      ([1, 1, 9, 2], [1, 3, 2, 2], 1), ([0, 4, 4, 2], [3, 3, 2, 1], 1),
    ].enumerated() {
      var geometry = ConvolutionGeometry()
      geometry.stride = Size2D(1 + number % 2, 1 + number / 2 % 2)
      geometry.dilation = Size2D(1 + number / 3 % 2, 1)
      geometry.margins = Margins(top: number, bottom: 1, left: 2, right: number % 3)
      geometry.groups = groups
      let size = geometry.outputSize(
        image: Size2D(image[1], image[2]), kernel: Size2D(kernel[0], kernel[1]))
      let result: Shape = [image[0], size.height, size.width, kernel[3]]
      let inputs = [Input(image), Input(kernel), Input([kernel[3]]), Input(result)]
      compareEngines("convolution \(number)", .floatingPoint, inputs, tolerance: 4e-6) {
        [geometry] engine, x in
        [
          engine.convolution(x[0], x[1], bias: x[2], geometry),
          engine.convolution(x[0], x[1], bias: nil, geometry),
          engine.convolutionInputGradient(x[3], x[1], shape: image, geometry),
          engine.convolutionWeightGradient(x[0], x[3], shape: kernel, geometry),
        ]
      }
    }
  }

  @Test func pools() {
    let overlapping = PoolingWindows(rows: [0..<2, 1..<4, 3..<5], columns: [0..<3, 2..<6])
    var padded = PoolingWindows(rows: [0..<1, 1..<3], columns: [0..<2, 3..<4, 4..<6])
    padded.rowCounts = [2, 3]
    let all = PoolingWindows(rows: [0..<5], columns: [0..<6])
    for (number, windows) in [overlapping, padded, all].enumerated() {
      for images: Shape in [[2, 5, 6, 3], [1, 5, 6, 1], [0, 5, 6, 2], [1, 5, 6, 40]] {
        let result: Shape = [images[0], windows.rows.count, windows.columns.count, images[3]]
        compareEngines(
          "pooling \(number) of \(images)", .floatingPoint, [Input(images), Input(result)], tolerance: 1e-6
        ) { engine, x in
          let (values, indices) = engine.maximumPool(x[0], windows)
          return [
            values, indices, engine.averagePool(x[0], windows),
            engine.maximumPoolGradient(x[1], at: indices, shape: images, windows),
            engine.averagePoolGradient(x[1], shape: images, windows),
          ]
        }
      }
    }
  }
}
