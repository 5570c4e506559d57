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

  static var concatenate: [OperationRow] {
    [
      joining("concatenate", [2, 3], [4, 3], covers: "concatenate") { Tensor.concatenate($0) },
      joining("concatenate last", [2, 1, 3], [2, 1, 2], covers: "concatenate") {
        Tensor.concatenate([$0[0], $0[1], $0[0]], axis: -1)
      },
      joining("concatenate empty", [2, 0], [2, 3], covers: "concatenate") { Tensor.concatenate($0, axis: 1) },
    ]
  }

  static var splitting: [OperationRow] {
    [
      joining("split", [6, 2], [2], covers: "split") { x in
        let parts = x[0].split(into: 3)
        return parts[0] * parts[2] + parts[1] * x[1]
      },
      joining("split sizes", [2, 6], [2, 1], covers: "split") { x in
        let parts = x[0].split(sizes: [1, 3, 2], axis: -1)
        let total = parts[2].sum(axes: [1], keepingAxes: true).cast(to: x[1].dtype)
        return parts[0] * parts[1] + total * x[1]
      },
      joining("unstacked", [3, 2], [2], covers: "unstacked") { x in
        let parts = x[0].unstacked()
        return parts[0] * parts[2] + parts[1] * x[1]
      },
    ]
  }

  static var repeating: [OperationRow] {
    [
      moved("tiled", [2, 3], covers: "tiled") { $0.tiled([3, 2]) },
      moved("tiled new axis", [2, 3], covers: "tiled") { $0.tiled([2, 1, 2]) },
      moved("tiled last", [2, 3], covers: "tiled") { $0.tiled([2]) },
      moved("tiled 0", [2, 3], covers: "tiled") { $0.tiled([0, 1]) },
      moved("repeated", [2, 3], covers: "repeated") { $0.repeated(2, axis: -1) },
      moved("rolled", [2, 5], covers: "rolled") { $0.rolled(by: 2, axis: -1) },
      moved("rolled back", [5, 2], covers: "rolled") { $0.rolled(by: -7, axis: 0) },
    ]
  }

  private static func joining(
    _ name: String, _ left: Shape, _ right: Shape, covers: String,
    _ function: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: [covers], [Input(left), Input(right)], dtypes: .numbers) {
      square(function($0))
    }
  }

  private static func moved(
    _ name: String, _ shape: Shape, covers: String, _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: [covers], [Input(shape)], dtypes: .numbers) { square(function($0[0])) }
  }
}
