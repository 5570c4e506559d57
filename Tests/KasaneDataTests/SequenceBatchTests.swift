// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Synchronization
import Testing

@testable import KasaneData

/// Sequences of different lengths in batches, and batches that are made ahead.
@Suite struct SequenceBatchTests {
  // MARK: By length

  private func lengths(_ count: Int, seed: UInt64) -> [Int] {
    var random = RandomGenerator(seed: seed)
    return (0..<count).map { _ in random.integer(below: 40) }
  }

  @Test(arguments: [(1, 4, 3), (8, 4, 1), (103, 5, 4), (103, 200, 2), (500, 16, 64)])
  func everySequenceComesOnceInAnEpoch(_ count: Int, _ size: Int, _ pool: Int) {
    let lengths = lengths(count, seed: UInt64(count))
    var batches = LengthBatches(lengths: lengths, size: size, pool: pool, seed: 3, stream: 4)
    #expect(batches.batchesPerEpoch == (count + size - 1) / size)
    var epochs: [[Int]] = []
    for epoch in 0..<2 {
      let all = (0..<batches.batchesPerEpoch).map { batch in
        let items = batches.indices(at: epoch * batches.batchesPerEpoch + batch)
        #expect(
          items.count <= size && zip(items, items.dropFirst()).allSatisfy { lengths[$0] <= lengths[$1] })
        return items
      }
      #expect(all.count { $0.count < size } <= 1)
      epochs.append(all.flatMap(\.self))
      #expect(epochs[epoch].sorted() == Array(0..<count))
    }
    #expect(count < 8 || epochs[0] != epochs[1])
    // Anywhere, without what came before.
    var afresh = LengthBatches(lengths: lengths, size: size, pool: pool, seed: 3, stream: 4)
    let last = 2 * batches.batchesPerEpoch - 1
    #expect(afresh.indices(at: last) == batches.indices(at: last))
    #expect(afresh.indices(at: 0).elementsEqual(epochs[0].prefix(afresh.indices(at: 0).count)))
  }

  @Test func sortingSparesPadding() {
    let lengths = lengths(2000, seed: 5)
    func padding(pool: Int) -> Double {
      var batches = LengthBatches(lengths: lengths, size: 20, pool: pool, seed: 1, stream: 1)
      var (all, used) = (0, 0)
      for batch in 0..<batches.batchesPerEpoch {
        let items = batches.indices(at: batch)
        all += items.count * items.map { lengths[$0] }.max()!
        used += items.reduce(0) { $0 + lengths[$1] }
      }
      return 1 - Double(used) / Double(all)
    }
    #expect(padding(pool: 1) > 0.4 && padding(pool: 64) < 0.03)
  }

  @Test func padding() {
    let batch = PaddedSequences([[1, 2, 3], [], [4]] as [[Int32]], padding: -1)
    #expect(batch.tokens.shape == [3, 3] && batch.lengths.elements(as: Int32.self) == [3, 0, 1])
    #expect(batch.tokens.elements(as: Int32.self) == [1, 2, 3, -1, -1, -1, 4, -1, -1])
    #expect(batch.tokenCount == 4 && abs(batch.paddingShare - 5.0 / 9) < 1e-12)
    let wide = PaddedSequences([[7, 8][...]] as [ArraySlice<Int32>], padding: 0, minimumLength: 4)
    #expect(wide.tokens.elements(as: Int32.self) == [7, 8, 0, 0] && wide.paddingShare == 0.5)
    let empty = PaddedSequences([[], []] as [[Int32]], padding: 0)
    #expect(empty.tokens.shape == [2, 0] && empty.paddingShare == 0 && empty.tokenCount == 0)
  }

  // MARK: Ahead

  @Test func elementsComeInOrderAndFromAnywhere() throws {
    let ahead = Prefetcher(of: 0, ahead: 3) { (calls: inout Int, place) in
      calls += 1
      return [place, calls]
    }
    for place in 0..<50 { #expect(try ahead.element(at: place) == [place, place + 1]) }
    // Elsewhere it begins anew.
    #expect(try ahead.element(at: 10) == [10, 1])
    #expect(try ahead.element(at: 11) == [11, 2])
    #expect(try ahead.element(at: 11) == [11, 1])
  }

  @Test func theSameBatchesAsWithoutIt() throws {
    var batches = WindowBatches((0..<100).map { Int32($0) }, length: 5, size: 8, seed: 1, stream: 2)
    let ahead = Prefetcher(of: batches) { batches, iteration in batches.batch(at: iteration) }
    for iteration in 7..<40 {
      let (windows, next) = try ahead.element(at: iteration)
      let expected = batches.batch(at: iteration)
      #expect(windows.elements(as: Int32.self) == expected.windows.elements(as: Int32.self))
      #expect(next.elements(as: Int32.self) == expected.next.elements(as: Int32.self))
    }
  }

  @Test func noMoreIsMadeThanAskedFor() throws {
    let made = MadeCounter()
    do {
      let ahead = Prefetcher(of: made, ahead: 2) { made, place in
        made.count.withLock { $0 = max($0, place) }
        return place
      }
      for place in 0..<5 {
        _ = try ahead.element(at: place)
        // The one that is asked for, two that lie ready, and one for which there was room when this was taken.
        #expect(made.count.withLock { $0 } <= place + 3)
      }
    }
    let last = made.count.withLock { $0 }
    usleep(20_000)
    #expect(made.count.withLock { $0 } <= last + 1)
  }

  @Test func errorsArrive() throws {
    let ahead = Prefetcher(of: ()) { _, place in
      if place == 3 { throw KasaneError("damaged") }
      return place
    }
    for place in 0..<3 { #expect(try ahead.element(at: place) == place) }
    for _ in 0..<2 { #expect(throws: KasaneError.self) { try ahead.element(at: 3) } }
    #expect(try ahead.element(at: 0) == 0)
  }

  @Test func waitingIsCounted() throws {
    let ahead = Prefetcher(of: ()) { _, place in
      usleep(1000)
      return place
    }
    #expect(ahead.waitingShare == 0)
    for place in 0..<20 { _ = try ahead.element(at: place) }
    // Nothing is done with them, so nearly all of it is waiting.
    #expect(ahead.waitingShare > 0 && ahead.waitingShare <= 1)
  }
}

private final class MadeCounter: Sendable {
  let count = Mutex(-1)
}
