// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum AutodiffRows {
  static var custom: [OperationRow] {
    [
      OperationRow.unary("withPullback", covers: [], dtypes: [.float64, .float32], isInPyTorch: false) { x in
        withPullback("cube", of: [x]) {
          x * x * x
        } pullback: { gradient, _ in
          [3 * gradient * x * x]
        }
      },
      OperationRow.unary("withPullback from its value", covers: [], isInPyTorch: false) { x in
        withPullback("exponential", of: [x]) {
          exp(x)
        } pullback: { gradient, y in
          [gradient * y]
        }
      },
      OperationRow(
        "withPullback of two", covers: [], [Input([2, 3]), Input([2, 3])], isInPyTorch: false
      ) { x in
        withPullback("product", of: x) {
          x[0] * x[1]
        } pullback: { gradient, _ in
          [gradient * x[1], gradient * x[0]]
        }
      },
      OperationRow.unary("replacingGradient", covers: [], isInPyTorch: false) { x in
        square(x).replacingGradient { $0 * 1 }
      },
    ]
  }

  static var checkpoint: [OperationRow] {
    [
      OperationRow.unary("checkpointed", covers: [], isInPyTorch: false) { x in
        checkpointed(x) { tanh(square($0) + $0) }
      },
      OperationRow(
        "checkpointed of two and a captured one", covers: [], [Input([2, 3]), Input([3, 2]), Input([2])],
        isInPyTorch: false
      ) { x in
        let captured = square(x[2])
        return checkpointed([x[0], x[1]]) { matmul($0[0], $0[1]) * captured * $0[0].sum() }
      },
    ]
  }
}
