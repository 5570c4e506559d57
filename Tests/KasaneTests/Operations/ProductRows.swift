// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ProductRows {
  static var matmul: [OperationRow] {
    let shapes: [(Shape, Shape)] = [
      ([2, 3], [3, 4]), ([1, 5], [5, 1]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]),
      ([2, 3, 4], [2, 4, 5]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 2], [5, 2, 3]), ([7, 33], [33, 9]),
    ]
    return shapes.map { a, b in
      OperationRow("matmul \(a) \(b)", covers: ["matmul"], [Input(a), Input(b)]) {
        Kasane.matmul($0[0], $0[1])
      }
    }
  }
}
