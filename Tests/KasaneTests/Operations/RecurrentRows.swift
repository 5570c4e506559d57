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

  /// The lengths and directions that the layers are tried with.
  static let variants: [(name: String, batch: Int, steps: Int, lengths: [Int]?, isReversed: Bool)] = [
    ("plain", 2, 3, nil, false), ("reversed", 1, 2, nil, true), ("lengths", 3, 3, [2, 0, 3], false),
    ("lengths reversed", 2, 3, [1, 3], true), ("empty", 2, 0, nil, false),
  ]

  /// Outputs and final states one behind the other.
  private static func joined(_ parts: [Tensor]) -> Tensor {
    Tensor.concatenate(parts.map { $0.reshaped(to: [-1]) })
  }

  private static func inputs(_ gates: Int, batch: Int, steps: Int, states: Int, biases: Int) -> [Input] {
    [Input([batch, steps, 2]), Input([2, 3 * gates]), Input([3, 3 * gates])]
      + (0..<biases).map { _ in Input([3 * gates]) } + (0..<states).map { _ in Input([batch, 3]) }
  }

  /// Whole layers whose final states are used too.
  static var finalStates: [OperationRow] {
    variants.flatMap { name, batch, steps, lengths, isReversed in
      let lengths = lengths.map { Tensor($0) }
      let memory = OperationRow(
        "lstm \(name)", covers: ["lstm"], inputs(4, batch: batch, steps: steps, states: 2, biases: 1),
        dtypes: [.float64, .float32], isInPyTorch: steps > 0
      ) {
        let (outputs, state, cell) = lstm(
          $0[0], inputWeight: $0[1], recurrentWeight: $0[2], bias: $0[3], initialState: ($0[4], $0[5]),
          lengths: lengths, isReversed: isReversed)
        return joined([outputs, state, cell])
      }
      let after = OperationRow(
        "gru \(name)", covers: ["gru"], inputs(3, batch: batch, steps: steps, states: 1, biases: 2),
        dtypes: [.float64, .float32], isInPyTorch: steps > 0
      ) {
        let (outputs, state) = gru(
          $0[0], inputWeight: $0[1], recurrentWeight: $0[2], bias: $0[3], recurrentBias: $0[4],
          initialState: $0[5], lengths: lengths, isReversed: isReversed)
        return joined([outputs, state])
      }
      let before = OperationRow(
        "gru before \(name)", covers: ["gru"], inputs(3, batch: batch, steps: steps, states: 1, biases: 1),
        dtypes: [.float64, .float32], isInPyTorch: steps > 0
      ) {
        let (outputs, state) = gru(
          $0[0], inputWeight: $0[1], recurrentWeight: $0[2], bias: $0[3], initialState: $0[4],
          resetGate: .beforeProduct, lengths: lengths, isReversed: isReversed)
        return joined([outputs, state])
      }
      let simple = OperationRow(
        "recurrent tanh \(name)", covers: ["recurrent"],
        inputs(1, batch: batch, steps: steps, states: 1, biases: 1), dtypes: [.float64, .float32],
        isInPyTorch: steps > 0
      ) {
        Kasane.recurrent(
          $0[0], inputWeight: $0[1], recurrentWeight: $0[2], bias: $0[3], initialState: $0[4],
          activation: .tanh, lengths: lengths, isReversed: isReversed)
      }
      return [memory, after, before, simple]
    }
  }
}
