// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum DropoutRows {
  /// With the same generator at every call, so that a row is a function.
  static var dropout: [OperationRow] {
    [0, 0.3, 1].flatMap { rate -> [OperationRow] in
      [
        .unary("dropout \(rate)", covers: ["dropout"], isInPyTorch: false) {
          var random = RandomGenerator(seed: 7)
          return Kasane.dropout($0, rate: rate, using: &random)
        },
        .reduction("spatialDropout \(rate)", covers: ["spatialDropout"], leastRank: 2, isInPyTorch: false) {
          var random = RandomGenerator(seed: 7)
          return spatialDropout($0, rate: rate, using: &random)
        },
      ]
    }
  }
}
