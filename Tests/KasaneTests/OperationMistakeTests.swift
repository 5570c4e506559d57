// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Wrong uses of element functions, reductions and losses, each of which traps with a message that says what is wrong.
enum OperationMistake: String, CaseIterable, Codable {
  case expOfIntegers, meanOfIntegers, softmaxOfIntegers, geluOfIntegers, fractionalPower, logicalOfNumbers
  case whereCondition, whereShapes, whereTypes, clipBounds, preluSlope, gluHalves
  case maximumOfNothing, argmaxOfNothing, axisTwice, softmaxAxis, cumulativeSumAxis
  case lossShapes, labelTooLarge, labelNegative, labelType, labelShapes, classWeights, smoothing,
    probabilityShapes
  case positiveWeight, huberDelta, embeddingTargets

  /// What the message must have in it.
  var message: String {
    switch self {
    case .expOfIntegers: "exponential: int32 where a floating-point type is needed"
    case .meanOfIntegers: "mean: int32 where a floating-point type is needed"
    case .softmaxOfIntegers: "softmax: int32 where a floating-point type is needed"
    case .geluOfIntegers: "gelu: int32 where a floating-point type is needed"
    case .fractionalPower: "pow: int32 to the power of 0.5"
    case .logicalOfNumbers: "logical and: float32 where bool is needed"
    case .whereCondition: "where: a condition of type float32, not bool"
    case .whereShapes: "where: shapes [2, 3], [2, 3] and [2] do not broadcast"
    case .whereTypes: "where: float32 with int32"
    case .clipBounds: "clipped: a least value of 1.0 above 0.0"
    case .preluSlope: "prelu: a slope of shape [2] does not broadcast to shape [2, 3]"
    case .gluHalves: "glu: axis 1 of shape [2, 3] has no halves"
    case .maximumOfNothing: "max: no elements over the axes of shape [2, 0]"
    case .argmaxOfNothing: "argmax: no elements along axis 1 of shape [2, 0]"
    case .axisTwice: "sum: axes [0, -2] of shape [2, 3] name one twice"
    case .softmaxAxis: "softmax: axis 2 of a tensor of shape [2, 3]"
    case .cumulativeSumAxis: "cumulativeSum: axis -3 of a tensor of shape [2, 3]"
    case .lossShapes: "meanSquaredError: shapes [2, 3] and [3] differ"
    case .labelTooLarge: "crossEntropy: label 3 where there are 3 classes"
    case .labelNegative: "negativeLogLikelihood: label -1 where there are 3 classes"
    case .labelType: "crossEntropy: labels of type float32 where whole numbers are needed"
    case .labelShapes: "crossEntropy: labels of shape [3] for scores of shape [2, 3]"
    case .classWeights: "crossEntropy: class weights of shape [2] for scores of shape [2, 3]"
    case .smoothing: "crossEntropy: a label smoothing of 1.5"
    case .probabilityShapes: "crossEntropy: probabilities of shape [3] for logits of shape [2, 3]"
    case .positiveWeight: "binaryCrossEntropy: a weight of shape [2] does not broadcast to shape [2, 3]"
    case .huberDelta: "huberLoss: a delta of 0.0"
    case .embeddingTargets: "cosineEmbeddingLoss: targets of shape [3] for vectors of shape [2, 3]"
    }
  }

  /// Makes the mistake.
  func make() {
    let x = Tensor(ones: [2, 3]), whole = Tensor(ones: [2, 3], dtype: .int32)
    let pair = Tensor(ones: [2]), labels = Tensor([0, 1]), none = Tensor(zeros: [2, 0])
    switch self {
    case .expOfIntegers: _ = exp(whole)
    case .meanOfIntegers: _ = whole.mean()
    case .softmaxOfIntegers: _ = softmax(whole)
    case .geluOfIntegers: _ = gelu(whole)
    case .fractionalPower: _ = pow(whole, 0.5)
    case .logicalOfNumbers: _ = x .& (x .> 0)
    case .whereCondition: _ = Tensor.where(x, x, x)
    case .whereShapes: _ = Tensor.where(x .> 0, x, pair)
    case .whereTypes: _ = Tensor.where(x .> 0, x, whole)
    case .clipBounds: _ = x.clipped(min: 1, max: 0)
    case .preluSlope: _ = prelu(x, slope: pair)
    case .gluHalves: _ = glu(x)
    case .maximumOfNothing: _ = none.max(axes: [1])
    case .argmaxOfNothing: _ = none.argmax(axis: -1)
    case .axisTwice: _ = x.sum(axes: [0, -2])
    case .softmaxAxis: _ = softmax(x, axis: 2)
    case .cumulativeSumAxis: _ = x.cumulativeSum(axis: -3)
    case .lossShapes: _ = meanSquaredError(x, Tensor(ones: [3]))
    case .labelTooLarge: _ = crossEntropy(x, Tensor([0, 3]))
    case .labelNegative: _ = negativeLogLikelihood(x, Tensor([-1, 0]))
    case .labelType: _ = crossEntropy(x, pair)
    case .labelShapes: _ = crossEntropy(x, Tensor([0, 1, 2]))
    case .classWeights: _ = crossEntropy(x, labels, classWeights: pair)
    case .smoothing: _ = crossEntropy(x, labels, labelSmoothing: 1.5)
    case .probabilityShapes: _ = crossEntropy(x, probabilities: Tensor(ones: [3]))
    case .positiveWeight: _ = binaryCrossEntropy(logits: x, x, positiveWeight: pair)
    case .huberDelta: _ = huberLoss(x, x, delta: 0)
    case .embeddingTargets: _ = cosineEmbeddingLoss(x, x, targets: Tensor(ones: [3]))
    }
  }
}

@Suite struct OperationMistakeTests {
  @Test(arguments: OperationMistake.allCases)
  func trapsSayWhatIsWrong(_ mistake: OperationMistake) async throws {
    let result = try await #require(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      mistake.make()
    }
    let text = String(decoding: result.standardErrorContent, as: UTF8.self)
    #expect(text.contains(mistake.message))
  }
}
