// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum RecurrentRows {
  static var recurrent: [OperationRow] {
    // Those of the fused layer, and one that only the composition has.
    [Activation.sigmoid, .relu, .tanh, .silu].flatMap { activation in
      [(1, 1), (2, 3), (2, 0)].map { batch, steps in
        OperationRow(
          "recurrent \(activation) \(batch) \(steps)", covers: ["recurrent"],
          [Input([batch, steps, 2]), Input([2, 3]), Input([3, 3]), Input([3]), Input([batch, 3])],
          dtypes: [.float64, .float32], isInPyTorch: steps > 0
        ) {
          Kasane.recurrent(
            $0[0], inputWeight: $0[1], recurrentWeight: $0[2], bias: $0[3], initialState: $0[4],
            activation: activation)
        }
      }
    }
  }
}
