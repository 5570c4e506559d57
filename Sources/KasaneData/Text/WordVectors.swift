// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Vectors of words, in the files that word2vec (Mikolov et al. 2013) and GloVe (Pennington, Socher and Manning 2014) write.
public struct WordVectors: Sendable {
  /// How a file keeps vectors.
  public enum Format: String, CaseIterable, Sendable {
    /// The numbers of words and features in the first line, then a word a line with its numbers.
    case word2vec
    /// The same first line, then each word, a space and its numbers as little-endian float32.
    case binary
    /// A word a line with its numbers.
    case glove
  }

  /// The words in the file's order, each once.
  public let words: [String]
  /// The vectors, `[words, features]`, float32.
  public let vectors: Tensor
  private let numbers: [String: Int]

  /// Vectors `[words, features]` of words, no two of which are the same.
  public init(_ words: [String], _ vectors: Tensor) {
    precondition(
      vectors.rank == 2 && vectors.shape[0] == words.count,
      "WordVectors: vectors \(vectors.shape) for \(words.count) words")
    (self.words, self.vectors) = (words, vectors)
    numbers = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
  }

  /// Reads a file of any format, which may be compressed by gzip. Of a word that comes several times the first counts. Throws
  /// one line that names the file and where it is not what it must be.
  ///
  /// - Parameter isWanted: Whether a word is taken; all are unless told otherwise.
  public init(contentsOf path: String, where isWanted: (String) -> Bool = { _ in true }) throws {
    var gathered = GatheredVectors()
    if try BinaryVectorReader.isBinary(path) {
      var reader = try BinaryVectorReader(path)
      try reader.read(into: &gathered, where: isWanted)
    } else {
      try Self.readText(path, into: &gathered, where: isWanted)
    }
    words = gathered.words
    numbers = gathered.places
    vectors = Tensor(gathered.numbers, shape: [words.count, gathered.size])
  }

  /// How many numbers a vector has.
  public var featureCount: Int { vectors.shape[1] }
  /// The place of a word, or nil where there is none.
  public func number(of word: String) -> Int? { numbers[word] }

  private static func readText(
    _ path: String, into gathered: inout GatheredVectors, where isWanted: (String) -> Bool
  ) throws {
    let lines = try LineReader(path: path)
    var header: (words: Int, features: Int)?
    var (size, count): (Int?, Int) = (nil, 0)
    while let line = try lines.next() {
      let parts = line.split { $0 == " " || $0 == "\t" }
      if parts.isEmpty { continue }
      if lines.lineNumber == 1, parts.count == 2, let words = Int(parts[0]), let features = Int(parts[1]) {
        guard words > 0, features > 0 else {
          throw KasaneError("\(path): line 1: \(words) words of \(features) numbers, 1 or more expected")
        }
        header = (words, features)
        size = features
        continue
      }
      guard parts.count > 1, parts.count - 1 == size ?? parts.count - 1 else {
        throw KasaneError(
          "\(path): line \(lines.lineNumber): \(parts.count - 1) numbers after a word, "
            + "\(size.map(String.init) ?? "1 or more") expected")
      }
      size = parts.count - 1
      count += 1
      guard gathered.takes(String(parts[0]), where: isWanted) else { continue }
      for part in parts[1...] {
        guard let number = Float(part), number.isFinite else {
          throw KasaneError("\(path): line \(lines.lineNumber): \(part.prefix(40)) is no number")
        }
        gathered.numbers.append(number)
      }
    }
    guard let size, count > 0 else { throw KasaneError("\(path): no vectors: the file is empty") }
    if let header, header.words != count {
      throw KasaneError("\(path): \(count) vectors, \(header.words) expected by its first line")
    }
    gathered.size = size
  }

