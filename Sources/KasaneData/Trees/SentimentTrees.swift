// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Sentences as trees in which every phrase has one of five sentiments: the Stanford Sentiment Treebank (Socher et al.
/// 2013), others in its form, or made-up ones.
public enum SentimentTrees {
  /// How many sentiments there are.
  public static let classCount = 5
  /// What the sentiments are called, from 0.
  public static let classNames = ["very negative", "negative", "neutral", "positive", "very positive"]
  /// The name by which made-up trees stand for a folder.
  public static let sample = "sample"

  /// Which part of the data.
  public enum Split: String, CaseIterable, Sendable {
    /// What to learn from.
    case train
    /// What to judge by.
    case dev
    /// What to judge by at the very end.
    case test
  }

  /// The treebank's folder among the full data sets.
  public static var defaultFolder: String { DataFolder.folder(of: "sst_trees") }

  /// The file of a part in a folder, compressed or not, or nil.
  private static func file(_ split: Split, in folder: String) -> String? {
    ["", ".gz"].map { "\(folder)/\(split.rawValue).txt\($0)" }.first(where: Files.exists)
  }

  /// Whether a folder has what a training needs.
  public static func hasTraining(in folder: String) -> Bool {
    file(.train, in: folder) != nil && file(.dev, in: folder) != nil
  }

  /// Reads a part from a folder, a single file, or the made-up trees. Throws one line where it is missing or not as it
  /// must be.
  public static func load(_ split: Split, from place: String) throws -> [SyntaxTree] {
    if place == sample { return made(split) }
    let hint = DataFolder.hint(for: place)
    guard Files.exists(place) else { throw KasaneError("\(place): no such folder or file of trees\(hint)") }
    if let file = file(split, in: place) { return try SyntaxTree.read(file, classCount: classCount) }
    if Files.isFolder(place) {
      throw KasaneError("\(place): \(split.rawValue).txt is missing (or \(split.rawValue).txt.gz)\(hint)")
    }
    return try SyntaxTree.read(place, classCount: classCount)
  }

  /// What tells trees from others: their number and a checksum.
  public static func fingerprint(of trees: [SyntaxTree]) -> String {
    let sum = trees.reduce(0 as UInt) { Checksum.of(Array("\($1)\n".utf8), after: $0) }
    return "\(trees.count) trees, \(String(sum, radix: 16))"
  }

  /// Made-up trees, always the same: 600 to learn from, 200 of each other part.
  static func made(_ split: Split) -> [SyntaxTree] {
    let (count, stream): (Int, UInt64) =
      switch split {
      case .train: (600, 0)
      case .dev: (200, 1)
      case .test: (200, 2)
      }
    var grammar = SentimentGrammar(RandomGenerator(seed: 20_13, stream: stream))
    return (0..<count).map { _ in grammar.sentence() }
  }
}
