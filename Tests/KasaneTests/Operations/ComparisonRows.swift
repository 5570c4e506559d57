// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ComparisonRows {
  static var choice: [OperationRow] {
    [
      OperationRow(
        "where", covers: ["`where`"], [Input([2, 3], .bool), Input([2, 3]), Input([3])],
        shapes: .broadcasting,
        dtypes: .every, isElementwise: true
      ) { Tensor.where($0[0], $0[1], $0[2]) },
      OperationRow(
        "where not, a number", covers: ["`where`"], [Input([3], .bool), Input([2, 3])], shapes: .broadcasting,
        dtypes: .numbers, isElementwise: true
      ) { Tensor.where($0[0], $0[1], 2) },
      OperationRow(
        "where, a number", covers: ["`where`"], [Input([2, 1], .bool), Input([2, 3])], shapes: .broadcasting,
        dtypes: .numbers, isElementwise: true
      ) { Tensor.where($0[0], 2, $0[1]) },
    ]
  }

  static var comparison: [OperationRow] {
    typealias Pair = (Tensor, Tensor)
    let operators: [(String, @Sendable (Tensor, Tensor) -> Tensor, @Sendable (Tensor) -> Tensor)] = [
      (".==", { $0 .== $1 }, { $0 .== 1 }), (".!=", { $0 .!= $1 }, { $0 .!= 1 }),
      (".<", { $0 .< $1 }, { $0 .< 1 }), (".<=", { $0 .<= $1 }, { $0 .<= 1 }),
      (".>", { $0 .> $1 }, { $0 .> 1 }), (".>=", { $0 .>= $1 }, { $0 .>= 1 }),
    ]
    return operators.flatMap { name, ofTensors, ofNumber -> [OperationRow] in
      [
        .binary(name, covers: [name], dtypes: .every, differentiability: .none, function: ofTensors),
        .binary("\(name) of whole numbers", covers: [name], dtypes: .numbers, differentiability: .none) {
          ofTensors(round($0), round($1))
        },
        .unary("\(name) 1", covers: [name], dtypes: .every, differentiability: .none) {
          $0.dtype == .bool ? ofNumber($0) : ofNumber(round($0))
        },
      ]
    }
  }

  static var truthValues: [OperationRow] {
    let operators: [(String, @Sendable (Tensor, Tensor) -> Tensor)] = [
      (".&", { $0 .& $1 }), (".|", { $0 .| $1 }), (".^", { $0 .^ $1 }),
    ]
    return operators.map { name, function in
      .binary(name, covers: [name], .bool, .bool, differentiability: .none, function: function)
    } + [.unary(".!", covers: [".!"], .bool, differentiability: .none) { .!$0 }]
  }

  static var classification: [OperationRow] {
    [
      .unary("isNaN", covers: ["isNaN"], differentiability: .none) { isNaN(log($0)) },
      .unary("isInfinite", covers: ["isInfinite"], differentiability: .none) { isInfinite(exp(10_000 * $0)) },
      .unary("isFinite", covers: ["isFinite"], differentiability: .none) {
        isFinite(exp(10_000 * $0) - log($0))
      },
    ]
  }
}
