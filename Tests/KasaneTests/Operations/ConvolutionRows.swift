// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

/// Convolutions of many geometries: the backward pass of their second derivatives runs through all three primitives.
enum ConvolutionRows {
  private static func images(
    _ name: String, _ image: Shape, _ weight: Shape, stride: Size2D = 1, padding: Padding = .valid,
    dilation: Size2D = 1, groups: Int = 1
  ) -> OperationRow {
    OperationRow(
      "convolution2D \(name)", covers: ["convolution2D"],
      [Input(image), Input(weight), Input([weight[3]])], isInPyTorch: image[0] > 0
    ) {
      convolution2D(
        $0[0], $0[1], bias: $0[2], stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
  }

  static var images: [OperationRow] {
    let margins = Margins(top: 2, bottom: 0, left: 1, right: 3)
    return [
      images("valid", [2, 4, 5, 3], [3, 2, 3, 2]),
      images("1 by 1", [1, 5, 4, 2], [1, 1, 2, 3]),
      images("same", [1, 5, 6, 2], [3, 3, 2, 1], stride: Size2D(2, 3), padding: .same),
      images("explicit", [1, 4, 3, 1], [2, 3, 1, 2], padding: .explicit(margins), dilation: Size2D(2, 1)),
      images("larger kernel", [1, 2, 2, 1], [5, 3, 1, 1], stride: 2, padding: .explicit(2)),
      images("groups", [1, 3, 4, 4], [2, 2, 2, 6], groups: 2),
      images("depthwise", [2, 4, 4, 3], [3, 3, 1, 6], stride: 2, padding: .same, groups: 3),
      images("no images", [0, 4, 4, 2], [3, 3, 2, 1]),
      images("gaps", [1, 6, 6, 1], [2, 2, 1, 1], stride: 3),
      images("one element", [1, 1, 1, 1], [1, 1, 1, 1]),
      images("odd channels", [1, 5, 4, 17], [2, 3, 17, 19], padding: .same),
      images("single pixels in steps", [2, 5, 5, 4], [1, 1, 4, 3], stride: 2),
      OperationRow(
        "convolution2D without bias", covers: ["convolution2D"], [Input([1, 3, 3, 2]), Input([2, 2, 2, 3])]
      ) { convolution2D($0[0], $0[1]) },
    ]
  }

  static var sequences: [OperationRow] {
    [
      ("valid", Padding.valid), ("same", .same), ("causal", .causal),
      ("explicit", .explicit(Margins(left: 1))),
    ]
    .map { name, padding in
      OperationRow(
        "convolution1D \(name)", covers: ["convolution1D"],
        [Input([2, 6, 2]), Input([3, 2, 2]), Input([2])]
      ) {
        convolution1D($0[0], $0[1], bias: $0[2], stride: 2, padding: padding, dilation: 2)
      }
    }
  }

  private static func transposed(
    _ name: String, _ image: Shape, _ weight: Shape, stride: Size2D = 1, padding: Padding = .valid,
    outputPadding: Size2D = 0, dilation: Size2D = 1, groups: Int = 1
  ) -> OperationRow {
    OperationRow(
      "transposedConvolution2D \(name)", covers: ["transposedConvolution2D"],
      [Input(image), Input(weight), Input([weight[2] * groups])], isInPyTorch: image[0] > 0
    ) {
      transposedConvolution2D(
        $0[0], $0[1], bias: $0[2], stride: stride, padding: padding, outputPadding: outputPadding,
        dilation: dilation, groups: groups)
    }
  }

  static var transposedImages: [OperationRow] {
    [
      transposed("valid", [2, 3, 4, 3], [3, 2, 2, 3]),
      transposed(
        "output padding", [1, 3, 2, 2], [3, 3, 3, 2], stride: Size2D(2, 3), padding: .explicit(1),
        outputPadding: Size2D(1, 2)),
      transposed(
        "output padding in dilation", [1, 3, 2, 2], [2, 3, 1, 2],
        padding: .explicit(Margins(vertical: 1, horizontal: 0)),
        outputPadding: Size2D(1, 2), dilation: Size2D(2, 3)),
      transposed("groups", [1, 3, 3, 4], [2, 3, 3, 4], stride: 2, groups: 2),
      transposed("same", [1, 3, 4, 2], [3, 4, 2, 2], stride: Size2D(2, 3), padding: .same),
      transposed("gaps", [1, 2, 3, 1], [2, 1, 2, 1], stride: 3, padding: .same),
      transposed("no images", [0, 3, 3, 2], [2, 2, 3, 2], stride: 2),
    ]
  }

  static var transposedSequences: [OperationRow] {
    [
      ("valid", Padding.valid, 0), ("explicit", .explicit(Margins(left: 1, right: 2)), 1), ("same", .same, 0),
      ("causal", .causal, 0),
    ]
    .map { name, padding, extra in
      OperationRow(
        "transposedConvolution1D \(name)", covers: ["transposedConvolution1D"],
        [Input([2, 4, 3]), Input([4, 2, 3]), Input([2])]
      ) {
        transposedConvolution1D(
          $0[0], $0[1], bias: $0[2], stride: 2, padding: padding, outputPadding: extra)
      }
    }
  }

  static var inputGradient: [OperationRow] {
    [
      OperationRow(
        "convolution input gradient", covers: [], [Input([2, 3, 4, 2]), Input([3, 2, 3, 2])],
        isInPyTorch: false
      ) { convolutionInputGradient($0[0], $0[1], shape: [2, 5, 5, 3], ConvolutionGeometry()) }
    ]
  }

  static var weightGradient: [OperationRow] {
    [
      OperationRow(
        "convolution weight gradient", covers: [], [Input([2, 5, 5, 3]), Input([2, 3, 4, 2])],
        isInPyTorch: false
      ) { convolutionWeightGradient($0[0], $0[1], shape: [3, 2, 3, 2], ConvolutionGeometry()) }
    ]
  }
}
