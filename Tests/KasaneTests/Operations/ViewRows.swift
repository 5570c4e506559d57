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
  /// The pullback of `select`, an operation itself.
  static var embed: [OperationRow] {
    [
      OperationRow("gradient of select", covers: ["select"], [Input([2, 3, 4])], isInPyTorch: false) { x in
        gradient(at: x[0]) { square($0.select(1, axis: 1)).sum() }
      }
    ]
  }
  static var broadcast: [OperationRow] {
    [
      OperationRow("broadcast", covers: ["broadcast"], [Input([3, 1])], dtypes: .numbers) {
        square($0[0].broadcast(to: [2, 3, 4]))
      }
    ]
  }
}
