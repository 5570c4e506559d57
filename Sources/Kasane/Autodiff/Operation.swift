// SPDX-License-Identifier: Apache-2.0

/// Every operation that the tape can record. Profiles and messages name an operation by its case, and the
/// tests run through all of them, so that none is left without its gradient check.
public enum Operation: UInt8, CaseIterable, Sendable {
  case leaf
  case add, subtract, multiply, divide, negate, square, squareRoot, exponential, logarithm
  case absolute, reciprocalSquareRoot, reciprocal, exponentialMinusOne, logarithmOnePlus, errorFunction
  case power, powerOfNumber, numberToPower, maximum, minimum, remainder, clip, choice
  case sine, cosine, tangent, arcSine, arcCosine, arcTangent, arcTangent2
  case hyperbolicSine, hyperbolicCosine
  case inverseHyperbolicSine, inverseHyperbolicCosine, inverseHyperbolicTangent
  case softplus, gelu, geluGradient, geluTanh, silu, hardTanh, softmax, logSoftmax
  case sigmoid, tanh, relu, sigmoidGradient, tanhGradient, reluGradient
  case convolution, convolutionInputGradient, convolutionWeightGradient
  case maximumPool, maximumPoolGradient, averagePool, averagePoolGradient
  case maximumOverAxes, minimumOverAxes, product, cumulativeSum
  case batchNormalization, layerNormalization
  case sum, matmul, linear, gatedTanh, crossEntropy, recurrent, recurrentState, attention, halfSquaredError
  case reshape, permute, transpose, select, slice, embed, replace, broadcast, unfold, fold, cast
  case stack, concatenate, take, scatterAdd, takeAlong, scatterAddAlong, embedding
  case custom, checkpoint
}
