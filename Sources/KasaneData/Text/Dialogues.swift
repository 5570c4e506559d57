// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Dialogues, each of two turns or more, as the numbers of their tokens in the order of their first appearance.
///
/// Two forms are read: a dialogue a line, its turns split by `__eou__`, with a topic and a tab before them or without;
/// or a turn a line, with an empty line between two dialogues.
public struct Dialogues: Sendable {
  /// What splits the turns of a line.
  public static let turnEnd = "__eou__"

  /// What messages call the text.
  public let name: String
  /// The distinct tokens in the order of their first appearance.
  public private(set) var distinct: [String] = []
  /// How many turns were longer than allowed and lost what was beyond.
  public private(set) var cutTurns = 0
  /// How many dialogues had no second turn, so that nothing was answered, and were left out.
  public private(set) var singleTurns = 0
  private var known: [String: Int32] = [:]
  private var numbers: [Int32] = []
  /// Where each turn ends among the numbers, and each dialogue among the turns.
  private var turnEnds: [Int] = []
  private var dialogueEnds: [Int] = []

  /// What becomes of a turn that is too long.
  public enum Overlong: String, CaseIterable, Codable, Sendable {
    /// It loses what is beyond, and is counted.
    case truncate
    /// The text is refused, by its line.
    case refuse
  }

  /// Reads a corpus; what lies between white space and marks is a token, in lower case.
  ///
  /// - Parameters:
  ///   - longest: how many tokens of a turn are kept
  ///   - overlong: what becomes of a turn with more
  ///
  /// Throws one line where the corpus cannot be read, mixes both forms, or has no dialogue.
  public init(_ corpus: Corpus, longest: Int, overlong: Overlong = .truncate) throws {
    name = corpus.name
    var (line, firstTurn) = (0, 0)
    var isSplit: Bool?
    try corpus.forEachLine { text in
      line += 1
      if text.allSatisfy(\.isWhitespace) {
        finishDialogue(from: firstTurn)
        firstTurn = turnEnds.count
        return
      }
      let turns = Self.turns(in: text)
      let hasMark = text.contains(Self.turnEnd)
      if isSplit == nil { isSplit = hasMark }
      guard isSplit == hasMark else {
        throw KasaneError(
          "\(corpus.name): line \(line): \(hasMark ? "turns split by" : "no") \(Self.turnEnd), unlike the lines "
            + "before it: one form for the whole text expected")
      }
      for turn in turns {
        let count = add(turn, longest: longest)
        guard count > longest else { continue }
        guard overlong == .truncate else {
          throw KasaneError(
            "\(corpus.name): line \(line): a turn of \(count) words, at most \(longest) expected")
        }
        cutTurns += 1
      }
      if hasMark {
        finishDialogue(from: firstTurn)
        firstTurn = turnEnds.count
      }
    }
    finishDialogue(from: firstTurn)
    guard count > 0 else {
      throw KasaneError(
        "\(corpus.name): no dialogue: a line with turns split by \(Self.turnEnd), or turns a line with an empty line "
          + "between dialogues, expected")
    }
  }

  private init(name: String) { self.name = name }

  /// Adds a turn; one without tokens is none. Returns how many tokens it has.
  private mutating func add(_ turn: Substring, longest: Int) -> Int {
    var count = 0
    Self.tokenizer.forEachToken(in: Self.folded(turn)) { token in
      count += 1
      guard count <= longest else { return }
      let number = known[token] ?? Int32(distinct.count)
      if Int(number) == distinct.count {
        known[token] = number
        distinct.append(token)
      }
      numbers.append(number)
    }
    if count > 0 { turnEnds.append(numbers.count) }
    return count
  }

  private mutating func finishDialogue(from firstTurn: Int) {
    let turns = turnEnds.count - firstTurn
    if turns > 1 {
      dialogueEnds.append(turnEnds.count)
    } else if turns == 1 {
      singleTurns += 1
      turnEnds.removeLast()
      numbers.removeLast(numbers.count - (turnEnds.last ?? 0))
    }
  }

  // MARK: Words

  private static let tokenizer = WordTokenizer()

  /// In lower case, with the apostrophe of typewriters.
  private static func folded(_ text: some StringProtocol) -> String {
    text.lowercased().replacing("\u{2019}", with: "'")
  }

  /// The tokens of a turn.
  public static func tokens(in turn: some StringProtocol) -> [String] { tokenizer.tokens(in: folded(turn)) }

  /// Text with the tokens in it.
  public static func text(of tokens: [String]) -> String { tokenizer.text(of: tokens) }

  /// The turns of a line that may have several, without a topic before a tab.
  public static func turns(in line: String) -> [Substring] {
    var text = line[...]
    if text.contains(turnEnd), let tab = text.firstIndex(of: "\t") { text = text[text.index(after: tab)...] }
    return text.split(separator: turnEnd).filter { !$0.allSatisfy(\.isWhitespace) }
  }

  // MARK: Parts

  /// How many dialogues there are.
  public var count: Int { dialogueEnds.count }
  /// How many turns they have.
  public var turnCount: Int { turnEnds.count }
  /// How many tokens they have.
  public var tokenCount: Int { numbers.count }

