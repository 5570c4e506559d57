// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneModels

// Vectors of words.
extension Workload {
  static let skipGram = wordVectors("word2vec", "skip-gram", takesMean: false)
  static let continuousBagOfWords = wordVectors("word2vec-cbow", "CBOW", takesMean: true)

  private static func wordVectors(_ name: String, _ title: String, takesMean: Bool) -> Workload {
    Workload(
      name: name,
      about: "word2vec, \(title), 100 features, window 5, 5 words drawn, 200,000 of a vocabulary of 20,000"
    ) { options in
      let (count, length, vocabulary) = (options.batch ?? 200_000, options.length ?? 20, 20_000)
      var random = RandomGenerator(seed: 1)
      // As often as words are in texts (Zipf and Mandelbrot): one over the rank and a few.
      var total = 0.0
      let sums = (0..<vocabulary).map { rank in
        total += 1 / (Double(rank) + 2.7)
        return total
      }
      let tokens = (0..<count).map { _ in
        let wanted = random.uniform() * total
        return Int32(firstIndex(in: sums) { $0 > wanted } ?? vocabulary - 1)
      }
      var counts = [Int](repeating: 1, count: vocabulary)
      for token in tokens { counts[Int(token)] += 1 }
      let starts = stride(from: 0, to: count, by: length).map { Int64($0) } + [Int64(count)]
      let tables = WordTables(counts: counts, sample: 1e-3, drawn: 5)
      let model = WordVectorNetwork(tables, features: 100, using: &random)
      var seed: UInt64 = 0
      return {
        seed += 1
        _ = model.learn(
          tokens, starts: starts, window: 5, takesMean: takesMean, rate: 0.025, seed: seed)
      }
    }
  }

  /// The first place in sorted numbers where something holds.
  private static func firstIndex(in sorted: [Double], where holds: (Double) -> Bool) -> Int? {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if holds(sorted[middle]) { high = middle } else { low = middle + 1 }
    }
    return low < sorted.count ? low : nil
  }
}
