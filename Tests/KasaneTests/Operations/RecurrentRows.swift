// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum RecurrentRows {
  static var recurrent: [OperationRow] {
    // Those of the fused layer, and one that only the composition has.
    [Activation.sigmoid, .relu, .tanh, .silu].flatMap { activation in
      [(1, 1), (2, 3), (2, 0)].map { batch, steps in
        // A rectifier must keep away from its corner: its units are at work throughout but for the middle one, which
        // never is.
        let (domain, offsets) =
          activation == .relu ? (Domain.positive, [0.0, -1000, 0]) : (Domain.real, [0.0, 0, 0])
        return OperationRow(
          "recurrent \(activation) \(batch) \(steps)", covers: ["recurrent"],
          [
            Input([batch, steps, 2], domain), Input([2, 3], domain), Input([3, 3], domain),
            Input([3], domain),
            Input([batch, 3], domain),
          ],
          dtypes: [.float64, .float32], isInPyTorch: steps > 0
        ) {
          Kasane.recurrent(
            $0[0], inputWeight: $0[1], recurrentWeight: $0[2],
            bias: $0[3] + Tensor(offsets).cast(to: $0[3].dtype), initialState: $0[4], activation: activation)
        }
      }
    }
  }
}
