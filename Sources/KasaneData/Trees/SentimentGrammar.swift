// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Makes up film reviews with the sentiment of every phrase. A few rules say how sentiments combine: *very* strengthens,
/// *not* turns around, what comes after *but* wins, and a judgement outweighs what is judged.
struct SentimentGrammar {
  private var random: RandomGenerator
  private var nodes: [SyntaxTree.Node] = []

  init(_ random: RandomGenerator) { self.random = random }

  private static let adjectives: [[String]] = [
    ["awful", "dreadful", "unbearable", "terrible"], ["dull", "weak", "tired", "clumsy", "flat"],
    ["long", "quiet", "short", "recent", "German"], ["good", "warm", "clever", "funny", "fresh"],
    ["brilliant", "superb", "wonderful", "perfect"],
  ]
  private static let nouns = [
    "film", "story", "cast", "script", "music", "plot", "comedy", "drama", "ending", "camera",
  ]
  private static let verbs = [
    ["insults", "tortures"], ["bores", "tires"], ["shows", "follows"], ["pleases", "touches"],
    ["thrills", "delights"],
  ]
  private static let objects = ["us", "everyone", "viewers", "critics"]

  /// A phrase: where it is among the nodes, and its sentiment.
  private typealias Phrase = (place: Int, label: Int)

  private mutating func pick<Item>(_ items: [Item]) -> Item { items[random.integer(below: items.count)] }

  private mutating func word(_ text: String, _ label: Int = 2) -> Phrase {
    nodes.append(SyntaxTree.Node(label: label, word: text, left: 0, right: 0))
    return (nodes.count - 1, label)
  }

  private mutating func join(_ left: Phrase, _ right: Phrase, _ label: Int) -> Phrase {
    nodes.append(SyntaxTree.Node(label: label, word: nil, left: left.place, right: right.place))
    return (nodes.count - 1, label)
  }

  /// A sentence.
  mutating func sentence() -> SyntaxTree {
    nodes = []
    var whole = clause()
    if random.integer(below: 3) == 0 {
      let conjunction = word(pick(["but", "and"]))
      let isBut = nodes[conjunction.place].word == "but"
      let second = clause()
      let tail = join(conjunction, second, second.label)
      let label = isBut ? second.label : Self.mean(whole.label, second.label)
      whole = join(whole, tail, label)
    }
    let end = word(".")
    _ = join(whole, end, whole.label)
    return SyntaxTree(nodes: nodes)
  }

  private mutating func clause() -> Phrase {
    let subject = nounPhrase()
    let predicate = random.integer(below: 2) == 0 ? judgement() : deed()
    return join(subject, predicate, Self.stronger(predicate.label, subject.label))
  }

  /// The ADJECTIVE NOUN.
  private mutating func nounPhrase() -> Phrase {
    let article = word(pick(["the", "this", "its"]))
    guard random.integer(below: 2) == 0 else { return join(article, word(pick(Self.nouns)), 2) }
    let description = adjective()
    let noun = word(pick(Self.nouns))
    let inner = join(description, noun, description.label)
    return join(article, inner, inner.label)
  }

  /// Is ADJECTIVE, is not ADJECTIVE.
  private mutating func judgement() -> Phrase {
    let verb = word(pick(["is", "seems"]))
    if random.integer(below: 3) == 0 {
      let negation = word(pick(["not", "never"]))
      let inner = adjective()
      let denied = join(negation, inner, Self.denied(inner.label))
      return join(verb, denied, denied.label)
    }
    let inner = adjective()
    return join(verb, inner, inner.label)
  }

  /// Delights us.
  private mutating func deed() -> Phrase {
    let strength = random.integer(below: 5)
    let verb = word(pick(Self.verbs[strength]), strength)
    return join(verb, word(pick(Self.objects)), strength)
  }

  /// ADJECTIVE, very ADJECTIVE.
  private mutating func adjective() -> Phrase {
    let strength = random.integer(below: 5)
    guard random.integer(below: 3) == 0 else { return word(pick(Self.adjectives[strength]), strength) }
    let intensifier = word(pick(["very", "really", "so"]))
    let inner = word(pick(Self.adjectives[strength]), strength)
    return join(intensifier, inner, Self.strengthened(strength))
  }

  // MARK: How sentiments combine

  private static func strengthened(_ label: Int) -> Int { label > 2 ? 4 : label < 2 ? 0 : 2 }
  /// *Not brilliant* is a little bad, *not dreadful* a little good.
  private static func denied(_ label: Int) -> Int { label > 2 ? 1 : label < 2 ? 3 : 2 }
  private static func stronger(_ first: Int, _ second: Int) -> Int { first == 2 ? second : first }
  private static func mean(_ first: Int, _ second: Int) -> Int {
    let sum = first + second
    // Halves go away from the middle.
    return sum % 2 == 0 ? sum / 2 : sum > 4 ? sum / 2 + 1 : sum / 2
  }
}
