// SPDX-License-Identifier: Apache-2.0

// All of these are functions of the generator alone: the same seed, stream and position give the same tensor.

extension Tensor {
  /// Whole numbers spread evenly over a range, which holds at most 2^53. Draws one number for each.
  public init(
    uniform shape: Shape, in range: Range<Int>, dtype: DType = .int64, using generator: inout RandomGenerator
  ) {
    precondition(!range.isEmpty, "uniform: no whole numbers in \(range)")
    let (count, overflows) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
    precondition(!overflows && count <= 1 << 53, "uniform: more than 2^53 whole numbers in \(range)")
    let numbers = generator.uniform(shape, dtype: .float64)
    self = withoutGradient {
      let steps = floor(numbers * Double(count)).cast(to: .int64)
      return (steps + Tensor(Int64(range.lowerBound))).cast(to: dtype)
    }
  }

  /// Numbers from the normal distribution with the given mean and standard deviation as far as they lie between two
  /// bounds, two standard deviations from the mean unless told otherwise. Draws one number for each.
  ///
  /// A number that is uniform between the bounds' probabilities becomes normal by the inverse of the distribution
  /// function. Bounds both more than eight standard deviations to one side of the mean are out of its reach.
  public init(
    truncatedNormal shape: Shape, mean: Double = 0, standardDeviation: Double = 1, from lower: Double? = nil,
    to upper: Double? = nil, dtype: DType = .float32, using generator: inout RandomGenerator
  ) {
    precondition(
      standardDeviation >= 0,
      "truncatedNormal: a standard deviation of \(standardDeviation), which is below 0")
    let lower = lower ?? mean - 2 * standardDeviation
    let upper = upper ?? mean + 2 * standardDeviation
    precondition(lower <= upper, "truncatedNormal: a lower bound of \(lower) above \(upper)")
    let numbers = generator.uniform(shape, dtype: .float64)
    self = withoutGradient {
      guard standardDeviation > 0 else { return numbers * 0 + Swift.min(Swift.max(mean, lower), upper) }
      // erf(z / sqrt(2)) of the bounds, between which that of the results is even.
      let scale = standardDeviation * 2.0.squareRoot()
      let (first, last) = (errorFunction((lower - mean) / scale), errorFunction((upper - mean) / scale))
      let standard = Self.inverseErrorFunction(numbers * (last - first) + first)
      return (standard * scale + mean).clipped(min: lower, max: upper)
    }.cast(to: dtype)
  }

  /// Where the error function has the given values, in float64: an approximation (Winitzki 2008) made exact by
  /// Newton's method.
  private static func inverseErrorFunction(_ y: Tensor) -> Tensor {
    // Values that round to 1 stand for those just below.
    let y = y.clipped(min: -1 + 0x1p-53, max: 1 - 0x1p-53)
    let logarithms = log((1 - y) * (y + 1))
    let middle = 0.5 * logarithms + 2 / (.pi * 0.147)
    var x = sign(y) * sqrt(sqrt(square(middle) - logarithms / 0.147) - middle)
    for _ in 0..<3 {
      let slope = (2 / Double.pi.squareRoot()) * exp(-square(x))
      x = x - (erf(x) - y) / slope
    }
    return x
  }

  /// Ones with the given probability, else zeros. Draws one number for each.
  public init(
    bernoulli shape: Shape, probability: Double, dtype: DType = .float32,
    using generator: inout RandomGenerator
  ) {
    precondition(
      probability >= 0 && probability <= 1,
      "bernoulli: a probability of \(probability), which is not in [0, 1]")
    self = (generator.uniform(shape, dtype: .float64) .< probability).cast(to: dtype)
  }

  /// The whole numbers from 0 to below `count` in random order, int64, each order as likely as any other. Draws one
  /// number for each.
  public init(permutation count: Int, using generator: inout RandomGenerator) {
    precondition(count >= 0, "permutation: of \(count) numbers")
    self =
      engine.sort(generator.uniform(Shape(count), dtype: .float64), descending: false).indices
  }

  /// `count` classes for each distribution, drawn independently, int64 `[..., count]`, from the logarithms `[...,
  /// classes]` of probabilities that need not add up to 1. Draws one number for each.
  public static func categorical(
    logits: Tensor, count: Int, using generator: inout RandomGenerator
  ) -> Tensor {
    logits.requireFloatingPoint("categorical")
    return withoutGradient {
      categorical(probabilities: softmax(logits.cast(to: .float64)), count: count, using: &generator)
    }
  }

  /// `count` classes for each distribution, drawn independently, int64 `[..., count]`, from probabilities
  /// `[..., classes]` that need not add up to 1. Draws one number for each.
  public static func categorical(
    probabilities: Tensor, count: Int, using generator: inout RandomGenerator
  ) -> Tensor {
    precondition(count >= 0, "categorical: \(count) numbers")
    precondition(
      probabilities.rank > 0 && probabilities.shape.last! > 0,
      "categorical: probabilities of shape \(probabilities.shape) are those of no classes")
    let (classes, shape) = (probabilities.shape.last!, Shape(probabilities.shape.dropLast() + [count]))
    let numbers = generator.uniform(shape, dtype: .float64).elements(as: Double.self)
    let bounds = withoutGradient {
      let probabilities = probabilities.cast(to: .float64)
      precondition(
        probabilities.elementCount == 0 || probabilities.isFinite && probabilities.min().scalar >= 0,
        "categorical: a probability that is negative or no number")
      return probabilities.cumulativeSum(axis: -1).elements(as: Double.self)
    }
    return Tensor(shape: shape, of: Int64.self) { drawn in
      for place in drawn.indices {
        let row = place / count * classes
        let total = bounds[row + classes - 1]
        precondition(total > 0, "categorical: probabilities that are all 0")
        // The first class whose bound is above the number: never one of probability 0.
        var (low, high) = (row, row + classes - 1)
        while low < high {
          let middle = (low + high) / 2
          if bounds[middle] > numbers[place] * total { high = middle } else { low = middle + 1 }
        }
        drawn[place] = Int64(low - row)
      }
    }
  }
}
