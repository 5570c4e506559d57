// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
import KasaneData
import KasaneModels

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How the next token is drawn from what a model says of it.
public struct SamplingOptions: ParsableArguments {
  @Option(help: "Divides the logits: below 1 bolder, above 1 wilder; 0 takes the likeliest (0 or more).")
  public var temperature = 1.0
  @Option(help: "Draw among so many of the likeliest tokens only (0: all).")
  public var topK = 0
  @Option(
    help: "Draw among the likeliest tokens only that together have this probability (above 0, at most 1).")
  public var topP = 1.0
  @Option(help: "Seed of what is drawn.")
  public var seed: UInt64 = 0

  /// From the model's own distribution.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    try requireNotNegative("--temperature", temperature)
    try require("--top-k", topK, in: 0...Int.max)
    guard topP > 0, topP <= 1 else {
      throw ValidationError("--top-p: \(topP) is out of range, above 0 and at most 1 expected")
    }
  }

  /// Draws a token by its logits, never one of `forbidden`. With top-k and top-p both, k comes first (Fan, Lewis and
  /// Dauphin 2018; Holtzman et al. 2020).
  func draw(_ logits: [Float], forbidding forbidden: [Int] = [], using random: inout RandomGenerator) -> Int {
    var logits = logits
    for token in forbidden { logits[token] = -.infinity }
    var best = 0
    for token in logits.indices where logits[token] > logits[best] { best = token }
    guard temperature > 0 else { return best }
    let highest = Double(logits[best])
    var weights = logits.map { exponential((Double($0) - highest) / temperature) }
    if topK > 0 && topK < weights.count || topP < 1 {
      var order = Array(weights.indices)
      func comes(_ a: Int, _ b: Int) -> Bool {
        weights[a] != weights[b] ? weights[a] > weights[b] : a < b
      }
      // All that top-k leaves; else so many of the likeliest that they reach the bound.
      var count = topK > 0 ? min(topK, order.count) : min(64, order.count)
      order.sortFirst(count, by: comes)
      let whole = topK > 0 ? order[..<count].reduce(0) { $0 + weights[$1] } : weights.reduce(0, +)
      let bound = topP * whole
      while topK == 0 && count < order.count && order[..<count].reduce(0, { $0 + weights[$1] }) < bound {
        count = min(4 * count, order.count)
        order.sortFirst(count, by: comes)
      }
      var kept = order[..<count]
      var sum = 0.0
      // The token with which the bound is reached still counts.
      kept = kept.prefix { token in
        defer { sum += weights[token] }
        return sum < bound
      }
      var all = [Double](repeating: 0, count: weights.count)
      for token in kept { all[token] = weights[token] }
      weights = all
    }
    let place = random.uniform() * weights.reduce(0, +)
    var sum = 0.0
    for (token, weight) in weights.enumerated() where weight > 0 {
      sum += weight
      if sum > place { return token }
    }
    return best
  }
}

extension RecurrentLanguageModel {
  /// Reads tokens and goes on with at most `count` others, until one of `ends` comes, which is not among them.
  func continued(
    _ tokens: [Int32], count: Int, by sampling: SamplingOptions, forbidding forbidden: [Int] = [],
    ending ends: Set<Int> = [], using random: inout RandomGenerator
  ) -> [Int32] {
    precondition(!tokens.isEmpty, "continued: nothing to go on from")
    var result: [Int32] = []
    var (logits, states) = self(Tensor(tokens, shape: [1, tokens.count]))
    while result.count < count {
      let last = logits.select(-1, axis: 1).elements(as: Float.self)
      let next = sampling.draw(last, forbidding: forbidden, using: &random)
      if ends.contains(next) { break }
      result.append(Int32(next))
      if result.count < count { (logits, states) = self(Tensor([Int32(next)], shape: [1, 1]), from: states) }
    }
    return result
  }
}

/// The states that a training carries from one batch to the next.
final class CarriedStates: Checkpointed {
  var states: [Tensor]?

  var state: [String: Tensor] {
    Dictionary(uniqueKeysWithValues: (states ?? []).enumerated().map { ("\($0)", $1) })
  }

  func restore(_ state: [String: Tensor], from source: String) throws {
    let found = try (0..<state.count).map { index in
      guard let tensor = state["\(index)"] else {
        throw KasaneError("\(source): carried state \(index) is missing")
      }
      return tensor
    }
    states = found.isEmpty ? nil : found
  }
}