  /// Writes a file that other programs read. Throws one line where it cannot be written, or a word has white space.
  public func write(to path: String, as format: Format) throws {
    if let word = words.first(where: { $0.isEmpty || $0.utf8.contains { $0 <= 0x20 } }) {
      throw KasaneError("\(path): the word \"\(word)\" has white space, which files of vectors cannot have")
    }
    let size = featureCount
    let values = vectors.elements(as: Float.self)
    func line(_ word: Int) -> [UInt8] {
      let row = values[word * size..<(word + 1) * size]
      var bytes = Array(words[word].utf8)
      if format == .binary {
        bytes.append(0x20)
        for number in row { withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes += $0 } }
      } else {
        for number in row { bytes += " \(number)".utf8 }
      }
      bytes.append(0x0A)
      return bytes
    }
    // Before the first word stands a line of its own, except in GloVe's files.
    let header = Array("\(words.count) \(size)\n".utf8)
    try Files.write(
      ((format == .glove ? 0 : -1)..<words.count).lazy.map { $0 < 0 ? header : line($0) }, to: path)
  }
}

/// What is read of a file.
private struct GatheredVectors {
  var words: [String] = []
  var places: [String: Int] = [:]
  var numbers: [Float] = []
  var size = 0

  /// Whether a word's numbers are to follow.
  mutating func takes(_ word: String, where isWanted: (String) -> Bool) -> Bool {
    guard isWanted(word), places[word] == nil else { return false }
    places[word] = words.count
    words.append(word)
    return true
  }
}

/// Vectors as bytes.
private struct BinaryVectorReader {
  private let reader: ByteReader
  private var bytes: [UInt8] = []
  private var position = 0

  /// Words are no longer, in bytes.
  private static let longest = 4096

  init(_ path: String) throws { reader = try ByteReader(path: path) }

  /// Whether a file ends in .bin or begins like one in bytes: what follows the numbers in its first line and a word is no
  /// numbers as text.
  static func isBinary(_ path: String) throws -> Bool {
    if path.hasSuffix(".bin") || path.hasSuffix(".bin.gz") { return true }
    let start = try ByteReader(path: path).read(1 << 16)
    let lines = start.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    guard lines.count == 2, let (_, features) = header(lines[0]) else { return false }
    guard let space = lines[1].firstIndex(of: 0x20) else { return false }
    let numbers = lines[1][(space + 1)...].prefix { $0 != 0x0A }.prefix(4 * min(features, 1 << 14))
    let digits = "0123456789+-.eEinfaNIF \t\r".utf8
    return numbers.isEmpty || !numbers.allSatisfy(digits.contains)
  }

  private static func header(_ line: some Sequence<UInt8>) -> (words: Int, features: Int)? {
    let parts = String(decoding: Array(line), as: UTF8.self).split { $0 == " " || $0 == "\r" }
    guard parts.count == 2, let words = Int(parts[0]), let features = Int(parts[1]), words > 0, features > 0
    else { return nil }
    return (words, features)
  }

  /// Makes so many bytes ready, or those that there are.
  private mutating func fill(_ count: Int) throws {
    guard bytes.count - position < count else { return }
    bytes.removeSubrange(..<position)
    position = 0
    bytes += try reader.read(max(count - bytes.count, 1 << 16))
  }

