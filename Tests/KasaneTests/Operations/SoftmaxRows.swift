// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum SoftmaxRows {
  private static func rows(
    _ name: String, _ function: @escaping @Sendable (Tensor, Int) -> Tensor
  ) -> [OperationRow] {
    [
      .reduction(name, covers: [name], leastRank: 1) { function($0, -1) },
      .reduction("\(name) of an axis", covers: [name], leastRank: 2) { function($0, 0) },
      OperationRow("\(name) of large numbers", covers: [name], [Input([3, 5])]) { function(10 * $0[0], -1) },
    ]
  }
  static var softmax: [OperationRow] { rows("softmax") { Kasane.softmax($0, axis: $1) } }
  static var logSoftmax: [OperationRow] { rows("logSoftmax") { Kasane.logSoftmax($0, axis: $1) } }
}
