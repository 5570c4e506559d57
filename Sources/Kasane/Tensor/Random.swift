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

  /// Passes over numbers that were drawn elsewhere.
  mutating func advance(by count: UInt64) { position += count }

  /// A number in [0, 1), of 53 random bits.
  public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A number from the standard normal distribution (Box and Muller 1958). Draws two uniform numbers.
  public mutating func normal() -> Double {
    let radius = (-2 * logarithm(1 - uniform())).squareRoot()
    return radius * cosine(2 * .pi * uniform())
  }
}

extension Tensor {
  /// Numbers from the normal distribution with the given mean and standard deviation.
  public init(
    normal shape: Shape, mean: Double = 0, standardDeviation: Double = 1, dtype: DType = .float32,
    using generator: inout RandomGenerator
  ) {
    let values = (0..<shape.elementCount).map { _ in mean + standardDeviation * generator.normal() }
    self = Tensor(values, shape: shape).cast(to: dtype)
  }

  /// Numbers spread evenly over [lower, upper).
  public init(
    uniform shape: Shape, from lower: Double = 0, to upper: Double = 1, dtype: DType = .float32,
    using generator: inout RandomGenerator
  ) {
    let values = (0..<shape.elementCount).map { _ in lower + (upper - lower) * generator.uniform() }
    self = Tensor(values, shape: shape).cast(to: dtype)
  }
}
