// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum JoiningRows {
  static var stack: [OperationRow] {
    [0, 1, -1].map { axis in
      OperationRow("stack \(axis)", covers: ["stack"], [Input([2, 3]), Input([2, 3])], dtypes: .numbers) {
        square(Tensor.stack([$0[0], $0[1], $0[0]], axis: axis))
      }
    }
  }
}
