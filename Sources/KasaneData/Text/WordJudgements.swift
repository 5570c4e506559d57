// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Pairs of words, each with how alike people find them, such as WordSim-353 (Finkelstein et al. 2002) and SimLex-999 (Hill,
/// Reichart and Korhonen 2015).
public struct SimilarityJudgements: Sendable {
  /// Two words in lower case and the mean of what people say.
  public let pairs: [(a: String, b: String, score: Double)]

  /// Reads a file with two words and a number a line, parted by tabs; lines that begin with # or have no number in the third
  /// column of a first line are remarks. Throws one line that names file and line where it is something else.
  public init(contentsOf path: String) throws {
    let lines = try LineReader(path: path)
    var pairs: [(a: String, b: String, score: Double)] = []
    while let line = try lines.next() {
      if line.isEmpty || line.hasPrefix("#") { continue }
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard parts.count >= 3, let score = Double(parts[2]), score.isFinite else {
        if pairs.isEmpty, parts.count >= 3 { continue }
        throw KasaneError(
          "\(path): line \(lines.lineNumber): two words and a number, parted by tabs, expected")
      }
      pairs.append((parts[0].lowercased(), parts[1].lowercased(), score))
    }
    guard !pairs.isEmpty else { throw KasaneError("\(path): no pairs of words with a number") }
    self.pairs = pairs
  }

  /// Spearman's correlation of people's judgements with the cosines of the words' vectors, and how many pairs are known; nil
  /// where fewer than three are.
  public func correlation(with neighbors: WordNeighbors) -> (value: Double?, known: Int) {
    let known = pairs.compactMap { pair -> (Double, Double)? in
      let vectors = neighbors.vectors
      guard let a = vectors.number(of: pair.a), let b = vectors.number(of: pair.b) else { return nil }
      return (pair.score, neighbors.similarity(a, b))
    }
    guard known.count > 2 else { return (nil, known.count) }
    return (spearman(known.map(\.0), known.map(\.1)), known.count)
  }
}

/// Spearman's rank correlation of two lists, equal numbers sharing the mean of their ranks; 0 where one list has equal numbers
/// alone.
public func spearman(_ a: [Double], _ b: [Double]) -> Double {
  func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var result = [Double](repeating: 0, count: values.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
      for place in start..<end { result[order[place]] = Double(start + end - 1) / 2 }
      start = end
    }
    return result
  }
  let (x, y) = (ranks(a), ranks(b))
  let mean = Double(a.count - 1) / 2
  var (xy, xx, yy) = (0.0, 0.0, 0.0)
  for (x, y) in zip(x, y) {
    xy += (x - mean) * (y - mean)
    xx += (x - mean) * (x - mean)
    yy += (y - mean) * (y - mean)
  }
  return xx > 0 && yy > 0 ? xy / (xx * yy).squareRoot() : 0
}

/// Questions "a is to b as c to d" in sections, as the program word2vec's questions-words (Mikolov et al. 2013).
public struct AnalogyQuestions: Sendable {
  /// A section's name and its questions, in lower case.
  public let sections: [(name: String, questions: [[String]])]

  /// Reads a file with four words a line, and sections that begin with a colon and a name. Throws one line that names file and
  /// line where it is something else.
  public init(contentsOf path: String) throws {
    let lines = try LineReader(path: path)
    var sections: [(name: String, questions: [[String]])] = []
    while let line = try lines.next() {
      let words = line.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
      if words.isEmpty { continue }
      if words[0].hasPrefix(":") {
        sections.append((words.joined(separator: " ").drop { $0 == ":" || $0 == " " }.description, []))
        continue
      }
      guard words.count == 4 else {
        throw KasaneError("\(path): line \(lines.lineNumber): \(words.count) words, 4 expected")
      }
      if sections.isEmpty { sections.append(("questions", [])) }
      sections[sections.count - 1].questions.append(words)
    }
    guard sections.contains(where: { !$0.questions.isEmpty }) else {
      throw KasaneError("\(path): no questions")
    }
    self.sections = sections
  }

  /// For each section how many of its questions have known words alone, and how many of these are answered right.
  public func results(with neighbors: WordNeighbors) -> [(name: String, right: Int, known: Int)] {
    sections.map { section in
      let known = section.questions.map { $0.compactMap { neighbors.vectors.number(of: $0) } }.filter {
        $0.count == 4
      }
      let answers = neighbors.answers(to: known)
      return (section.name, zip(known, answers).count { $0[3] == $1 }, known.count)
    }
  }
}
