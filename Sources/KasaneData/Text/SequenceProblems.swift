// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Sequences to turn into others that follow from them by a rule, as characters: what networks of an encoder and a decoder
/// are first tried on.
public enum SequenceProblems: String, CaseIterable, Codable, Sendable {
  /// `16+75` becomes `91`: sums of two numbers of one to three digits.
  case addition
  /// `september 27, 1994` becomes `1994-09-27`: dates as people write them.
  case dates

  /// Problems drawn at random, of which none comes twice: sums of numbers below `limit`, or dates in any of the ways in
  /// which they are written. Where there are fewer than `count` different ones, all of them come.
  public func drawn(_ count: Int, below limit: Int = 1000, seed: UInt64) -> ParallelText {
    var random = RandomGenerator(seed: seed)
    var seen: Set<String> = []
    var (source, target): ([[String]], [[String]]) = ([], [])
    func add(_ problem: String, _ answer: String) {
      guard seen.insert(problem).inserted else { return }
      source.append(problem.map(String.init))
      target.append(answer.map(String.init))
    }
    switch self {
    case .addition:
      let pairs = limit * limit
      if pairs <= 4 * count {
        // Most of all: drawn as a prefix of all in an order of its own.
        for place in random.permutation(of: pairs).prefix(count) {
          let (a, b) = place.quotientAndRemainder(dividingBy: limit)
          add("\(a)+\(b)", "\(a + b)")
        }
      } else {
        while source.count < count {
          // Short numbers as often as long ones, as far as there are any.
          let (a, b) = (Self.number(below: limit, &random), Self.number(below: limit, &random))
          add("\(a)+\(b)", "\(a + b)")
        }
      }
    case .dates:
      while source.count < count {
        let date = CalendarDate(using: &random)
        add(date.written(using: &random), date.description)
      }
    }
    return ParallelText(source: source, target: target)
  }

  private static func number(below limit: Int, _ random: inout RandomGenerator) -> Int {
    let digits = 1 + random.place(below: String(limit - 1).count)
    let power = (0..<digits).reduce(1) { power, _ in power * 10 }
    return random.place(below: Swift.min(limit, power))
  }

  /// Problems and answers of one file, plain or gzip, one a line with `_` before the answer, as *Deep Learning from Scratch
  /// 2* has them. Throws one line where a line is none.
  public static func read(_ path: String) throws -> ParallelText {
    let reader = try LineReader(path: path)
    var (source, target): ([[String]], [[String]]) = ([], [])
    while let line = try reader.next() {
      let parts = line.split(separator: "_", omittingEmptySubsequences: false).map { part in
        part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed().map(String.init)
      }
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else {
        throw KasaneError(
          "\(reader.name): line \(reader.lineNumber): a problem, _ and its answer expected, one of each")
      }
      source.append(parts[0])
      target.append(parts[1])
    }
    guard !source.isEmpty else { throw KasaneError("\(reader.name): no problem, one a line expected") }
    return ParallelText(source: source, target: target)
  }
}

/// A day of the Gregorian calendar from 1900 to 2099.
private struct CalendarDate: CustomStringConvertible {
  let year: Int, month: Int, day: Int

  init(using random: inout RandomGenerator) {
    year = 1900 + random.place(below: 200)
    month = 1 + random.place(below: 12)
    let isLeap = year % 4 == 0 && year != 1900
    let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    day = 1 + random.place(below: days)
  }

  /// As the standard ISO 8601 has it.
  var description: String { "\(year)-\(Self.twoDigits(month))-\(Self.twoDigits(day))" }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
  ]
  private static let weekdays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  /// Zeller's congruence (1887), counted from Sunday.
  private var weekday: Int {
    let (m, y) = month < 3 ? (month + 12, year - 1) : (month, year)
    return ((day + 13 * (m + 1) / 5 + y + y / 4 - y / 100 + y / 400) % 7 + 6) % 7
  }

  /// In one of the ways in which people write it.
  func written(using random: inout RandomGenerator) -> String {
    let name = Self.months[month - 1]
    let short = String(name.prefix(3))
    let numeric = "\(month)/\(day)/\(Self.twoDigits(year % 100))"
    // Two digits of a year stand for one from 1970 to 2069, as POSIX has it for what lies near.
    let isNear = (1970..<2070).contains(year)
    let forms = [
      "\(name) \(day), \(year)", "\(short) \(day), \(year)", "\(day) \(name) \(year)",
      "\(Self.weekdays[weekday]), \(name) \(day), \(year)", "\(year)/\(month)/\(day)",
    ]
    let choice = random.place(below: forms.count + (isNear ? 1 : 0))
    let text = choice < forms.count ? forms[choice] : numeric
    switch random.place(below: 3) {
    case 0: return text
    case 1: return text.lowercased()
    default: return text.uppercased()
    }
  }
}

extension RandomGenerator {
  /// One of the whole numbers below a bound.
  fileprivate mutating func place(below bound: Int) -> Int { Int(uniform() * Double(bound)) }
}
