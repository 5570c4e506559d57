// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum SlicingRows {
  /// Subscripts: a name, in the words of `Tests/Fixtures/operations/slicing.py`, and what it selects of `[4, 3, 5]`.
  private static let subscripts: [(String, @Sendable (Tensor) -> Tensor)] = [
    ("1", { $0[1] }),
    ("-1, 2", { $0[-1, 2] }),
    ("1:3", { $0[1..<3] }),
    ("1:, :2", { $0[1..., ..<2] }),
    ("..., -1", { $0[..., -1] }),
    ("1:3, ..., -1", { $0[1..<3, ..., -1] }),
    ("0, ..., 1:", { $0[0, ..., 1...] }),
    ("1, 1, ..., -3:", { $0[1, 1, ..., (-3)...] }),
    (":, None, 1", { $0[0..., .newAxis, 1] }),
    ("..., None", { $0[..., .newAxis] }),
    ("::2, :, ::3", { $0[(0...).stride(by: 2), 0..., (0...).stride(by: 3)] }),
    ("1:4:2", { $0[(1..<4).stride(by: 2)] }),
    (":-1, -2", { $0[..<(-1), -2] }),
    ("2:2", { $0[2..<2] }),
    ("0, 0, 0", { $0[0, 0, 0] }),
  ]

  static var slice: [OperationRow] {
    subscripts.map { name, function in
      OperationRow("subscript [\(name)]", covers: [], [Input([4, 3, 5])], dtypes: .numbers) {
        square(function($0[0]))
      }
    } + [
      row("sliced", [4, 3], covers: ["sliced"]) { $0.sliced(1..., axis: -1) },
      row("negative steps", [7, 4], covers: ["stride"], isInPyTorch: false) {
        $0[(1..<7).stride(by: -2), (0...).stride(by: -1)]
      },
      row("progressions", [7, 4], isInPyTorch: false) {
        $0[stride(from: 5, to: 0, by: -2), stride(from: 0, through: 3, by: 3)]
      },
      // The gradients of many slices meet in one place, after one that is not the tape's own.
      row("many slices", [5, 3], isInPyTorch: false) { x in
        var total = x.sum(axes: [0]).cast(to: x.dtype)
        for index in 0..<5 { total = total + square(x[index]) * x[(0...).stride(by: -1)][index] }
        return total + x[1..<4, 1].sum().cast(to: x.dtype)
      },
    ]
  }

  /// The pullback of slices, an operation itself.
  static var embed: [OperationRow] {
    [
      row("gradient of select", [2, 3, 4], isInPyTorch: false) { x in
        gradient(at: x) { square($0.select(1, axis: 1)).sum() }
      },
      row("gradient of a slice", [4, 3], isInPyTorch: false) { x in
        gradient(at: x) { square($0[(0...).stride(by: -2), 1]).sum() }
      },
    ]
  }

  static var replace: [OperationRow] {
    [
      replacement("set [1:3]", [4, 3], [2, 3]) { x, y in
        var x = x
        x[1..<3] = y
        return x
      },
      replacement("set [..., -1] broadcast", [2, 4, 3], [4]) { x, y in
        var x = x
        x[..., -1] = y
        return x
      },
      replacement("set [::2, 1]", [5, 3], [3]) { x, y in
        var x = x
        x[(0...).stride(by: 2), 1] = y
        return x
      },
      replacement("set [0][1]", [2, 3], []) { x, y in
        var x = x
        x[0][1] = y
        return x
      },
      replacement("set twice", [3, 3], [3]) { x, y in
        var x = x
        x[0] = y
        x[0..., 1] = x[0] * y
        return x
      },
    ]
  }

  static var unfold: [OperationRow] {
    [
      row("unfolded", [7], covers: ["unfolded"]) { $0.unfolded(size: 3) },
      row("unfolded 2 by 3 of 1", [2, 9, 3], covers: ["unfolded"]) { $0.unfolded(size: 2, step: 3, axis: 1) },
      row("unfolded whole", [4, 3], covers: ["unfolded"]) { $0.unfolded(size: 4, axis: 0) },
    ]
  }

  /// The pullback of `unfolded`, an operation itself.
  static var fold: [OperationRow] {
    [
      row("gradient of unfolded", [7, 2], isInPyTorch: false) { x in
        gradient(at: x) { square($0.unfolded(size: 3, step: 2, axis: 0)).sum() }
      }
    ]
  }

  private static func row(
    _ name: String, _ shape: Shape, covers: [String] = [], isInPyTorch: Bool = true,
    _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: covers, [Input(shape)], dtypes: .numbers, isInPyTorch: isInPyTorch) {
      square(function($0[0]))
    }
  }

  private static func replacement(
    _ name: String, _ shape: Shape, _ part: Shape, _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: [], [Input(shape), Input(part)], dtypes: .numbers) {
      square(function($0[0], $0[1]))
    }
  }
}
