// SPDX-License-Identifier: Apache-2.0

/// Functions of one tensor, element by element.
public enum UnaryPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_unary_operation`.
  case negate, absolute, sign, square, squareRoot, reciprocalSquareRoot, reciprocal
  case exponential, exponentialMinusOne, logarithm, logarithmOnePlus
  case sine, cosine, tangent, arcSine, arcCosine, arcTangent
  case hyperbolicSine, hyperbolicCosine, tanh, inverseHyperbolicSine, inverseHyperbolicCosine
  case inverseHyperbolicTangent
  case errorFunction, sigmoid, softplus, relu, gelu, silu
  case floor, ceiling, round
}

/// Functions of two tensors of one type, element by element, with broadcasting.
public enum BinaryPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_binary_operation`.
  case add, subtract, multiply, divide, power, maximum, minimum, remainder, arcTangent2
  /// Gradient and value of the activation to the gradient of its input.
  case tanhGradient, sigmoidGradient, reluGradient
}

/// Comparisons of two tensors of one type, element by element, with broadcasting; the result is of type bool.
public enum ComparisonPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_comparison`.
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
}

/// Ways to make one number of many.
public enum ReductionPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_reduction`.
  case sum, product, maximum, minimum
}

/// A height and a width.
public struct Size2D: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// Along the rows' axis.
  public var height: Int
  /// Along the columns' axis.
  public var width: Int

  /// A height and a width.
  public init(_ height: Int, _ width: Int) { (self.height, self.width) = (height, width) }
  /// The same number in both directions.
  public init(_ both: Int) { self.init(both, both) }
  /// The same number in both directions.
  public init(integerLiteral both: Int) { self.init(both) }
}

/// Rows and columns of zeros around an image.
public struct Margins: Hashable, Sendable {
  /// How many there are on each side.
  public var top, bottom, left, right: Int

  /// The given numbers on the four sides.
  public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
    (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
  }
}

/// How a convolution's kernel lies on an image: checked and resolved to numbers, so that an engine need not
/// know of "same" or "causal".
public struct ConvolutionGeometry: Hashable, Sendable {
  /// Steps from one position of the kernel to the next.
  public var stride = Size2D(1)
  /// Distance of neighbouring elements of the kernel on the image, 1 for a dense kernel.
  public var dilation = Size2D(1)
  /// Zeros around the image.
  public var margins = Margins()
  /// Into how many groups the channels are divided that do not see each other.
  public var groups = 1

  /// A dense kernel that moves in steps of one over an image without margins.
  public init() {}
}

/// The windows of a pooling: result `[i, j]` is made of the image's rows `rows[i]` and columns `columns[j]`.
/// Strided, global and adaptive pooling are all of this form.
public struct PoolingWindows: Hashable, Sendable {
  /// The image's rows in each window, within the image.
  public var rows: [Range<Int>]
  /// The image's columns in each window, within the image.
  public var columns: [Range<Int>]
  /// What an average over window `[i, j]` divides by is `rowCounts[i] * columnCounts[j]`.
  public var rowCounts: [Int]
  public var columnCounts: [Int]

  /// Windows whose average divides by the number of their elements.
  public init(rows: [Range<Int>], columns: [Range<Int>]) {
    (self.rows, self.columns) = (rows, columns)
    (rowCounts, columnCounts) = (rows.map(\.count), columns.map(\.count))
  }
}

/// Which distribution random numbers are of.
public enum RandomDistribution: Sendable {
  /// Even over [0, 1); element i is the generator's number at `position + i`.
  case uniform
  /// Mean 0 and variance 1; element i is made of the numbers at `position + 2 i` and the one after (Box and Muller
  /// 1958).
  case normal
}

/// A whole recurrent layer; see `recurrent`.
public struct RecurrentCall {
  let x: Tensor
  let inputWeight: Tensor
  let recurrentWeight: Tensor
  let bias: Tensor?
  let initialState: Tensor?
  let activation: Activation
}

/// The gradients of a recurrent layer by its inputs.
public struct RecurrentGradients {
  let x: Tensor?
  let inputWeight: Tensor
  let recurrentWeight: Tensor
  let bias: Tensor?
  let initialState: Tensor?
}
