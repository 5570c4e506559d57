// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum PaddingRows {
  static var padding: [OperationRow] {
    [
      row("padded with zeros", [2, 3]) { $0.padded(before: [1, 0], after: [2, 3]) },
      row("padded with 2", [2, 3]) { $0.padded(before: [0, 2], mode: .constant(2)) },
      row("padded by reflection", [4, 3]) { $0.padded(before: [3, 1], after: [2, 2], mode: .reflect) },
      row("padded with edges", [2, 3]) { $0.padded(before: [2, 0], after: [0, 4], mode: .edge) },
      row("padded axis", [2, 3, 2]) { $0.padded(axis: -2, before: 1, after: 2) },
      row("padded empty", [0, 3]) { $0.padded(before: [1, 0], after: [1, 1]) },
    ]
  }

  private static func row(
    _ name: String, _ shape: Shape, _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: ["padded"], [Input(shape)], dtypes: .numbers) { square(function($0[0])) }
  }
}
