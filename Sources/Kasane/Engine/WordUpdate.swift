// SPDX-License-Identifier: Apache-2.0

/// Numbers at an address of their own, for kernels that read them again and again.
public final class FixedArray<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  private let memory: UnsafeMutableBufferPointer<Element>

  /// A copy of an array.
  public init(_ elements: [Element]) {
    memory = .allocate(capacity: elements.count)
    _ = memory.initialize(from: elements)
  }

  deinit { memory.deallocate() }

  /// How many there are.
  public var count: Int { memory.count }
  /// Whether there are none.
  public var isEmpty: Bool { memory.isEmpty }
  /// The number at a place.
  public subscript(place: Int) -> Element { memory[place] }
  /// The numbers in a range.
  public subscript(range: Range<Int>) -> [Element] { Array(memory[range]) }
  /// Where the first is; nil where there are none.
  var pointer: UnsafePointer<Element>? { memory.isEmpty ? nil : UnsafePointer(memory.baseAddress!) }
}

/// What the learning of word vectors wants to know of the words, by number, made once.
public struct WordTables: Sendable {
  /// How many words there are.
  public let words: Int
  /// A word is kept where 32 random bits are no more than this; empty where all are.
  public let keep: FixedArray<UInt32>
  /// How many words are drawn for each that is foretold.
  public let drawn: Int
  /// Walker's tables (1977): of 2^32 random numbers so many stay with the word whose turn it is, the others go to its alias.
  public let shares: FixedArray<UInt32>, aliases: FixedArray<Int32>
  /// The way from the root of a tree to each word: from `paths[word]` on, the nodes and whether to turn right. Empty without.
  public let paths: FixedArray<Int64>, pathNodes: FixedArray<Int32>, pathTurns: FixedArray<UInt8>
  /// The rows of each word, its own first, from `parts[word]` on; empty where it has its own alone.
  public let parts: FixedArray<Int64>, partRows: FixedArray<Int32>
  /// How many rows of words and parts there are, of those that words have.
  let rowCount: Int

  /// The tables of words.
  ///
  /// - Parameters:
  ///   - counts: how often each word was seen, all above zero
  ///   - sample: words that make more than about this share of the text are kept the less often the more they are seen, as
  ///     the program word2vec does it; 0 keeps all
  ///   - drawn: how many words are drawn to tell each from, by their counts to the power of `exponent` (Mikolov et al. 2013,
  ///     section 2.2)
  ///   - hasTree: whether words are foretold along Huffman's tree (section 2.1)
  ///   - parts: rows of the parts of each word, beyond those of words
  public init(
    counts: [Int], sample: Double = 0, drawn: Int = 5, exponent: Double = 0.75, hasTree: Bool = false,
    parts: [[Int32]] = []
  ) {
    precondition(
      !counts.isEmpty && counts.allSatisfy { $0 > 0 } && drawn >= 0 && (drawn > 0 || hasTree),
      "WordTables: \(counts.count) words, \(drawn) drawn")
    words = counts.count
    self.drawn = drawn
    keep = FixedArray(sample > 0 ? Self.keepBounds(counts, sample) : [])
    let tables =
      drawn > 0 ? Self.aliasTables(counts.map { raised(Double($0), to: exponent) }) : ([], [])
    (shares, aliases) = (FixedArray(tables.0), FixedArray(tables.1))
    let tree = hasTree ? Self.huffmanPaths(counts) : ([], [], [])
    (paths, pathNodes, pathTurns) = (FixedArray(tree.0), FixedArray(tree.1), FixedArray(tree.2))
    precondition(
      parts.isEmpty || parts.count == counts.count,
      "WordTables: parts of \(parts.count) words, not \(counts.count)")
    var (starts, rows): ([Int64], [Int32]) = (parts.isEmpty ? [] : [0], [])
    for (word, own) in parts.enumerated() {
      rows.append(Int32(word))
      rows += own
      starts.append(Int64(rows.count))
    }
    rowCount = max(words, Int(rows.max() ?? 0) + 1)
    (self.parts, partRows) = (FixedArray(starts), FixedArray(rows))
  }

  private static func keepBounds(_ counts: [Int], _ sample: Double) -> [UInt32] {
    let threshold = sample * Double(counts.reduce(0, +))
    return counts.map { count in
      let ratio = Double(count) / threshold
      let chance = min(1, (ratio.squareRoot() + 1) / ratio)
      return UInt32(chance * 4_294_967_295)
    }
  }

  /// Walker's tables for drawing by weights.
  private static func aliasTables(_ weights: [Double]) -> (shares: [UInt32], aliases: [Int32]) {
    let mean = weights.reduce(0, +) / Double(weights.count)
    var left = weights.map { $0 / mean }
    var shares = [UInt32](repeating: .max, count: weights.count)
    var aliases = (0..<Int32(weights.count)).map { $0 }
    var small = left.indices.filter { left[$0] < 1 }, large = left.indices.filter { left[$0] >= 1 }
    while let poor = small.last, let rich = large.last {
      small.removeLast()
      shares[poor] = UInt32(min(max(left[poor], 0), 1) * 4_294_967_295)
      aliases[poor] = Int32(rich)
      left[rich] -= 1 - left[poor]
      if left[rich] < 1 {
        large.removeLast()
        small.append(rich)
      }
    }
    return (shares, aliases)
  }

