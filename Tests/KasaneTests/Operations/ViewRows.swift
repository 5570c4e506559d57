// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

// The value is squared, so that its gradient is not the same everywhere.
enum ViewRows {
  static var reshape: [OperationRow] {
    [
      OperationRow("reshaped", covers: ["reshaped"], [Input([2, 6])], dtypes: .numbers) {
        square($0[0].reshaped(to: [3, -1]))
      }
    ]
  }
  static var permute: [OperationRow] {
    [
      OperationRow("permuted", covers: ["permuted"], [Input([2, 3, 4])], dtypes: .numbers) {
        square($0[0].permuted([2, 0, 1]))
      }
    ]
  }
  static var transpose: [OperationRow] {
    [
      .reduction("transposed", covers: ["transposed"], leastRank: 2, dtypes: .numbers) {
        square($0.transposed())
      }
    ]
  }
  static var select: [OperationRow] {
    [(0, 1), (1, -1), (-1, 0)].map { axis, index in
      OperationRow("select \(index) of \(axis)", covers: ["select"], [Input([2, 3, 4])], dtypes: .numbers) {
        square($0[0].select(index, axis: axis))
      }
    }
  }
  static var broadcast: [OperationRow] {
    [
      OperationRow("broadcast", covers: ["broadcast"], [Input([3, 1])], dtypes: .numbers) {
        square($0[0].broadcast(to: [2, 3, 4]))
      }
    ]
  }

  /// Other shapes.
  static var reshaping: [OperationRow] {
    [
      view("flattened", [2, 3, 4]) { $0.flattened() },
      view("flattened from 1 to 2", [2, 3, 4, 2], covers: "flattened") { $0.flattened(from: 1, to: -2) },
      view("squeezed", [1, 3, 1, 2]) { $0.squeezed() },
      view("squeezed axis", [3, 1, 2], covers: "squeezed") { $0.squeezed(axis: -2) },
      view("expanded", [3, 2]) { $0.expanded(axis: -1) },
      view("expanded first", [3, 2], covers: "expanded") { $0.expanded(axis: 0) },
      view("reshaped transpose", [4, 6], covers: "reshaped") { $0.transposed().reshaped(to: [2, 3, 4]) },
    ]
  }

  /// Other orders of axes.
  static var axes: [OperationRow] {
    [
      view("swappedAxes", [2, 3, 4]) { $0.swappedAxes(0, -1) },
      view("movedAxis", [2, 3, 4]) { $0.movedAxis(from: 0, to: -1) },
      view("movedAxis back", [2, 3, 4], covers: "movedAxis") { $0.movedAxis(from: -1, to: 0) },
      view("diagonal", [3, 4]) { $0.diagonal() },
      view("diagonal 1 of 0 and 2", [3, 2, 4], covers: "diagonal") { $0.diagonal(offset: 1, axes: (0, 2)) },
      view("diagonal -2", [2, 4, 3], covers: "diagonal") { $0.diagonal(offset: -2) },
      view("diagonal 5", [3, 3], covers: "diagonal") { $0.diagonal(offset: 5) },
      view("flipped", [2, 3]) { $0.flipped() },
      view("flipped last", [2, 1, 3], covers: "flipped") { $0.flipped(axes: [-1]) },
    ]
  }

  static var triangles: [OperationRow] {
    [
      view("lowerTriangle", [2, 3, 4]) { $0.lowerTriangle() },
      view("lowerTriangle -1", [4, 3], covers: "lowerTriangle") { $0.lowerTriangle(offset: -1) },
      view("upperTriangle", [4, 3]) { $0.upperTriangle() },
      view("upperTriangle 2", [3, 4], covers: "upperTriangle") { $0.upperTriangle(offset: 2) },
    ]
  }

  private static func view(
    _ name: String, _ shape: Shape, covers: String? = nil, _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: [covers ?? name], [Input(shape)], dtypes: .numbers) { square(function($0[0])) }
  }
}
