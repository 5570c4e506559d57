// SPDX-License-Identifier: Apache-2.0

import Kasane

extension OperationBenchmark {
  /// Functions of each element, of tensors that fit into the cache and that do not.
  static let elementByElement: [OperationBenchmark] =
    [1 << 14, 1 << 24].flatMap { count in
      [
        unary("relu", count) { relu($0) }, unary("tanh", count) { tanh($0) },
        unary("sigmoid", count) { sigmoid($0) }, unary("exp", count) { exp($0) },
        unary("gelu", count) { gelu($0) },
        OperationBenchmark("add", "\(count)", numbers: 3 * count) {
          let (a, b) = (normal([count]), normal([count]))
          return { _ = a + b }
        },
        OperationBenchmark("add a row", "\(count / 256) x 256", numbers: 2 * count + 256) {
          let (a, b) = (normal([count / 256, 256]), normal([256]))
          return { _ = a + b }
        },
      ]
    } + [
      OperationBenchmark("select", "\(1 << 22)", numbers: 3 << 22 + 1 << 20) {
        let (a, b) = (normal([1 << 22]), normal([1 << 22]))
        let condition = a .> b
        return { _ = Tensor.where(condition, a, b) }
      },
      OperationBenchmark("transposed copy", "2048 x 2048", numbers: 2 << 22) {
        let x = normal([2048, 2048]).transposed(), target = Tensor(zeros: [2048, 2048])
        return { engine.copy(x, into: target) }
      },
      OperationBenchmark("cast to bfloat16", "\(1 << 22)", numbers: 3 << 21) {
        let x = normal([1 << 22])
        return { _ = x.cast(to: .bfloat16) }
      },
      OperationBenchmark("random, uniform", "\(1 << 20)", numbers: 1 << 20) {
        {
          var random = RandomGenerator(seed: 1); _ = Tensor(uniform: [1 << 20], using: &random)
        }
      },
      OperationBenchmark("random, normal", "\(1 << 20)", numbers: 1 << 20) { { _ = normal([1 << 20]) } },
    ]

  private static func unary(
    _ name: String, _ count: Int, _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationBenchmark {
    OperationBenchmark(name, "\(count)", numbers: 2 * count) {
      let x = normal([count])
      return { _ = function(x) }
    }
  }

  // MARK: Reductions

  /// Sums and maxima over all elements, columns and rows.
  static let reductions: [OperationBenchmark] = [
    reduction("sum of all") { $0.sum() }, reduction("sum of columns") { $0.sum(axes: [0]) },
    reduction("sum of rows") { $0.sum(axes: [1]) }, reduction("maximum of rows") { $0.max(axes: [1]) },
    reduction("argument of rows' maxima") { $0.argmax(axis: 1) },
    reduction("variance of columns") { $0.variance(axes: [0]) },
    OperationBenchmark("sum of squares", "4096 x 1024", numbers: 1 << 22) {
      let x = normal([4096, 1024])
      return { _ = engine.sumOfSquares(x) }
    },
    OperationBenchmark("sort", "1024 x 1024", numbers: 4 << 20) {
      let x = normal([1024, 1024])
      return { _ = x.sorted() }
    },
  ]

  private static func reduction(
    _ name: String, _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationBenchmark {
    OperationBenchmark(name, "4096 x 1024", numbers: 1 << 22) {
      let x = normal([4096, 1024])
      return { _ = function(x) }
    }
  }

  // MARK: Indexing

  /// Looking rows up and adding to them.
  static let indexing: [OperationBenchmark] = [
    OperationBenchmark("take rows", "4096 of 10000 x 650", numbers: 2 * 4096 * 650 + 2 * 4096) {
      let (table, rows) = (normal([10_000, 650]), indices([4096], below: 10_000))
      return { _ = embedding(table, rows) }
    },
    OperationBenchmark("add to rows", "4096 of 10000 x 650", numbers: 3 * 4096 * 650 + 2 * 4096) {
      let (table, rows) = (Tensor(zeros: [10_000, 650]), indices([4096], below: 10_000))
      let values = normal([4096, 650])
      return { engine.scatterAdd(values, rows, axis: 0, into: table) }
    },
    OperationBenchmark("take along rows", "4096 x 1 of 1000", numbers: 4 * 4096) {
      let (x, places) = (normal([4096, 1000]), indices([4096, 1], below: 1000))
      return { _ = x.gatheredAlong(places, axis: 1) }
    },
  ]
}
