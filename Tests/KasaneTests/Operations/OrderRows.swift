// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum OrderRows {
  static var order: [OperationRow] {
    [
      row("sorted", [3, 5], covers: "sorted") { square($0.sorted().values) * $1 },
      row("sorted descending of 0", [5, 3], covers: "sorted") {
        square($0.sorted(axis: 0, descending: true).values) * $1
      },
      row("sorted empty", [0, 3], covers: "sorted") { square($0.sorted(axis: 0).values) * $1 },
      row("topK", [3, 7], covers: "topK") { square($0.topK(3).values) * $1[..., ..<3] },
      row("topK smallest of 0", [7, 2], covers: "topK") {
        square($0.topK(2, axis: 0, largest: false).values) * $1[..<2]
      },
      index("sorted indices", [3, 5], covers: "sorted") { $0.sorted(descending: true).indices },
      index("argsorted", [4, 3], covers: "argsorted") { $0.argsorted(axis: 0) },
      index("topK indices", [3, 7], covers: "topK") { $0.topK(4).indices },
    ]
  }

  static var uniqueness: [OperationRow] {
    let parts: [(String, @Sendable (Tensor) -> Tensor)] = [
      ("values", { $0.unique().values }), ("inverse", { $0.unique().inverse }),
      ("counts", { $0.unique().counts }),
    ]
    return parts.map { name, function in
      OperationRow(
        "unique \(name)", covers: ["unique"], [Input([3, 4], .index(below: 5))], differentiability: .none
      ) { function($0[0]) }
    }
      + [false, true].map { afterEqual in
        OperationRow(
          "searchSorted \(afterEqual ? "after" : "before") equal", covers: ["searchSorted"],
          [Input([9], .index(below: 6)), Input([2, 4], .index(below: 7))], differentiability: .none
        ) { $0[0].sorted().values.searchSorted($0[1], afterEqual: afterEqual) }
      }
  }

  private static func row(
    _ name: String, _ shape: Shape, covers: String, _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: [covers], [Input(shape, .distinct), Input(shape)], dtypes: .floatingPoint) {
      function($0[0], $0[1])
    }
  }

  private static func index(
    _ name: String, _ shape: Shape, covers: String, _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: [covers], [Input(shape, .distinct)], dtypes: .numbers, differentiability: .none
    ) { function($0[0]) }
  }
}
