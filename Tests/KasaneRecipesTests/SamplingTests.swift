// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Kasane
import Testing

@testable import KasaneRecipes

/// What tokens are drawn from a model's logits.
@Suite struct SamplingTests {
  private func options(_ words: String...) throws -> SamplingOptions { try SamplingOptions.parse(words) }

  /// Which of many draws came, by token.
  private func drawn(_ logits: [Float], _ options: SamplingOptions, forbidding: [Int] = []) -> [Int: Int] {
    var random = RandomGenerator(seed: 4)
    var counts: [Int: Int] = [:]
    for _ in 0..<4000 {
      counts[options.draw(logits, forbidding: forbidding, using: &random), default: 0] += 1
    }
    return counts
  }

  /// Logits in no order, some of them equal.
  private func logits(_ count: Int) -> [Float] { (0..<count).map { Float($0 * 37 % 101 / 2) / 12 } }

  /// The tokens by their logits, the first of equal ones first.
  private func order(_ logits: [Float]) -> [Int] {
    logits.indices.sorted { logits[$0] != logits[$1] ? logits[$0] > logits[$1] : $0 < $1 }
  }

  @Test(arguments: [1, 2, 5, 63, 64, 65, 400])
  func topKLeavesTheLikeliest(_ count: Int) throws {
    let logits = logits(400)
    let counts = drawn(logits, try options("--top-k", "\(count)"))
    let allowed = Set(order(logits).prefix(count))
    #expect(counts.keys.allSatisfy(allowed.contains))
    if count <= 65 { #expect(counts.count > count / 2) }
  }

  @Test(arguments: [0.01, 0.3, 0.9, 0.999])
  func topPLeavesThoseThatReachIt(_ share: Double) throws {
    let logits = logits(400)
    let weights = logits.map { exp(Double($0)) }
    let order = order(logits)
    var sum = 0.0
    let allowed = Set(
      order.prefix { token in
        defer { sum += weights[token] }
        return sum < share * weights.reduce(0, +)
      })
    let counts = drawn(logits, try options("--top-p", "\(share)"))
    #expect(counts.keys.allSatisfy(allowed.contains))
    #expect(Double(counts.count) > 0.4 * Double(allowed.count))
  }

  /// The share of top-p is one of what top-k has left.
  @Test func topKComesFirst() throws {
    let logits: [Float] = [0, 1, 1, 1, -9]
    let counts = drawn(logits, try options("--top-k", "2", "--top-p", "0.6"))
    #expect(Set(counts.keys) == [1, 2])
    #expect(Set(drawn(logits, try options("--top-k", "2", "--top-p", "0.4")).keys) == [1])
  }

  @Test func drawsByProbability() throws {
    let logits = [0.5, 0.3, 0.2].map { Float(log($0)) }
    let counts = drawn(logits, try options())
    for (token, share) in [0.5, 0.3, 0.2].enumerated() {
      #expect((Double(counts[token]!) / 4000 - share).magnitude < 0.03)
    }
    #expect(drawn(logits, try options("--temperature", "0")) == [0: 4000])
    #expect(drawn(logits, try options("--temperature", "0"), forbidding: [0]) == [1: 4000])
  }
}
