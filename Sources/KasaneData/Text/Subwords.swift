// SPDX-License-Identifier: Apache-2.0

/// The parts of words, which share a number of vectors by a hash of their letters (Bojanowski et al. 2017, "Enriching Word
/// Vectors with Subword Information", section 3.2).
public struct Subwords: Sendable {
  private let shortest, longest, buckets: Int

  /// Parts of `shortest` to `longest` characters, of a word between < and >.
  public init(shortest: Int, longest: Int, buckets: Int) {
    precondition(
      1 <= shortest && shortest <= longest && buckets > 0,
      "Subwords: \(shortest) to \(longest) characters, \(buckets) buckets")
    (self.shortest, self.longest, self.buckets) = (shortest, longest, buckets)
  }

  /// The buckets of a word's parts, in the order of their beginnings; the whole word is none of them.
  public func parts(of word: String) -> [Int32] {
    let characters = Array("<\(word)>".unicodeScalars)
    var result: [Int32] = []
    for start in characters.indices {
      for length in shortest...longest where start + length <= characters.count && length < characters.count {
        result.append(bucket(of: characters[start..<start + length]))
      }
    }
    return result
  }

  /// FNV-1a of 32 bits (Fowler, Noll and Vo) of the part's bytes.
  private func bucket(of part: ArraySlice<Unicode.Scalar>) -> Int32 {
    var hash: UInt32 = 2_166_136_261
    for scalar in part {
      for byte in UTF8.encode(scalar)! { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
    }
    return Int32(hash % UInt32(buckets))
  }
}
