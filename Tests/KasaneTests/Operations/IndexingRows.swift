// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

// The value is squared, so that its gradient is not the same everywhere.
enum IndexingRows {
  static var take: [OperationRow] {
    [
      row("gathered", covers: "gathered", [5, 3], indices: [7], below: 5) { square($0[0].gathered($0[1])) },
      row("gathered of 1", covers: "gathered", [2, 4, 3], indices: [2, 3], below: 4) {
        square($0[0].gathered($0[1], axis: 1))
      },
      row("gathered last", covers: "gathered", [2, 4], indices: [], below: 4) {
        square($0[0].gathered($0[1], axis: -1))
      },
      row("gathered none", covers: "gathered", [5, 3], indices: [0], below: 5) {
        square($0[0].gathered($0[1]))
      },
      row("gathered from the end", covers: "gathered", [5, 3], indices: [4], below: 5) {
        square($0[0].gathered(($0[1] - 5).cast(to: .int32)))
      },
    ]
  }

  static var scatterAdd: [OperationRow] {
    [
      OperationRow(
        "scatterAdding", covers: ["scatterAdding"],
        [Input([5, 3]), Input([7, 3]), Input([7], .index(below: 5))],
        dtypes: .numbers
      ) { square($0[0].scatterAdding($0[1], at: $0[2])) },
      OperationRow(
        "scatterAdding of 1", covers: ["scatterAdding"],
        [Input([2, 4, 3]), Input([2, 2, 5, 3]), Input([2, 5], .index(below: 4))], dtypes: .floatingPoint
      ) { square($0[0].scatterAdding($0[1], at: $0[2], axis: -2)) },
      OperationRow(
        "scatterAdding broadcast", covers: ["scatterAdding"],
        [Input([4, 3]), Input([3]), Input([6], .index(below: 4))]
      ) { square($0[0].scatterAdding($0[1], at: $0[2])) },
      OperationRow(
        "gradient of gathered", covers: ["gathered"], [Input([5, 3]), Input([7], .index(below: 5))],
        isInPyTorch: false
      ) { x in
        gradient(at: x[0]) { square($0.gathered(x[1])).sum() }
      },
    ]
  }

  static var takeAlong: [OperationRow] {
    [
      row("gatheredAlong", covers: "gatheredAlong", [4, 3], indices: [6, 3], below: 4) {
        square($0[0].gatheredAlong($0[1], axis: 0))
      },
      row("gatheredAlong last", covers: "gatheredAlong", [2, 3, 4], indices: [2, 3, 2], below: 4) {
        square($0[0].gatheredAlong($0[1], axis: -1))
      },
      row("gatheredAlong broadcast", covers: "gatheredAlong", [2, 1, 4], indices: [3, 5], below: 4) {
        square($0[0].gatheredAlong($0[1].expanded(axis: 0), axis: -1))
      },
    ]
  }

  static var scatterAddAlong: [OperationRow] {
    [
      OperationRow(
        "scatterAddingAlong", covers: ["scatterAddingAlong"],
        [Input([4, 3]), Input([6, 3]), Input([6, 3], .index(below: 4))], dtypes: .floatingPoint
      ) { square($0[0].scatterAddingAlong($0[1], at: $0[2], axis: 0)) },
      OperationRow(
        "scatterAddingAlong last", covers: ["scatterAddingAlong"],
        [Input([2, 3, 4]), Input([2, 3, 5]), Input([2, 3, 5], .index(below: 4))], dtypes: .floatingPoint
      ) { square($0[0].scatterAddingAlong($0[1], at: $0[2], axis: -1)) },
    ]
  }

  static var embedding: [OperationRow] {
    [
      row("embedding", covers: "embedding", [6, 4], indices: [2, 5], below: 6, dtypes: .floatingPoint) {
        square(Kasane.embedding($0[0], $0[1]))
      },
      row("embedding of one", covers: "embedding", [6, 4], indices: [], below: 6, dtypes: .floatingPoint) {
        square(Kasane.embedding($0[0], $0[1]))
      },
    ]
  }

  /// What depends on the values of a mask or of indices.
  static var selection: [OperationRow] {
    [
      OperationRow("masked", covers: ["masked"], [Input([4, 5]), Input([4, 5], .bool)], dtypes: .numbers) {
        square($0[0].masked(by: $0[1]))
      },
      OperationRow("masked rows", covers: ["masked"], [Input([6, 2]), Input([6], .bool)], dtypes: .numbers) {
        square($0[0].masked(by: $0[1]))
      },
      OperationRow(
        "nonzeroIndices", covers: ["nonzeroIndices"], [Input([4, 5], .bool)], differentiability: .none
      ) {
        $0[0].nonzeroIndices()
      },
      OperationRow("oneHot", covers: ["oneHot"], [Input([2, 3], .index(below: 4))], differentiability: .none)
      {
        oneHot($0[0], depth: 4)
      },
    ]
  }

  private static func row(
    _ name: String, covers: String, _ shape: Shape, indices: Shape, below bound: Int,
    dtypes: [DType] = .numbers,
    _ function: @escaping @Sendable ([Tensor]) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: [covers], [Input(shape), Input(indices, .index(below: bound))], dtypes: dtypes,
      function: function)
  }
}
