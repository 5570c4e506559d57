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

  private static func extremes(
    _ name: String, _ function: @escaping @Sendable (Tensor, Shape?) -> Tensor
  ) -> [OperationRow] {
    [
      .reduction(name, covers: [name], allowsEmpty: false, .distinct, dtypes: .numbers) {
        square(function($0, nil))
      },
      .reduction(
        "\(name) of last axis", covers: [name], leastRank: 1, allowsEmpty: false, .distinct, dtypes: .numbers
      ) {
        square(function($0, [-1]))
      },
      .reduction("\(name) of two axes", covers: [name], leastRank: 2, allowsEmpty: false, .distinct) {
        square(function($0, [0, -1]))
      },
    ]
  }
  static var maximum: [OperationRow] { extremes("max") { $0.max(axes: $1) } }
  static var minimum: [OperationRow] { extremes("min") { $0.min(axes: $1) } }

  static var product: [OperationRow] {
    [
      .reduction("product", covers: ["product"]) { $0.product() },
      .reduction("product of first axis", covers: ["product"], leastRank: 1) { $0.product(axes: [0]) },
      .reduction("product of two axes", covers: ["product"], leastRank: 2) {
        $0.product(axes: [0, -1], keepingAxes: true)
      },
    ]
  }
  static var cumulativeSum: [OperationRow] {
    [
      .reduction("cumulativeSum", covers: ["cumulativeSum"], leastRank: 1) {
        square($0.cumulativeSum(axis: -1))
      },
      .reduction("cumulativeSum of first axis", covers: ["cumulativeSum"], leastRank: 1) {
        square($0.cumulativeSum(axis: 0))
      },
      .reduction("cumulativeSum reversed", covers: ["cumulativeSum"], leastRank: 2) {
        square($0.cumulativeSum(axis: 1, reversed: true))
      },
    ]
  }
  static var cumulativeProduct: [OperationRow] {
    [
      .reduction("cumulativeProduct", covers: ["cumulativeProduct"], leastRank: 1) {
        $0.cumulativeProduct(axis: -1)
      },
      .reduction("cumulativeProduct of first axis", covers: ["cumulativeProduct"], leastRank: 1) {
        $0.cumulativeProduct(axis: 0)
      },
    ]
  }

  /// Over whether elements are positive.
  static var counts: [OperationRow] {
    let functions: [(String, @Sendable (Tensor, Shape?) -> Tensor)] = [
      ("countNonzero", { $0.countNonzero(axes: $1) }), ("any", { $0.any(axes: $1) }),
      ("all", { $0.all(axes: $1) }),
    ]
    return functions.flatMap { name, function -> [OperationRow] in
      [
        .reduction(name, covers: [name], dtypes: .numbers, differentiability: .none) {
          function($0 .> 0, nil)
        },
        .reduction("\(name) of last axis", covers: [name], leastRank: 1, differentiability: .none) {
          function(relu($0), [-1])
        },
      ]
    }
  }
  static var places: [OperationRow] {
    let functions: [(String, @Sendable (Tensor, Int?, Bool) -> Tensor)] = [
      ("argmax", { $0.argmax(axis: $1, keepingAxis: $2) }),
      ("argmin", { $0.argmin(axis: $1, keepingAxis: $2) }),
    ]
    return functions.flatMap { name, function -> [OperationRow] in
      [
        .reduction(
          name, covers: [name], allowsEmpty: false, .distinct, dtypes: .numbers, differentiability: .none
        ) { function($0, nil, false) },
        .reduction(
          "\(name) of last axis", covers: [name], leastRank: 1, allowsEmpty: false, .distinct,
          dtypes: .numbers,
          differentiability: .none
        ) { function($0, -1, false) },
        .reduction(
          "\(name) of first axis", covers: [name], leastRank: 1, allowsEmpty: false, .distinct,
          differentiability: .none
        ) { function($0, 0, true) },
      ]
    }
  }
}