  /// The paths of Huffman's tree (1952), of which inner nodes have the numbers from 0 to words - 2; the last is the root.
  private static func huffmanPaths(_ counts: [Int]) -> (paths: [Int64], nodes: [Int32], turns: [UInt8]) {
    let words = counts.count
    guard words > 1 else { return ([0, 0], [], []) }
    // Leaves from the rarest on and inner nodes in the order in which they are made are two sorted queues.
    let leaves = counts.indices.sorted { (counts[$0], $1) < (counts[$1], $0) }
    var inner: [Int] = []
    var (parent, turn) = (
      [Int](repeating: 0, count: 2 * words - 1), [UInt8](repeating: 0, count: 2 * words - 1)
    )
    var (nextLeaf, nextInner) = (0, 0)
    func takeLeast() -> (node: Int, count: Int) {
      if nextLeaf < words, nextInner >= inner.count || counts[leaves[nextLeaf]] <= inner[nextInner] {
        defer { nextLeaf += 1 }
        return (leaves[nextLeaf], counts[leaves[nextLeaf]])
      }
      defer { nextInner += 1 }
      return (words + nextInner, inner[nextInner])
    }
    for made in 0..<words - 1 {
      let (a, b) = (takeLeast(), takeLeast())
      (parent[a.node], parent[b.node], turn[b.node]) = (words + made, words + made, 1)
      inner.append(a.count + b.count)
    }
    var (paths, nodes, turns): ([Int64], [Int32], [UInt8]) = ([0], [], [])
    for word in 0..<words {
      var (way, sides): ([Int32], [UInt8]) = ([], [])
      var node = word
      while node != 2 * words - 2 {
        sides.append(turn[node])
        node = parent[node]
        way.append(Int32(node - words))
      }
      nodes += way.reversed()
      turns += sides.reversed()
      paths.append(Int64(nodes.count))
    }
    return (paths, nodes, turns)
  }
}

/// Some sentences from which word vectors learn in place, by stochastic gradient descent (Mikolov et al. 2013), a window of
/// words at a time, all of which are told from the same words that are drawn (Ji et al. 2016).
public struct WordUpdate {
  let tables: WordTables
  /// The words of all sentences, below `tables.words`.
  let tokens: [Int32]
  /// Where each sentence begins; the last is the number of words.
  let starts: [Int64]
  /// `[rows, width]`, float32, contiguous like the others: the words' rows, then those of their parts.
  let input: Tensor
  /// `[words, width]`, where words are drawn.
  let output: Tensor?
  /// `[words - 1, width]`, where there is a tree.
  let nodes: Tensor?
  /// From 1 to how many words to either side are seen; the number is drawn.
  let window: Int
  /// Whether the mean of a window foretells its middle (CBOW), and not each of its words alone (skip-gram).
  let takesMean: Bool
  let rate: Double
  let seed: UInt64
}

/// What became of word vectors' learning.
public struct WordUpdateOutcome: Sendable {
  /// The sum of all losses, in nats.
  public var loss = 0.0
  /// How often a word was foretold.
  public var predictions = 0
  /// How many words were kept.
  public var kept = 0
}

extension Engine {
  /// One step after another, on the calling thread.
  public func learnWords(_ update: WordUpdate) -> WordUpdateOutcome {
    var learner = WordLearner(update)
    for sentence in 0..<update.starts.count - 1 { learner.learn(sentence) }
    return learner.outcome
  }
}

/// The composition: what the kernels are held against, in double precision but for what is kept.
private struct WordLearner {
  /// So many words of a window move the targets at once.
  private static let mostAtOnce = 16
  let update: WordUpdate
  let width: Int
  let input: UnsafeMutablePointer<Float>
  let output: UnsafeMutablePointer<Float>?
  let nodes: UnsafeMutablePointer<Float>?
  var outcome = WordUpdateOutcome()
  private var state: UInt64 = 0

  init(_ update: WordUpdate) {
    self.update = update
    width = update.input.shape[1]
    func memory(_ tensor: Tensor) -> UnsafeMutablePointer<Float> {
      tensor.object.pointee.data!.assumingMemoryBound(to: Float.self)
    }
    input = memory(update.input)
    output = update.output.map(memory)
    nodes = update.nodes.map(memory)
  }

