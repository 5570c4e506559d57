// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ReductionRows {
  static var sum: [OperationRow] {
    [
      .reduction("sum", covers: ["sum"]) { square($0).sum() },
      .reduction("sum of first axis", covers: ["sum"], leastRank: 1) { square($0.sum(axes: [0])) },
      .reduction("sum of last axis", covers: ["sum"], leastRank: 1) {
        square($0.sum(axes: [-1], keepingAxes: true))
      },
      .reduction("sum of two axes", covers: ["sum"], leastRank: 2) { square($0.sum(axes: [0, -1])) },
    ]
  }
  static var mean: [OperationRow] {
    [
      .reduction("mean", covers: ["mean"], allowsEmpty: false) { square($0.mean()) },
      .reduction("mean of an axis", covers: ["mean"], leastRank: 2, allowsEmpty: false) {
        square($0.mean(axes: [1], keepingAxes: true))
      },
    ]
  }
}
