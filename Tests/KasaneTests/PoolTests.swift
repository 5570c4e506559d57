// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

@testable import Kasane

/// What the pool holds follows from what is in use at once, not from how many shapes there have been. Each test has a
/// process, and so a pool, of its own.
@Suite(.enabled(if: ks_pool_keeps_blocks(), "AddressSanitizer turns the pool off"))
struct PoolTests {
  /// The limit that the pool keeps: three times the largest use and 64 MiB.
  static func limit(use: Int) -> Int { 3 * use + 64 << 20 }

  @Test func randomShapesLeaveLittleWaiting() async {
    await #expect(processExitsWith: .success) {
      var random = RandomGenerator(seed: 1)
      let before = Memory.pooledBytes
      var live: [Tensor] = []
      var sizes: Set<Int> = []
      var largestUse = 0
      var largestHeld = 0
      for _ in 0..<5000 {
        if live.count == 4 { live.remove(at: Int(random.next() % 4)) }
        let count = 1 << 18 + Int(random.next() % (1 << 23))
        // Elements that nobody writes cost nothing.
        let made = ks_tensor_make(DType.float32.rawValue, 0, 1, [Int64(count)])!
        live.append(Tensor(box: TensorBox.holding(made)))
        sizes.insert(count >> 18)
        var use = 0
        for tensor in live { use += tensor.shape[0] * 4 }
        largestUse = max(largestUse, use)
        largestHeld = max(largestHeld, Memory.pooledBytes - before)
      }
      #expect(sizes.count > 30)
      // A block is up to a quarter larger than asked for.
      #expect(largestHeld < PoolTests.limit(use: largestUse * 5 / 4), "\(largestHeld) for \(largestUse)")
    }
  }

  @Test func shapesThatAreGoneGoBack() async {
    await #expect(processExitsWith: .success) {
      // Batches that grow: no size comes again, so half as much again as is in use and 64 MiB remain.
      for batch in 1...40 {
        let use = batch * 12 << 20
        var live = (0..<12).map { _ in Tensor(zeros: [batch, 1 << 18]) }
        #expect(Memory.pooledBytes < use * 5 / 4 * 3 / 2 + 66 << 20)
        live.removeAll()
      }
    }
  }

  @Test func largeRequestsTakeSlightlyLargerBlocks() async {
    await #expect(processExitsWith: .success) {
      _ = Tensor(zeros: [10 << 18])
      let before = Memory.pooledBytes
      _ = Tensor(zeros: [9 << 18])
      _ = Tensor(zeros: [19 << 17])
      #expect(Memory.pooledBytes < before + 1 << 20)
      _ = Tensor(zeros: [7 << 18])
      #expect(Memory.pooledBytes > before + 7 << 20)
    }
  }

  /// A step far above what stays in use between steps, whose phases use different sizes: together twice the peak.
  @Test func steadyStateTakesNothing() async {
    await #expect(processExitsWith: .success) {
      func step() {
        for (count, side) in [(12, 5 << 18), (8, 8 << 18), (6, 11 << 18)] {
          var live = (0..<count).map { _ in Tensor(zeros: [side]) }
          live.removeAll()
        }
      }
      for _ in 0..<10 { step() }
      let before = Memory.systemAllocations
      for _ in 0..<200 { step() }
      #expect(Memory.systemAllocations == before)
    }
  }

  /// Training on sequences of many lengths stays below the limit for the longest of them, and steps of equal length
  /// after it take nothing.
  @Test func lengthsDoNotAddUp() async {
    await #expect(processExitsWith: .success) {
      var random = RandomGenerator(seed: 2)
      let model = Linear(16, 2048, using: &random)
      let optimizer = SGD(learningRate: 0.01)
      func step(_ length: Int) {
        let x = Tensor(ones: [16, length, 16])
        let gradients = gradient(at: model) { model in
          let hidden = tanh(model(x))
          return (hidden * hidden).mean()
        }
        optimizer.update(model, along: gradients)
      }
      for _ in 0..<3 { step(160) }
      let longest = Memory.pooledBytes
      var largest = 0
      for _ in 0..<50 {
        step(8 + Int(random.next() % 153))
        largest = max(largest, Memory.pooledBytes)
      }
      #expect(largest < PoolTests.limit(use: longest), "\(largest) for \(longest)")
      for _ in 0..<10 { step(93) }
      let before = Memory.pooledBytes
      for _ in 0..<10 { step(93) }
      #expect(Memory.pooledBytes == before)
    }
  }
}
