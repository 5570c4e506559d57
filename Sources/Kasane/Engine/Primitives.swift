// SPDX-License-Identifier: Apache-2.0

/// Functions of one tensor, element by element.
public enum UnaryPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_unary_operation`.
  case negate, absolute, sign, square, squareRoot, reciprocalSquareRoot, reciprocal
  case exponential, exponentialMinusOne, logarithm, logarithmOnePlus
  case sine, cosine, tangent, arcSine, arcCosine, arcTangent
  case hyperbolicSine, hyperbolicCosine, tanh, inverseHyperbolicSine, inverseHyperbolicCosine
  case inverseHyperbolicTangent
  case errorFunction, sigmoid, softplus, relu, gelu, geluTanh, silu
  case floor, ceiling, round
}

/// Functions of two tensors of one type, element by element, with broadcasting.
public enum BinaryPrimitive: Int32, CaseIterable, Sendable {
  // In the order of `ks_binary_operation`.
  case add, subtract, multiply, divide, power, maximum, minimum, remainder, arcTangent2
  /// Gradient and value of the activation to the gradient of its input.
  case tanhGradient, sigmoidGradient, reluGradient
  /// Gradient of the activation and its input to the gradient of that.
  case geluGradient, geluTanhGradient
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
public struct Margins: Hashable, Sendable, ExpressibleByIntegerLiteral {
  /// How many there are on each side.
  public var top, bottom, left, right: Int

  /// The given numbers on the four sides.
  public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
    (self.top, self.bottom, self.left, self.right) = (top, bottom, left, right)
  }
  /// The same number on all four sides.
  public init(_ all: Int) { self.init(top: all, bottom: all, left: all, right: all) }
  /// The same number above and below, and the same to the left and to the right.
  public init(vertical: Int, horizontal: Int) {
    self.init(top: vertical, bottom: vertical, left: horizontal, right: horizontal)
  }
  /// The same number on all four sides.
  public init(integerLiteral all: Int) { self.init(all) }
}

/// How a convolution's kernel lies on an image: checked and resolved to numbers, so that an engine need not
/// know of "same" or "causal".
public struct ConvolutionGeometry: Hashable, Sendable {
  /// Steps from one position of the kernel to the next.
  public var stride = Size2D(1)
  /// Distance of neighbouring elements of the kernel on the image, 1 for a dense kernel.
  public var dilation = Size2D(1)
  /// Zeros around the image. At the bottom and to the right the number may be negative: so many rows or columns of
  /// the image are not looked at.
  public var margins = Margins()
  /// Into how many groups the channels are divided that do not see each other.
  public var groups = 1

  /// A dense kernel that moves in steps of one over an image without margins.
  public init() {}

  /// The number of positions that a kernel takes on an image, along each axis.
  public func outputSize(image: Size2D, kernel: Size2D) -> Size2D {
    func positions(_ image: Int, _ before: Int, _ after: Int, _ kernel: Int, _ dilation: Int, _ stride: Int)
      -> Int
    {
      let room = image + before + after - ((kernel - 1) * dilation + 1)
      return room < 0 ? 0 : room / stride + 1
    }
    return Size2D(
      positions(image.height, margins.top, margins.bottom, kernel.height, dilation.height, stride.height),
      positions(image.width, margins.left, margins.right, kernel.width, dilation.width, stride.width))
  }
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
  /// The same for the columns.
  public var columnCounts: [Int]

  /// Windows whose average divides by the number of their elements.
  public init(rows: [Range<Int>], columns: [Range<Int>]) {
    (self.rows, self.columns) = (rows, columns)
    (rowCounts, columnCounts) = (rows.map(\.count), columns.map(\.count))
  }
}

/// Which distribution random numbers are of.
public enum RandomDistribution: Sendable {
  /// Even over [0, 1); element i is the generator's number at `position + i`, or the type's largest number below one
  /// where rounding would make it one.
  case uniform
  /// Mean 0 and variance 1; element i is made of the numbers at `position + 2 i` and the one after (Box and Muller
  /// 1958).
  case normal
}
