// SPDX-License-Identifier: Apache-2.0

/// How a weight's first values are drawn.
///
/// The rules that look at fans take a matrix `[inputs, outputs]` or a convolution's kernel
/// `[kernelHeight, kernelWidth, inputs / groups, outputs]`: the last axis is what goes out, the one before it what
/// comes in, and both count once for each element that the kernel has in space.
public struct Initializer: Hashable, Codable, Sendable {
  /// Which fan decides the variance.
  public enum Fan: String, Codable, Sendable {
    /// How many inputs an output sees: keeps the variance of activations.
    case input
    /// How many outputs see an input: keeps the variance of gradients.
    case output
    /// The mean of both.
    case average
  }

  /// The shape of a distribution, whatever its width.
  public enum Distribution: String, Codable, Sendable {
    /// The normal distribution.
    case normal
    /// The normal distribution cut off at twice its deviation, and widened to have the variance all the same.
    case truncatedNormal
    /// Even between two bounds.
    case uniform
  }

  private enum Rule: Hashable, Codable {
    case constant(Double)
    case normal(mean: Double, deviation: Double)
    case truncatedNormal(mean: Double, deviation: Double)
    case uniform(lower: Double, upper: Double)
    case scaled(variance: Double, fan: Fan, distribution: Distribution)
    case orthogonal(gain: Double)
  }

  private let rule: Rule

  // MARK: Without fans

  /// All zeros.
  public static let zeros = constant(0)
  /// All ones.
  public static let ones = constant(1)
  /// One value throughout.
  public static func constant(_ value: Double) -> Initializer { Initializer(rule: .constant(value)) }

  /// The normal distribution of mean 0 and variance 1.
  public static let normal = normal(standardDeviation: 1)
  /// The normal distribution.
  public static func normal(mean: Double = 0, standardDeviation: Double) -> Initializer {
    Initializer(rule: .normal(mean: mean, deviation: standardDeviation))
  }

  /// The normal distribution as far as it lies within two deviations of its mean.
  public static func truncatedNormal(mean: Double = 0, standardDeviation: Double) -> Initializer {
    Initializer(rule: .truncatedNormal(mean: mean, deviation: standardDeviation))
  }

  /// Even between two bounds.
  public static func uniform(from lower: Double, to upper: Double) -> Initializer {
    Initializer(rule: .uniform(lower: lower, upper: upper))
  }

  /// Even within a distance of zero.
  public static func uniform(bound: Double) -> Initializer { uniform(from: -bound, to: bound) }

  // MARK: By fans

  /// Mean 0 and the variance `scale / fan`.
  public static func varianceScaling(
    _ scale: Double, fan: Fan = .input, distribution: Distribution = .normal
  ) -> Initializer {
    Initializer(rule: .scaled(variance: scale, fan: fan, distribution: distribution))
  }

  /// Variance 1 / fan-in, normal: `lecunNormal` by the name that the exercises of the field give it. The rule of
  /// Glorot and Bengio, with both fans, is `glorotNormal`.
  public static let xavier = lecunNormal
  /// Variance 2 / fan-in, normal: `heNormal`.
  public static let he = heNormal

  /// Variance 1 / fan-in, normal (LeCun et al. 1998).
  public static let lecunNormal = varianceScaling(1)
  /// Variance 1 / fan-in, uniform (LeCun et al. 1998).
  public static let lecunUniform = varianceScaling(1, distribution: .uniform)
  /// Variance 2 / (fan-in + fan-out), normal (Glorot and Bengio 2010).
  public static let glorotNormal = varianceScaling(1, fan: .average)
  /// Variance 2 / (fan-in + fan-out), uniform (Glorot and Bengio 2010, equation 16); the default of Keras.
  public static let glorotUniform = varianceScaling(1, fan: .average, distribution: .uniform)
  /// Variance 2 / fan-in, for rectified units, normal (He et al. 2015).
  public static let heNormal = varianceScaling(2)
  /// Variance 2 / fan-in, for rectified units, uniform (He et al. 2015).
  public static let heUniform = varianceScaling(2, distribution: .uniform)
  /// Even within 1 / sqrt(fan-in) of zero: what PyTorch gives weights and biases of its linear layers and
  /// convolutions.
  public static let pyTorchDefault = varianceScaling(1.0 / 3, distribution: .uniform)

  /// Variance 2 / ((1 + slope^2) fan-in), normal, for leaky rectified units of that slope (He et al. 2015).
  public static func heNormal(slope: Double) -> Initializer { varianceScaling(2 / (1 + slope * slope)) }
  /// Variance 2 / ((1 + slope^2) fan-in), uniform, for leaky rectified units of that slope (He et al. 2015).
  public static func heUniform(slope: Double) -> Initializer {
    varianceScaling(2 / (1 + slope * slope), distribution: .uniform)
  }

  /// Orthonormal rows or columns, whichever are fewer, of all axes but the last taken as one (Saxe et al. 2014).
  public static let orthogonal = orthogonal(gain: 1)
  /// The same times a gain.
  public static func orthogonal(gain: Double) -> Initializer { Initializer(rule: .orthogonal(gain: gain)) }

  // MARK: Drawing

  /// A weight matrix `[fanIn, fanOut]`.
  public func callAsFunction(_ fanIn: Int, _ fanOut: Int, using generator: inout RandomGenerator) -> Tensor {
    self([fanIn, fanOut], using: &generator)
  }

