// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

/// Convolutions of many geometries, for gradient checks: the backward pass of their second derivatives runs through
/// all three primitives.
func convolutionCases() -> [GradientCase] {
  var make = TensorMaker(seed: 21)
  func case2D(
    _ image: Shape, _ weight: Shape, _ stride: Size2D = 1, _ padding: Padding = .valid,
    _ dilation: Size2D = 1,
    groups: Int = 1
  ) -> GradientCase {
    GradientCase(
      "convolution2D \(image) \(weight) \(stride) \(padding) \(dilation) \(groups)",
      [make.tensor(image), make.tensor(weight), make.tensor([weight[3]])]
    ) {
      convolution2D(
        $0[0], $0[1], bias: $0[2], stride: stride, padding: padding, dilation: dilation, groups: groups)
    }
  }
  let margins = Margins(top: 2, bottom: 0, left: 1, right: 3)
  var cases = [
    case2D([2, 4, 5, 3], [3, 2, 3, 2]),
    case2D([1, 5, 4, 2], [1, 1, 2, 3]),
    case2D([1, 5, 6, 2], [3, 3, 2, 1], Size2D(2, 3), .same),
    case2D([1, 4, 3, 1], [2, 3, 1, 2], 1, .explicit(margins), Size2D(2, 1)),
    case2D([1, 2, 2, 1], [5, 3, 1, 1], 2, .explicit(2)),
    case2D([1, 3, 4, 4], [2, 2, 2, 6], 1, .valid, 1, groups: 2),
    case2D([2, 4, 4, 3], [3, 3, 1, 6], 2, .same, 1, groups: 3),
    case2D([0, 4, 4, 2], [3, 3, 2, 1]),
    case2D([1, 6, 6, 1], [2, 2, 1, 1], 3),
    GradientCase("convolution2D of views", [make.strided([1, 3, 4, 2]), make.strided([2, 2, 2, 3])]) {
      convolution2D($0[0], $0[1], padding: .same)
    },
  ]
  for padding in [Padding.valid, .same, .causal, .explicit(Margins(left: 1))] {
    cases.append(
      GradientCase(
        "convolution1D \(padding)", [make.tensor([2, 6, 2]), make.tensor([3, 2, 2]), make.tensor([2])]
      ) {
        convolution1D($0[0], $0[1], bias: $0[2], stride: 2, padding: padding, dilation: 2)
      })
  }
  return cases
}
