// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Which items each iteration of a training takes: in every epoch all of them once, in an order of its own. The order is
/// a function of seed, stream and epoch alone, so that a training can go on anywhere.
public struct ShuffledBatches: Sendable {
  /// How many items there are.
  public let count: Int
  /// How many items an iteration takes.
  public let size: Int
  /// How many iterations an epoch has.
  public let batchesPerEpoch: Int
  private let seed: UInt64
  private let stream: UInt64
  private var order: (epoch: Int, items: [Int])?

  /// Batches of `size` among `count` items. The items that are left at an epoch's end are a smaller batch, or nothing
  /// in that epoch where they are dropped; then there must be at least one whole batch.
  public init(count: Int, size: Int, droppingPartial: Bool = false, seed: UInt64, stream: UInt64) {
    precondition(count > 0 && size > 0, "ShuffledBatches: batches of \(size) among \(count) items")
    self.count = count
    self.size = size
    self.seed = seed
    self.stream = stream
    batchesPerEpoch = droppingPartial ? count / size : (count + size - 1) / size
    precondition(batchesPerEpoch > 0, "ShuffledBatches: \(count) items make no whole batch of \(size)")
  }

  /// The items of an iteration, counted from 0 over all epochs.
  public mutating func indices(at iteration: Int) -> ArraySlice<Int> {
    let (epoch, batch) = iteration.quotientAndRemainder(dividingBy: batchesPerEpoch)
    if order?.epoch != epoch {
      // Far more numbers than any epoch draws lie between two epochs' positions.
      var random = RandomGenerator(seed: seed, stream: stream, position: UInt64(epoch) << 32)
      order = (epoch, random.permutation(of: count))
    }
    return order!.items[batch * size..<min((batch + 1) * size, count)]
  }
}

extension RandomGenerator {
  /// A whole number from 0 to below `bound`, which must be above 0. Draws one number.
  package mutating func integer(below bound: Int) -> Int {
    Int(next().multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// The numbers from 0 to below `count` in a random order (Fisher and Yates; Durstenfeld 1964).
  package mutating func permutation(of count: Int) -> [Int] {
    var items = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) { items.swapAt(last, integer(below: last + 1)) }
    return items
  }
}
