// SPDX-License-Identifier: Apache-2.0

internal import CKernels

/// Random numbers from a counter: the number at a position is a function of seed, stream and position alone
/// (Philox 4x32-10, Salmon et al. 2011), so a generator is saved by three numbers and streams never overlap.
public struct RandomGenerator: RandomNumberGenerator, Hashable, Codable, Sendable {
  /// The seed.
  public let seed: UInt64
  /// Which of the seed's streams this is.
  public let stream: UInt64
  /// How many 64-bit numbers have been drawn.
  public private(set) var position: UInt64

  /// A generator at the given position of a seed's stream.
  public init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
    self.position = position
  }

  /// Sixty-four random bits.
  public mutating func next() -> UInt64 {
    let block = ks_philox(seed, stream, position / 2)
    let (low, high) = position % 2 == 0 ? (block.words.0, block.words.1) : (block.words.2, block.words.3)
    position += 1
    return UInt64(high) << 32 | UInt64(low)
  }

  /// A number in [0, 1), of 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number from the standard normal distribution (Box and Muller 1958). Draws two uniform numbers.
  public mutating func normal() -> Double {
    let radius = (-2 * logarithm(1 - uniform())).squareRoot()
    return radius * cosine(2 * .pi * uniform())
  }
}

extension RandomGenerator {
  /// Numbers in [0, 1), those that `uniform` would give one after the other.
  mutating func uniform(_ shape: Shape, dtype: DType) -> Tensor {
    draw(.uniform, shape, dtype, perElement: 1)
  }

  /// Numbers from the standard normal distribution, those that `normal` would give one after the other.
  mutating func normal(_ shape: Shape, dtype: DType) -> Tensor {
    draw(.normal, shape, dtype, perElement: 2)
  }

  private mutating func draw(
    _ distribution: RandomDistribution, _ shape: Shape, _ dtype: DType, perElement: UInt64
  ) -> Tensor {
    let numbers = engine.random(
      distribution, shape: shape, dtype: dtype, seed: seed, stream: stream, position: position)
    position += perElement * UInt64(shape.elementCount)
    return numbers
  }
}

extension Tensor {
  /// Numbers from the normal distribution with the given mean and standard deviation.
  public init(
    normal shape: Shape, mean: Double = 0, standardDeviation: Double = 1, dtype: DType = .float32,
    using generator: inout RandomGenerator
  ) {
    if mean == 0 && standardDeviation == 1 {
      self = generator.normal(shape, dtype: dtype)
    } else {
      self = Self.drawn(shape, dtype, scale: standardDeviation, offset: mean) {
        generator.normal($0, dtype: .float64)
      }
    }
  }

  /// Numbers spread evenly over [lower, upper).
  public init(
    uniform shape: Shape, from lower: Double = 0, to upper: Double = 1, dtype: DType = .float32,
    using generator: inout RandomGenerator
  ) {
    if lower == 0 && upper == 1 {
      self = generator.uniform(shape, dtype: dtype)
    } else {
      self = Self.drawn(shape, dtype, scale: upper - lower, offset: lower) {
        generator.uniform($0, dtype: .float64)
      }
    }
  }

  /// Numbers drawn in float64, scaled and shifted there and rounded once; off the tape. A large tensor is made bit by bit,
  /// for in float64 it would take several times its own memory.
  private static func drawn(
    _ shape: Shape, _ dtype: DType, scale: Double, offset: Double, _ draw: (Shape) -> Tensor
  ) -> Tensor {
    let (count, most) = (shape.elementCount, 1 << 18)
    let result = Tensor(unsetWithShape: shape, dtype: dtype)
    for first in stride(from: 0, to: count, by: most) {
      let numbers = draw(Shape(Swift.min(most, count - first)))
      let scaled = engine.binary(.multiply, numbers, numbers.number(scale))
      let shifted = engine.binary(.add, scaled, numbers.number(offset))
      engine.copy(shifted, into: result.view(numbers.shape, strides: Shape(1), offset: first))
    }
    return result
  }
}
