// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The tokens that a model knows, each by its number: special ones first, then those of a text, the commonest first.
public struct Vocabulary: Sendable, Hashable {
  /// The tokens by number.
  public let tokens: [String]
  /// How often each was seen; the unknown token's is the count of all that were left out.
  public let counts: [Int]
  /// How many tokens are special: not of the text, but with a meaning of their own.
  public let specialCount: Int
  /// The number of the token that stands for all that are unknown, if there is one.
  public let unknown: Int?
  private let numbers: [String: Int32]

  /// How many tokens there are.
  public var count: Int { tokens.count }

  /// The vocabulary of a text.
  ///
  /// - Parameters:
  ///   - counts: how often each token was seen
  ///   - special: tokens that come first, whether they were seen or not
  ///   - unknown: the special token that stands for those left out; it is added where it is not among `special`
  ///   - minimumCount: tokens seen less often are left out
  ///   - limit: the most tokens to have, special ones included
  public init(
    counts: [String: Int], special: [String] = [], unknown: String? = nil, minimumCount: Int = 1,
    limit: Int = .max
  ) {
    var special = special
    if let unknown, !special.contains(unknown) { special.append(unknown) }
    let names = Set(special)
    var found = counts.filter { !names.contains($0.key) && $0.value >= minimumCount }
      .sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
    found.removeLast(max(0, found.count - max(0, limit - special.count)))
    var kept = special.map { counts[$0] ?? 0 } + found.map(\.value)
    let place = unknown.flatMap { special.firstIndex(of: $0) }
    if let place { kept[place] += counts.values.reduce(0, +) - kept.reduce(0, +) }
    self.init(tokens: special + found.map(\.key), counts: kept, specialCount: special.count, unknown: place)
  }

  private init(tokens: [String], counts: [Int], specialCount: Int, unknown: Int?) {
    (self.tokens, self.counts, self.specialCount, self.unknown) = (tokens, counts, specialCount, unknown)
    numbers = Dictionary(
      tokens.enumerated().map { ($1, Int32($0)) }, uniquingKeysWith: { first, _ in first })
  }

  /// A token's number, or nil for one that is not known.
  public func number(of token: String) -> Int? { numbers[token].map(Int.init) }

  /// The numbers of tokens, the unknown token's for those not known; without one they are left out.
  public func encode(_ tokens: [String]) -> [Int32] {
    tokens.compactMap { numbers[$0] ?? unknown.map { Int32($0) } }
  }

  /// The tokens of numbers.
  public func decode(_ numbers: some Sequence<Int32>) -> [String] { numbers.map { tokens[Int($0)] } }

  // MARK: In a run's folder

  private struct Stored: Codable {
    var format = Stored.name
    let specialCount: Int
    let unknown: Int?
    let tokens: [String]
    let counts: [Int]
    var checksum: UInt = 0

    static let name = "kasane-vocabulary-1"

    var expectedChecksum: UInt {
      var sum = Checksum.of(Array("\(specialCount) \(unknown ?? -1)".utf8))
      // A zero byte, which no text has, keeps neighbours apart.
      for (token, count) in zip(tokens, counts) {
        sum = Checksum.of(Array("\(token)\0\(count)\0".utf8), after: sum)
      }
      return sum
    }
  }

  /// Writes a file from which `init(contentsOf:)` makes the same vocabulary.
  public func write(to path: String) throws {
    var stored = Stored(specialCount: specialCount, unknown: unknown, tokens: tokens, counts: counts)
    stored.checksum = stored.expectedChecksum
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try Files.write([Array(try encoder.encode(stored)), [10]], to: path)
  }

  /// Reads what `write` wrote. Throws one line where the file is missing or was changed.
  public init(contentsOf path: String) throws {
    guard Files.exists(path) else { throw KasaneError("\(path): missing: the run is of no use without it") }
    let bytes = try Files.read(path)
    guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(bytes)), stored.format == Stored.name
    else { throw KasaneError("\(path): not a vocabulary: \(Stored.name) expected") }
    guard stored.counts.count == stored.tokens.count, stored.checksum == stored.expectedChecksum else {
      throw KasaneError("\(path): was changed since it was written: its checksum does not fit")
    }
    self.init(
      tokens: stored.tokens, counts: stored.counts, specialCount: stored.specialCount, unknown: stored.unknown
    )
  }
}
