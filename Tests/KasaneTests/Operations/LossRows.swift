// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum LossRows {
  static var halfSquaredError: [OperationRow] {
    [
      OperationRow(
        "half squared error", covers: ["halfSquaredError"], [Input([3, 5]), Input([3, 5])], shapes: .same()
      ) { Kasane.halfSquaredError($0[0], $0[1]) }
    ]
  }
}
