// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Vectors of words from a text file, as GloVe's (Pennington, Socher and Manning 2014) and word2vec's are: a word a
/// line, then its numbers.
public struct WordVectors: Sendable {
  /// The words in the file's order.
  public let words: [String]
  /// The vectors, `[words, features]`, float32.
  public let vectors: Tensor

  /// Reads a file, which may be compressed by gzip.
  ///
  /// - Parameter isWanted: Whether a word is taken; all are unless told otherwise.
  public init(contentsOf path: String, where isWanted: (String) -> Bool = { _ in true }) throws {
    let lines = try LineReader(path: path)
    var words: [String] = []
    var known: Set<String> = []
    var numbers: [Float] = []
    var size: Int?
    while let line = try lines.next() {
      let parts = line.split(separator: " ")
      if parts.isEmpty { continue }
      // word2vec's text begins with the numbers of words and features.
      if lines.lineNumber == 1 && parts.count == 2 && parts.allSatisfy({ Int($0) != nil }) { continue }
      let expected = size ?? parts.count - 1
      guard parts.count > 1, parts.count - 1 == expected else {
        throw KasaneError(
          "\(path): line \(lines.lineNumber): \(parts.count - 1) numbers after a word, "
            + "\(size.map(String.init) ?? "1 or more") expected")
      }
      size = expected
      let word = String(parts[0])
      guard isWanted(word), known.insert(word).inserted else { continue }
      for part in parts[1...] {
        guard let number = Float(part), number.isFinite else {
          throw KasaneError("\(path): line \(lines.lineNumber): \(part.prefix(40)) is no number")
        }
        numbers.append(number)
      }
      words.append(word)
    }
    guard let size else { throw KasaneError("\(path): no vectors: the file is empty") }
    self.words = words
    vectors = Tensor(numbers, shape: [words.count, size])
  }

  /// The numbers of a vector.
  public var featureCount: Int { vectors.shape[1] }
}