  private mutating func bits() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func learn(_ sentence: Int) {
    state = update.seed &+ UInt64(sentence) &* 0xD1B5_4A32_D192_ED03
    let tables = update.tables
    var words: [Int] = []
    for token in update.tokens[Int(update.starts[sentence])..<Int(update.starts[sentence + 1])] {
      if tables.keep.isEmpty || UInt32(bits() >> 32) <= tables.keep[Int(token)] { words.append(Int(token)) }
    }
    outcome.kept += words.count
    for i in words.indices {
      let reach = 1 + Int((bits() >> 33) % UInt64(update.window))
      let drawn = (0..<tables.drawn).map { _ in draw() }
      let around = (max(0, i - reach)...min(words.count - 1, i + reach)).filter { $0 != i }
      let rows = around.map { self.rows(of: words[$0]) }
      if update.takesMean {
        if !rows.isEmpty { learn(words[i], from: [rows.flatMap { $0 }], against: drawn) }
      } else {
        for from in stride(from: 0, to: rows.count, by: Self.mostAtOnce) {
          learn(words[i], from: Array(rows[from...].prefix(Self.mostAtOnce)), against: drawn)
        }
      }
    }
  }

  /// A word by its share of the draws.
  private mutating func draw() -> Int {
    let (tables, bits) = (update.tables, bits())
    let place = Int(((bits >> 32) &* UInt64(tables.words)) >> 32)
    return UInt32(truncatingIfNeeded: bits) < tables.shares[place] ? place : Int(tables.aliases[place])
  }

  private func rows(of word: Int) -> [Int] {
    let tables = update.tables
    if tables.parts.isEmpty { return [word] }
    return tables.partRows[Int(tables.parts[word])..<Int(tables.parts[word + 1])].map { Int($0) }
  }

  /// Every group of rows foretells a word by its mean. Targets are moved one after another, each by all groups at once; the
  /// rows are moved in the end.
  private mutating func learn(_ word: Int, from groups: [[Int]], against drawn: [Int]) {
    let means = groups.map { rows in
      (0..<width).map { k in rows.reduce(0.0) { $0 + Double(input[$1 * width + k]) } / Double(rows.count) }
    }
    var changes = [[Double]](repeating: [Double](repeating: 0, count: width), count: groups.count)
    var targets: [(row: UnsafeMutablePointer<Float>, label: Double)] = []
    let tables = update.tables
    if let output {
      targets.append((output + word * width, 1))
      targets += drawn.filter { $0 != word }.map { (output + $0 * width, 0) }
    }
    if let nodes {
      for step in Int(tables.paths[word])..<Int(tables.paths[word + 1]) {
        let row = nodes + Int(tables.pathNodes[step]) * width
        targets.append((row, 1 - Double(tables.pathTurns[step])))
      }
    }
    for (row, label) in targets {
      var move = [Double](repeating: 0, count: width)
      for (group, h) in means.enumerated() {
        let f = (0..<width).reduce(0.0) { $0 + h[$1] * Double(row[$1]) }
        let g = update.rate * (label - 1 / (1 + exponential(-f)))
        outcome.loss += max(f, 0) + logarithm(1 + exponential(-abs(f))) - label * f
        for k in 0..<width {
          changes[group][k] += g * Double(row[k])
          move[k] += g * h[k]
        }
      }
      for k in 0..<width { row[k] += Float(move[k]) }
    }
    outcome.predictions += groups.count
    for (group, rows) in groups.enumerated() {
      for row in rows {
        for k in 0..<width { input[row * width + k] += Float(changes[group][k]) }
      }
    }
  }
}

/// Changes word vectors in place by what some sentences teach them; see `WordUpdate`.
///
/// - Parameters:
///   - tokens: the words of all sentences, below `tables.words`
///   - starts: where each sentence begins, from 0, and at the end how many words there are
///   - input: `[words + parts, features]`
///   - output: `[words, features]`, where `tables` draws words
///   - nodes: `[words - 1, features]`, where `tables` has a tree
///   - window: how many words to either side of the middle are seen at most
///   - takesMean: whether the mean of a window foretells its middle (CBOW), and not each of its words (skip-gram)
///   - rate: the step size
///   - seed: of all that is drawn
public func learnWords(
  _ tables: WordTables, _ tokens: [Int32], starts: [Int64], input: Parameter, output: Parameter?,
  nodes: Parameter?, window: Int, takesMean: Bool, rate: Double, seed: UInt64
) -> WordUpdateOutcome {
  precondition(
    starts.first == 0 && starts.last == Int64(tokens.count)
      && zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 },
    "learnWords: sentences that do not begin with 0, rise and end with \(tokens.count)")
  precondition(
    tokens.allSatisfy { $0 >= 0 && $0 < tables.words }, "learnWords: a word that is not below \(tables.words)"
  )
  let width = input.shape[1]
  precondition(
    input.shape[0] >= tables.rowCount
      && output.map { $0.shape == [tables.words, width] } ?? (tables.drawn == 0)
      && nodes.map { $0.shape == [tables.words - 1, width] } ?? tables.paths.isEmpty && window > 0,
    "learnWords: vectors \(input.shape), \(output?.shape ?? []) and \(nodes?.shape ?? []) for \(tables.words) words, a "
      + "window of \(window)")
  return engine.learnWords(
    WordUpdate(
      tables: tables, tokens: tokens, starts: starts, input: input.mutableStorage(),
      output: tables.drawn > 0 ? output?.mutableStorage() : nil,
      nodes: tables.paths.isEmpty ? nil : nodes?.mutableStorage(), window: window, takesMean: takesMean,
      rate: rate, seed: seed))
}
