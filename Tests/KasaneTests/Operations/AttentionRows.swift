// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum AttentionRows {
  private static let separateHeads = [Input([2, 3, 4, 6]), Input([2, 3, 5, 6]), Input([2, 3, 5, 7])]

  /// A query may attend to a key where their places add up to no multiple of three.
  private static var mask: Tensor {
    Tensor((0..<20).map { ($0 / 5 + $0 % 5) % 3 != 0 }, shape: [4, 5])
  }

  private static func row(
    _ name: String, _ inputs: [Input] = separateHeads, isInPyTorch: Bool = true,
    function: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: ["scaledDotProductAttention"], inputs, isInPyTorch: isInPyTorch, function: function)
  }

  // After their projections, two heads of three numbers each.
  private static let projected = [Input([2, 4, 6]), Input([2, 5, 6]), Input([2, 5, 8])]

  private static func headsRow(
    _ name: String, _ inputs: [Input] = projected, function: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: ["multiHeadAttention"], inputs, isInPyTorch: false, function: function)
  }

  static var heads: [OperationRow] {
    [
      headsRow("attention of heads") { multiHeadAttention($0[0], $0[1], $0[2], heads: 2) },
      headsRow("attention of heads with all that masks") {
        multiHeadAttention(
          $0[0], $0[1], $0[2], heads: 2, mask: mask, keyLengths: Tensor([3, 5]), isCausal: true, scale: 0.4)
      },
      headsRow("attention of heads to nothing") {
        multiHeadAttention($0[0], $0[1], $0[2], heads: 2, keyLengths: Tensor([0, 2]))
      },
      headsRow("attention of heads with infinite masks") {
        multiHeadAttention(
          $0[0], $0[1], $0[2], heads: 2,
          mask: Tensor.where(mask, $0[0].detached().select(0, axis: 2).sum(), -.infinity))
      },
      headsRow("attention of projected sequences", [Input([2, 4, 12])]) {
        multiHeadAttention(projected: $0[0], heads: 2, isCausal: true)
      },
      headsRow("attention to projected sequences", [Input([2, 4, 6]), Input([2, 5, 12])]) {
        multiHeadAttention($0[0], projected: $0[1], heads: 2)
      },
    ]
  }

  static var attention: [OperationRow] {
    [
      row("attention") { scaledDotProductAttention($0[0], $0[1], $0[2]) },
      row("attention of one head", [Input([4, 6]), Input([5, 6]), Input([5, 2])]) {
        scaledDotProductAttention($0[0], $0[1], $0[2])
      },
      row("attention causal") { scaledDotProductAttention($0[0], $0[1], $0[2], isCausal: true) },
      row("attention masked") { scaledDotProductAttention($0[0], $0[1], $0[2], mask: mask) },
      row("attention with a mask that is added", separateHeads + [Input([2, 1, 4, 5])]) {
        scaledDotProductAttention($0[0], $0[1], $0[2], mask: $0[3], scale: 0.3)
      },
      // PyTorch gives NaN where a query may attend to nothing.
      row("attention to nothing", isInPyTorch: false) {
        scaledDotProductAttention(
          $0[0], $0[1], $0[2], mask: Tensor([true, false, true, false], shape: [4, 1]), isCausal: true)
      },
      row(
        "attention of nobody", [Input([2, 0, 6]), Input([2, 5, 6]), Input([2, 5, 3])], isInPyTorch: false
      ) {
        scaledDotProductAttention($0[0], $0[1], $0[2])
      },
      OperationRow("attention weights", covers: ["attentionWeights"], [Input([2, 4, 6]), Input([2, 5, 6])]) {
        attentionWeights($0[0], $0[1])
      },
      OperationRow(
        "attention weights masked", covers: ["attentionWeights"], [Input([2, 4, 6]), Input([2, 5, 6])]
      ) { attentionWeights($0[0], $0[1], mask: mask, scale: 0.5) },
      OperationRow(
        "causal mask", covers: ["causalMask"], [Input([3, 5])], isInPyTorch: false
      ) { Tensor.where(causalMask(queries: 3, keys: 5, offset: 1), $0[0], 0) },
    ]
  }
}