  /// A weight of the given shape, whose fans follow from it.
  public func callAsFunction(
    _ shape: Shape, dtype: DType = .float32, using generator: inout RandomGenerator
  ) -> Tensor {
    let fans = Self.fans(of: shape)
    return self(shape, fanIn: fans.input, fanOut: fans.output, dtype: dtype, using: &generator)
  }

  /// A weight of the given shape with the fans that it is said to have, for layouts of other kinds and for biases,
  /// which go by the fans of the weight beside them.
  public func callAsFunction(
    _ shape: Shape, fanIn: Int, fanOut: Int, dtype: DType = .float32, using generator: inout RandomGenerator
  ) -> Tensor {
    switch rule {
    case .constant(let value):
      return Tensor(repeating: value, shape: shape, dtype: dtype)
    case .normal(let mean, let deviation):
      return Tensor(
        normal: shape, mean: mean, standardDeviation: deviation, dtype: dtype, using: &generator)
    case .truncatedNormal(let mean, let deviation):
      return Tensor(
        truncatedNormal: shape, mean: mean, standardDeviation: deviation, dtype: dtype, using: &generator)
    case .uniform(let lower, let upper):
      return Tensor(uniform: shape, from: lower, to: upper, dtype: dtype, using: &generator)
    case .orthogonal(let gain):
      return Self.orthogonal(shape, gain, dtype, using: &generator)
    case .scaled(let scale, let fan, let distribution):
      let count =
        switch fan {
        case .input: Double(fanIn)
        case .output: Double(fanOut)
        case .average: Double(fanIn + fanOut) / 2
        }
      let deviation = (scale / max(count, 1)).squareRoot()
      switch distribution {
      case .normal:
        return Tensor(normal: shape, standardDeviation: deviation, dtype: dtype, using: &generator)
      case .truncatedNormal:
        return Tensor(
          truncatedNormal: shape, standardDeviation: deviation / Self.deviationWithinTwo, dtype: dtype,
          using: &generator)
      case .uniform:
        let bound = 3.0.squareRoot() * deviation
        return Tensor(uniform: shape, from: -bound, to: bound, dtype: dtype, using: &generator)
      }
    }
  }

  /// How many inputs an output sees, and how many outputs see an input, by a weight of the given shape.
  public static func fans(of shape: Shape) -> (input: Int, output: Int) {
    guard shape.count >= 2 else { return (shape.elementCount, shape.elementCount) }
    let field = shape.dropLast(2).reduce(1, *)
    return (field * shape[shape.count - 2], field * shape[shape.count - 1])
  }

  /// The standard deviation of the standard normal distribution cut off at -2 and 2.
  private static let deviationWithinTwo = 0.87962566103423978

  /// Random normal vectors made orthonormal by Gram and Schmidt's method, in float64. Each vector is cleared of the
  /// others twice, which leaves nothing of them but rounding ("twice is enough", Giraud et al. 2005).
  private static func orthogonal(
    _ shape: Shape, _ gain: Double, _ dtype: DType, using generator: inout RandomGenerator
  ) -> Tensor {
    precondition(shape.count >= 2, "orthogonal: a weight of shape \(shape) has no two axes")
    let columns = shape[shape.count - 1]
    let rows = shape.dropLast().reduce(1, *)
    let (length, count) = (max(rows, columns), min(rows, columns))
    var vectors = (0..<length * count).map { _ in generator.normal() }
    vectors.withUnsafeMutableBufferPointer { memory in
      for index in 0..<count {
        let vector = memory.extracting(index * length..<(index + 1) * length)
        for _ in 0..<2 {
          for other in 0..<index {
            subtract(memory.extracting(other * length..<(other + 1) * length), from: vector)
          }
        }
        let norm = dot(vector, vector).squareRoot()
        for place in 0..<length { vector[place] /= norm }
      }
      for place in memory.indices { memory[place] *= gain }
    }
    let matrix = Tensor(vectors, shape: [count, length])
    return withoutGradient {
      (rows < columns ? matrix : matrix.transposed()).reshaped(to: shape).cast(to: dtype)
    }
  }

  /// Takes the part along a vector of length 1 away from another.
  private static func subtract(
    _ unit: UnsafeMutableBufferPointer<Double>, from vector: UnsafeMutableBufferPointer<Double>
  ) {
    let part = dot(unit, vector)
    for place in unit.indices { vector[place] -= part * unit[place] }
  }

  private static func dot(
    _ a: UnsafeMutableBufferPointer<Double>, _ b: UnsafeMutableBufferPointer<Double>
  ) -> Double {
    // Eight sums side by side, which the compiler may keep in a vector.
    var sums = SIMD8<Double>.zero
    var place = 0
    while place + 8 <= a.count {
      for lane in 0..<8 { sums[lane] += a[place + lane] * b[place + lane] }
      place += 8
    }
    var total = sums.sum()
    while place < a.count {
      total += a[place] * b[place]
      place += 1
    }
    return total
  }
}

extension Initializer: CustomStringConvertible {
  /// The rule with its numbers, such as `normal(mean: 0.0, standardDeviation: 0.02)`.
  public var description: String {
    switch rule {
    case .constant(let value): "constant(\(value))"
    case .normal(let mean, let deviation): "normal(mean: \(mean), standardDeviation: \(deviation))"
    case .truncatedNormal(let mean, let deviation):
      "truncatedNormal(mean: \(mean), standardDeviation: \(deviation))"
    case .uniform(let lower, let upper): "uniform(from: \(lower), to: \(upper))"
    case .scaled(let scale, let fan, let distribution):
      "varianceScaling(\(scale), fan: \(fan), distribution: \(distribution))"
    case .orthogonal(let gain): "orthogonal(gain: \(gain))"
    }
  }
}
