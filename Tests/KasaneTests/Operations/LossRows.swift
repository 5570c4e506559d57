// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum LossRows {
  static var halfSquaredError: [OperationRow] {
    [
      OperationRow(
        "half squared error", covers: ["halfSquaredError"], [Input([3, 5]), Input([3, 5])], shapes: .same()
      ) { Kasane.halfSquaredError($0[0], $0[1]) }
    ]
  }

  /// Losses of differences, which keep away from zero and from the other corners.
  static var differences: [OperationRow] {
    let functions: [(String, String, @Sendable (Tensor, Tensor, Reduction) -> Tensor)] = [
      ("meanSquaredError", "meanSquaredError", { Kasane.meanSquaredError($0, $1, reduction: $2) }),
      ("meanAbsoluteError", "meanAbsoluteError", { Kasane.meanAbsoluteError($0, $1, reduction: $2) }),
      ("huberLoss", "huberLoss near", { Kasane.huberLoss($0, $1, delta: 6, reduction: $2) }),
      ("huberLoss", "huberLoss far", { Kasane.huberLoss($0, $1, delta: 0.5, reduction: $2) }),
      ("smoothL1Loss", "smoothL1Loss near", { Kasane.smoothL1Loss($0, $1, beta: 6, reduction: $2) }),
      ("smoothL1Loss", "smoothL1Loss far", { Kasane.smoothL1Loss($0, $1, beta: 0.5, reduction: $2) }),
      ("smoothL1Loss", "smoothL1Loss of beta 0", { Kasane.smoothL1Loss($0, $1, beta: 0, reduction: $2) }),
      ("hingeLoss", "hingeLoss", { Kasane.hingeLoss($0, $1 + 1, margin: 3.5, reduction: $2) }),
    ]
    return functions.flatMap { name, title, function in
      Reduction.allCases.map { reduction in
        OperationRow(
          "\(title), \(reduction)", covers: [name], [Input([3, 5]), Input([3, 5])],
          shapes: .same(allowsEmpty: reduction != .mean), isElementwise: reduction == .none
        ) { function($0[0], $0[1] - 3, reduction) }
      }
    }
  }

  static var divergences: [OperationRow] {
    Reduction.allCases.flatMap { reduction -> [OperationRow] in
      let shapes = ShapeChoice.same(allowsEmpty: reduction != .mean)
      return [
        OperationRow(
          "klDivergence, \(reduction)", covers: ["klDivergence"],
          [Input([3, 5]), Input([3, 5], .positive)],
          shapes: shapes
        ) { klDivergence($0[0], $0[1], reduction: reduction) },
        OperationRow(
          "binaryCrossEntropy, \(reduction)", covers: ["binaryCrossEntropy"],
          [Input([3, 5]), Input([3, 5], .positive)], shapes: shapes
        ) { binaryCrossEntropy(logits: 5 * $0[0], $0[1], reduction: reduction) },
        OperationRow(
          "binaryCrossEntropy with weights, \(reduction)", covers: ["binaryCrossEntropy"],
          [Input([3, 5]), Input([3, 5], .positive)]
        ) {
          binaryCrossEntropy(logits: $0[0], $0[1], positiveWeight: weights, reduction: reduction)
        },
      ]
    }
  }

  private static let weights = Tensor([0.5, 2, 1, 0.25, 3])
  /// Not drawn at random, where all may be ignored.
  private static let labels = Tensor([0, 2, 4, 1, 2, 3], shape: [2, 3])

  static var crossEntropy: [OperationRow] {
    let ofLabels: [(String, @Sendable (Tensor, Tensor, Reduction) -> Tensor)] = [
      ("", { Kasane.crossEntropy($0, $1, reduction: $2) }),
      (" with weights", { Kasane.crossEntropy($0, $1, classWeights: weights, reduction: $2) }),
      (" with smoothing", { Kasane.crossEntropy($0, $1, labelSmoothing: 0.3, reduction: $2) }),
    ]
    let ignoring: [(String, String, @Sendable (Tensor, Reduction) -> Tensor)] = [
      (
        "crossEntropy", "crossEntropy with an ignored index",
        { Kasane.crossEntropy($0, labels, ignoredIndex: 2, reduction: $1) }
      ),
      (
        "crossEntropy", "crossEntropy with all",
        {
          Kasane.crossEntropy(
            $0, labels, classWeights: weights, ignoredIndex: 2, labelSmoothing: 0.3, reduction: $1)
        }
      ),
      (
        "negativeLogLikelihood", "negativeLogLikelihood",
        {
          Kasane.negativeLogLikelihood(
            $0, labels, classWeights: weights, ignoredIndex: 4, reduction: $1)
        }
      ),
    ]
    return Reduction.allCases.flatMap { reduction -> [OperationRow] in
      ofLabels.map { title, function in
        OperationRow(
          "crossEntropy\(title), \(reduction)", covers: ["crossEntropy"],
          [Input([2, 3, 5]), Input([2, 3], .index(below: 5))]
        ) { function($0[0], $0[1], reduction).asIts($0[0]) }
      }
        + ignoring.map { name, title, function in
          OperationRow("\(title), \(reduction)", covers: [name], [Input([2, 3, 5])]) {
            function($0[0], reduction).asIts($0[0])
          }
        } + [
          OperationRow(
            "crossEntropy with probabilities, \(reduction)", covers: ["crossEntropy"],
            [Input([2, 3, 5]), Input([2, 3, 5], .positive)]
          ) {
            Kasane.crossEntropy(
              $0[0], probabilities: $0[1], classWeights: weights, labelSmoothing: 0.3, reduction: reduction)
          }
        ]
    }
  }

  static var cosines: [OperationRow] {
    [
      OperationRow(
        "cosineSimilarity", covers: ["cosineSimilarity"], [Input([2, 3, 4]), Input([3, 4])]
      ) { cosineSimilarity($0[0], $0[1]) },
      OperationRow(
        "cosineSimilarity of an axis", covers: ["cosineSimilarity"], [Input([2, 3, 4]), Input([2, 3, 1])]
      ) { cosineSimilarity($0[0], $0[1], axis: 1) },
      OperationRow(
        "cosineEmbeddingLoss", covers: ["cosineEmbeddingLoss"], [Input([6, 4]), Input([6, 4])]
      ) {
        let targets = Tensor([1.0, -1, 1, -1, -1, 1])
        return cosineEmbeddingLoss($0[0], $0[1], targets: targets, margin: -1.5, reduction: .none)
      },
    ]
  }
}

extension Tensor {
  /// A loss in the logits' type: in bfloat16 it is float32.
  fileprivate func asIts(_ logits: Tensor) -> Tensor { cast(to: logits.dtype) }
}