  /// The numbers of the turns of a dialogue.
  private func turns(of dialogue: Int) -> Range<Int> {
    (dialogue == 0 ? 0 : dialogueEnds[dialogue - 1])..<dialogueEnds[dialogue]
  }

  /// How many turns each dialogue has.
  public var turnCounts: [Int] { (0..<count).map { turns(of: $0).count } }

  /// The last tenth of the dialogues, and the others.
  public func split() -> (training: Dialogues, validation: Dialogues) {
    let kept = count - max(1, count / 10)
    return (part(0..<kept), part(kept..<count))
  }

  private func part(_ range: Range<Int>) -> Dialogues {
    var result = Dialogues(name: name)
    (result.distinct, result.known, result.cutTurns) = (distinct, known, cutTurns)
    for dialogue in range {
      for turn in turns(of: dialogue) {
        result.numbers += numbers[tokens(of: turn)]
        result.turnEnds.append(result.numbers.count)
      }
      result.dialogueEnds.append(result.turnEnds.count)
    }
    return result
  }

  private func tokens(of turn: Int) -> Range<Int> { (turn == 0 ? 0 : turnEnds[turn - 1])..<turnEnds[turn] }

  /// How often each token occurs.
  public func counts() -> [String: Int] {
    var counts = [Int](repeating: 0, count: distinct.count)
    for number in numbers { counts[Int(number)] += 1 }
    return Dictionary(
      uniqueKeysWithValues: zip(distinct, counts).filter { $0.1 > 0 }.map { ($0.0, $0.1) })
  }

  /// The dialogues by the numbers of a vocabulary, which must have one for the tokens that it does not know: by dialogue
  /// and turn. Dialogues with more than `longest` turns are cut into several, each of which begins with the turn that the
  /// one before ended with.
  public func encoded(by vocabulary: Vocabulary, longest: Int) -> [[[Int32]]] {
    precondition(longest > 1, "Dialogues: cut after \(longest) turns, 2 or more expected")
    let places = distinct.map { Int32(vocabulary.number(of: $0) ?? vocabulary.unknown!) }
    var result: [[[Int32]]] = []
    for dialogue in 0..<count {
      let all = turns(of: dialogue)
      for first in stride(from: all.lowerBound, to: all.upperBound - 1, by: longest - 1) {
        let part = first..<min(first + longest, all.upperBound)
        result.append(part.map { turn in numbers[tokens(of: turn)].map { places[Int($0)] } })
      }
    }
    return result
  }

  /// What tells the text from others.
  public var fingerprint: String {
    var sum = Checksum.of(numbers.withUnsafeBytes { Array($0) })
    sum = Checksum.of(turnEnds.withUnsafeBytes { Array($0) }, after: sum)
    sum = Checksum.of(dialogueEnds.withUnsafeBytes { Array($0) }, after: sum)
    sum = Checksum.of(Array(distinct.joined(separator: "\0").utf8), after: sum)
    return "\(count) dialogues \(String(sum, radix: 16))"
  }
}

extension Dialogues {
  /// The dialogues to learn from and to judge by at a place; see `Corpus.parts`. Folders may name both files as the data
  /// sets do; the last tenth is judged by where nothing else is there for that.
  public static func parts(
    at place: String, longest: Int, overlong: Overlong
  ) throws -> (training: Dialogues, validation: Dialogues) {
    func read(_ corpus: Corpus) throws -> Dialogues {
      try Dialogues(corpus, longest: longest, overlong: overlong)
    }
    if let (training, validation) = files(at: place) {
      return (try read(Corpus(at: training)), try read(Corpus(at: validation)))
    }
    let (corpus, judged) = try Corpus.parts(at: place, sample: .dialogues)
    let all = try read(corpus)
    if let judged { return (all, try read(judged)) }
    guard all.count > 1 else {
      throw KasaneError("\(corpus.name): 1 dialogue, at least 2 expected: one to learn from, one to judge by")
    }
    return all.split()
  }

  /// The two files of a folder that names them as the data sets do.
  private static func files(at place: String) -> (training: String, validation: String)? {
    guard place != Corpus.sample else { return nil }
    let folder = DataFolder.isDataSet(place) ? DataFolder.folder(of: place) : place
    let pairs = [
      ("train.tsv.gz", "valid.tsv.gz"), ("dialogues_train.txt.gz", "dialogues_validation.txt.gz"),
    ]
    return pairs.map { ("\(folder)/\($0)", "\(folder)/\($1)") }.first { Files.exists($0) && Files.exists($1) }
  }

  /// The dialogues to judge by at a place: those apart for that where there are such, else all.
  public static func judged(at place: String, longest: Int, overlong: Overlong) throws -> Dialogues {
    let corpus: Corpus
    if let (_, validation) = files(at: place) {
      corpus = try Corpus(at: validation)
    } else {
      let (all, judged) = try Corpus.parts(at: place, sample: .dialogues)
      corpus = judged ?? all
    }
    return try Dialogues(corpus, longest: longest, overlong: overlong)
  }
}
