// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum BatchNormRows {
  private static let covers = ["batchNormalization"]
  // Scales so small, beside the shifts, that no difference crosses the rectifier's corner.
  private static let channels = [Input([5], .between(0.01, 0.03)), Input([5])]
  private static let residual = Input([3, 4, 2, 5], .between(-0.02, 0.02))

  static var batchNormalization: [OperationRow] {
    [
      OperationRow("batchNormalization, rectified", covers: covers, [Input([3, 4, 2, 5])] + channels) {
        Kasane.batchNormalization($0[0], scale: $0[1], shift: $0[2], activation: .relu).value
      },
      row("", nil),
      row(", rectified", .relu),
      row(" and a sigmoid", .sigmoid),
      OperationRow(
        "batchNormalization by given statistics, rectified", covers: covers,
        [Input([3, 4, 2, 5]), Input([5]), Input([5], .positive)] + channels + [residual]
      ) {
        Kasane.batchNormalization(
          $0[0], mean: $0[1], variance: $0[2], scale: $0[3], shift: $0[4], adding: $0[5], activation: .relu)
      },
    ]
  }

  private static func row(_ name: String, _ activation: Activation?) -> OperationRow {
    OperationRow(
      "batchNormalization with a residual\(name)", covers: covers,
      [Input([3, 4, 2, 5])] + channels + [residual]
    ) {
      Kasane.batchNormalization($0[0], scale: $0[1], shift: $0[2], adding: $0[3], activation: activation)
        .value
    }
  }
}
