// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData

/// How long and how varied replies are.
struct ReplyMetrics {
  /// Words of a reply in the mean.
  let length: Double
  /// How many different words and pairs of words there are, each over how many there are (Li et al. 2016, "A
  /// Diversity-Promoting Objective Function for Neural Conversation Models", section 5.2).
  let distinct1: Double, distinct2: Double

  init(_ replies: [[Int32]]) {
    var (words, pairs): (Set<Int32>, Set<Int64>) = ([], [])
    var (wordCount, pairCount) = (0, 0)
    for reply in replies {
      wordCount += reply.count
      words.formUnion(reply)
      for (first, second) in zip(reply, reply.dropFirst()) {
        pairs.insert(Int64(first) << 32 | Int64(second))
        pairCount += 1
      }
    }
    length = Double(wordCount) / Double(max(replies.count, 1))
    distinct1 = Double(words.count) / Double(max(wordCount, 1))
    distinct2 = Double(pairs.count) / Double(max(pairCount, 1))
  }

  var cells: [String] { [fixed(length, 2), fixed(distinct1, 4), fixed(distinct2, 4)] }
}

/// Vectors of words by which replies are compared with those that were given (Liu et al. 2016, "How NOT To Evaluate Your
/// Dialogue System", section 3.2).
struct ReplyVectors {
  /// By a word's number; nil for one without a vector.
  private let vectors: [[Double]?]

  /// The vectors of a vocabulary's words from a file, or rows of `table`, `[words, features]`.
  init(_ vocabulary: Vocabulary, file: String?, else table: Tensor) throws {
    var found = [[Double]?](repeating: nil, count: vocabulary.count)
    func take(_ tensor: Tensor, _ number: (Int) -> Int) {
      let (values, size) = (tensor.elements(as: Float.self), tensor.shape[1])
      for row in 0..<tensor.shape[0] {
        found[number(row)] = values[row * size..<(row + 1) * size].map { Double($0) }
      }
    }
    if let file {
      let read = try WordVectors(contentsOf: file) { vocabulary.number(of: $0) != nil }
      guard !read.words.isEmpty else { throw KasaneError("\(file): none of its words is known to the run") }
      take(read.vectors) { vocabulary.number(of: read.words[$0])! }
    } else {
      take(table) { $0 }
    }
    for special in 0..<vocabulary.specialCount { found[special] = nil }
    vectors = found
  }

  /// The means over all pairs of replies of the cosines between their means, of the greedy matches of their words, and
  /// between their extrema. A pair without vectors counts as 0.
  func compare(_ replies: [[Int32]], _ references: [[Int32]]) -> [Double] {
    var sums = [0.0, 0.0, 0.0]
    for (reply, reference) in zip(replies, references) {
      let (a, b) = (reply.compactMap { vectors[Int($0)] }, reference.compactMap { vectors[Int($0)] })
      guard !a.isEmpty, !b.isEmpty else { continue }
      sums[0] += Self.cosine(Self.sum(a), Self.sum(b))
      sums[1] += (Self.greedy(a, b) + Self.greedy(b, a)) / 2
      sums[2] += Self.cosine(Self.extrema(a), Self.extrema(b))
    }
    return sums.map { $0 / Double(max(replies.count, 1)) }
  }

  private static func cosine(_ a: [Double], _ b: [Double]) -> Double {
    var (product, first, second) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      product += x * y
      first += x * x
      second += y * y
    }
    let scale = (first * second).squareRoot()
    return scale > 0 ? product / scale : 0
  }

  /// In the direction of the mean.
  private static func sum(_ vectors: [[Double]]) -> [Double] {
    vectors.dropFirst().reduce(vectors[0]) { sum, vector in zip(sum, vector).map { $0 + $1 } }
  }

  /// In each dimension the number that is furthest from zero.
  private static func extrema(_ vectors: [[Double]]) -> [Double] {
    vectors.dropFirst().reduce(vectors[0]) { far, vector in
      zip(far, vector).map { abs($0) >= abs($1) ? $0 : $1 }
    }
  }

  /// The best match of each of the first among the second, in the mean.
  private static func greedy(_ from: [[Double]], _ to: [[Double]]) -> Double {
    from.reduce(0) { sum, vector in sum + to.map { cosine(vector, $0) }.max()! } / Double(from.count)
  }
}
