// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum LinearRows {
  static var linear: [OperationRow] {
    let shapes: [(Shape, Int)] = [
      ([2, 3], 4), ([3], 2), ([2, 3, 4], 5), ([0, 3], 2), ([2, 0], 3), ([5, 33], 9),
    ]
    // Those whose gradient follows from the value, those whose does not, and one that is no primitive.
    let activations: [Activation?] = [nil, .tanh, .sigmoid, .gelu, .silu, .softsign]
    return shapes.map { x, outputs in
      OperationRow(
        "linear \(x) \(outputs)", covers: ["linear"], [Input(x), Input([x[x.count - 1], outputs])]
      ) {
        Kasane.linear($0[0], $0[1])
      }
    }
      + activations.map { activation in
        OperationRow(
          "linear \(activation.map { "\($0)" } ?? "with bias")", covers: ["linear"],
          [Input([4, 3]), Input([3, 5]), Input([5])]
        ) { Kasane.linear($0[0], $0[1], bias: $0[2], activation: activation) }
      } + [
        // Away from the rectifier's corner.
        OperationRow(
          "linear relu", covers: ["linear"],
          [Input([4, 3], .positive), Input([3, 5], .positive), Input([5], .positive)],
          isInPyTorch: false
        ) {
          let signs = Tensor([1.0, -30, 1, 1, -30]).cast(to: $0[2].dtype)
          return Kasane.linear($0[0], $0[1], bias: $0[2] * signs, activation: .relu)
        }
      ]
  }
}