  mutating func read(into gathered: inout GatheredVectors, where isWanted: (String) -> Bool) throws {
    try fill(1 << 10)
    guard let end = bytes.firstIndex(of: 0x0A), let (words, features) = Self.header(bytes[..<end]) else {
      throw KasaneError("\(reader.name): no numbers of words and features in the first line")
    }
    let (size, overflow) = features.multipliedReportingOverflow(by: 4)
    guard !overflow, words <= reader.limit / size else {
      throw KasaneError(
        "\(reader.name): \(words) words of \(features) numbers by its first line, for which the file is too short"
      )
    }
    position = end + 1
    gathered.size = features
    for number in 1...words {
      let place = "\(reader.name): word \(number) of \(words)"
      try fill(Self.longest)
      // Some programs end each vector with a line, others do not.
      while position < bytes.count, bytes[position] == 0x0A { position += 1 }
      guard let end = bytes[position...].prefix(Self.longest).firstIndex(of: 0x20), end > position else {
        let isCut = bytes.count - position < Self.longest
        throw KasaneError(
          "\(place): \(isCut ? "the file ends before it" : "no space within \(Self.longest) bytes")")
      }
      guard let word = String(validating: bytes[position..<end], as: UTF8.self) else {
        throw KasaneError("\(place): not UTF-8 text")
      }
      position = end + 1
      try fill(size)
      guard bytes.count - position >= size else {
        throw KasaneError("\(place): the file ends within its numbers")
      }
      if gathered.takes(word, where: isWanted) {
        for place in stride(from: position, to: position + size, by: 4) {
          let bits = bytes[place..<place + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
          gathered.numbers.append(Float(bitPattern: bits))
        }
        guard gathered.numbers.suffix(features).allSatisfy(\.isFinite) else {
          throw KasaneError("\(place): a number that is not finite")
        }
      }
      position += size
    }
    try fill(2)
    while position < bytes.count, bytes[position] == 0x0A { position += 1 }
    guard position == bytes.count else {
      throw KasaneError("\(reader.name): bytes after the \(words) words that its first line says")
    }
  }
}

// MARK: - Which words are near

/// Words by the angles between their vectors.
public struct WordNeighbors: Sendable {
  /// The words and their vectors.
  public let vectors: WordVectors
  /// The vectors, each divided by its length, `[words, features]`.
  private let directions: Tensor

  /// The neighbors among words.
  public init(_ vectors: WordVectors) {
    self.vectors = vectors
    directions = withoutGradient {
      let lengths = sqrt(square(vectors.vectors).sum(axes: [1], keepingAxes: true))
      return vectors.vectors / (lengths + 1e-12)
    }
  }

  /// The cosine of the angle between two words.
  public func similarity(_ a: Int, _ b: Int) -> Double {
    (directions[a] * directions[b]).sum().scalar
  }

  /// The words whose directions are nearest to a sum of others', the nearest first; those of the sum are left out.
  public func nearest(to parts: [(word: Int, sign: Double)], count: Int) -> [(
    word: String, similarity: Double
  )] {
    let cosines = withoutGradient {
      let sum = parts.reduce(Tensor(zeros: [vectors.featureCount])) { $0 + directions[$1.word] * $1.sign }
      let length = max(sqrt(square(sum).sum()).scalar, 1e-12)
      return matmul(directions, sum.reshaped(to: [-1, 1])).elements(as: Float.self).map {
        Double($0) / length
      }
    }
    let own = Set(parts.map(\.word))
    var order = cosines.indices.filter { !own.contains($0) }
    order.sortFirst(min(count, order.count)) {
      cosines[$0] != cosines[$1] ? cosines[$0] > cosines[$1] : $0 < $1
    }
    return order.prefix(count).map { (vectors.words[$0], cosines[$0]) }
  }

  /// For each question "a is to b as c to", the word whose direction is nearest to b - a + c, without these three (Mikolov et
  /// al. 2013, "Linguistic Regularities in Continuous Space Word Representations").
  public func answers(to questions: [[Int]]) -> [Int] {
    var result: [Int] = []
    for start in stride(from: 0, to: questions.count, by: 256) {
      let some = questions[start..<min(start + 256, questions.count)]
      func rows(_ place: Int) -> Tensor { directions.gathered(Tensor(some.map { Int64($0[place]) })) }
      let cosines: [Float] = withoutGradient {
        let wanted: Tensor = rows(1) - rows(0) + rows(2)
        return matmul(wanted, directions.transposed()).elements(as: Float.self)
      }
      let count = vectors.words.count
      for (row, question) in some.enumerated() {
        var (best, most) = (-1, -Float.infinity)
        for word in 0..<count {
          let cosine = cosines[row * count + word]
          if cosine > most, !question[..<3].contains(word) { (best, most) = (word, cosine) }
        }
        result.append(best)
      }
    }
    return result
  }
}
