// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum StatisticsRows {
  static var statistics: [OperationRow] {
    [
      OperationRow("variance", covers: ["variance"], [Input([2, 3, 4])]) { $0[0].variance() },
      OperationRow("variance of an axis", covers: ["variance"], [Input([2, 3, 4])]) {
        $0[0].variance(axes: [1], keepingAxes: true)
      },
      .reduction("variance without correction", covers: ["variance"], leastRank: 2, allowsEmpty: false) {
        $0.variance(axes: [0, -1], correction: 0)
      },
      OperationRow("standardDeviation", covers: ["standardDeviation"], [Input([2, 3, 4], .distinct)]) {
        $0[0].standardDeviation()
      },
      .reduction(
        "standardDeviation without correction", covers: ["standardDeviation"], leastRank: 1,
        allowsEmpty: false,
        .distinct
      ) { $0.standardDeviation(axes: [-1], correction: 0) },
      .reduction("logSumExp", covers: ["logSumExp"], allowsEmpty: false) { $0.logSumExp() },
      .reduction("logSumExp of an axis", covers: ["logSumExp"], leastRank: 1, allowsEmpty: false) {
        (5 * $0).logSumExp(axes: [0], keepingAxes: true)
      },
    ]
  }

  static var norm: [OperationRow] {
    [0, 0.5, 1, 2, 3.5].flatMap { p -> [OperationRow] in
      [
        .reduction("norm \(p)", covers: ["norm"], allowsEmpty: p > 0.5) { $0.norm(p) },
        .reduction("norm \(p) of last axis", covers: ["norm"], leastRank: 1) { $0.norm(p, axes: [-1]) },
      ]
    }
      + [Double.infinity, -.infinity].map { p in
        // Shifted to one side, so that no two magnitudes are near each other; in narrow types they become equal.
        .reduction(
          "norm \(p)", covers: ["norm"], leastRank: 1, allowsEmpty: false, .distinct,
          dtypes: [.float64, .float32]
        ) {
          square((20 - $0).norm(p, axes: [-1]))
        }
      }
  }
}
