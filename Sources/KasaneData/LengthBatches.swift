// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Which sequences each iteration of a training takes, such that those of a batch are about equally long and little of it
/// is padding. In every epoch all of them come once, in an order of its own that is a function of seed, stream and epoch
/// alone, so that a training can go on anywhere.
///
/// The sequences are shuffled, some batches' worth at a time is sorted by length and cut into batches, and the batches are
/// shuffled again: the more batches' worth, the less padding, and the more alike the batches of different epochs.
public struct LengthBatches: Sendable {
  /// The sequences' lengths.
  public let lengths: [Int]
  /// How many sequences an iteration takes.
  public let size: Int
  /// How many batches' worth is sorted at a time.
  public let pool: Int
  /// How many iterations an epoch has.
  public let batchesPerEpoch: Int
  private let seed: UInt64
  private let stream: UInt64
  private var order: (epoch: Int, batches: [ArraySlice<Int>])?

  /// Batches of `size` of the sequences with the given lengths. What is left at an epoch's end is a smaller batch. There
  /// must be a sequence.
  public init(lengths: [Int], size: Int, pool: Int = 64, seed: UInt64, stream: UInt64) {
    precondition(
      !lengths.isEmpty && size > 0 && pool > 0,
      "LengthBatches: batches of \(size) among \(lengths.count) sequences, \(pool) sorted at a time")
    (self.lengths, self.size, self.pool, self.seed, self.stream) = (lengths, size, pool, seed, stream)
    batchesPerEpoch = (lengths.count + size - 1) / size
  }

  /// The sequences of an iteration, counted from 0 over all epochs; the shortest first.
  public mutating func indices(at iteration: Int) -> ArraySlice<Int> {
    let (epoch, batch) = iteration.quotientAndRemainder(dividingBy: batchesPerEpoch)
    if order?.epoch != epoch { order = (epoch, batches(in: epoch)) }
    return order!.batches[batch]
  }

  private func batches(in epoch: Int) -> [ArraySlice<Int>] {
    // Far more numbers than any epoch draws lie between two epochs' positions.
    var random = RandomGenerator(seed: seed, stream: stream, position: UInt64(epoch) << 32)
    var items = random.permutation(of: lengths.count)
    for start in stride(from: 0, to: items.count, by: size * pool) {
      let end = min(start + size * pool, items.count)
      // Equal lengths stay in the order that was drawn.
      let places = (start..<end).sorted { (lengths[items[$0]], $0) < (lengths[items[$1]], $1) }
      items.replaceSubrange(start..<end, with: places.map { items[$0] })
    }
    let cut = stride(from: 0, to: items.count, by: size).map { items[$0..<min($0 + size, items.count)] }
    return random.permutation(of: cut.count).map { cut[$0] }
  }
}
