// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneData
import Testing

/// Problems that networks are first tried on.
@Suite struct SequenceProblemTests {
  let files: TemporaryFiles

  init() throws { files = try TemporaryFiles() }

  @Test func sumsAreRightAndDifferent() throws {
    for (count, limit) in [(500, 1000), (8000, 100), (20_000, 100)] {
      let text = SequenceProblems.addition.drawn(count, below: limit, seed: 3)
      #expect(text.count == min(count, limit * limit))
      #expect(Set(text.source.map { $0.joined() }).count == text.count)
      for (source, target) in zip(text.source, text.target) {
        let numbers = source.joined().split(separator: "+").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers.allSatisfy { $0 < limit })
        #expect(String(numbers.reduce(0, +)) == target.joined())
      }
    }
    let again = SequenceProblems.addition.drawn(500, below: 1000, seed: 3)
    #expect(again.source == SequenceProblems.addition.drawn(500, below: 1000, seed: 3).source)
    #expect(again.source != SequenceProblems.addition.drawn(500, below: 1000, seed: 4).source)
  }

  /// Dates agree with the calendar, their weekdays included.
  @Test func datesAreRight() throws {
    let text = SequenceProblems.dates.drawn(3000, seed: 5)
    #expect(Set(text.source.map { $0.joined() }).count == 3000)
    let calendar = Calendar(identifier: .gregorian)
    var weekdays = 0
    let names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    for (source, target) in zip(text.source, text.target) {
      let (written, date) = (
        source.joined().lowercased(), target.joined().split(separator: "-").map { Int($0)! }
      )
      let components = DateComponents(
        calendar: calendar, timeZone: TimeZone(identifier: "UTC"), year: date[0], month: date[1], day: date[2]
      )
      #expect(components.isValidDate(in: calendar) && target.count == 10)
      #expect(written.contains(String(date[2])) && written.contains(String(date[0]).suffix(2)))
      guard let day = names.firstIndex(where: written.hasPrefix) else { continue }
      weekdays += 1
      var utc = calendar
      utc.timeZone = TimeZone(identifier: "UTC")!
      #expect(utc.component(.weekday, from: components.date!) == day + 1, "\(written)")
    }
    #expect(weekdays > 300)
  }

  @Test func filesAreRead() throws {
    let path = try files.write(Array("16+75  _91  \n1+2    _3   \n".utf8), to: "sums.txt")
    let text = try SequenceProblems.read(path)
    #expect(text.source.map { $0.joined() } == ["16+75", "1+2"])
    #expect(text.target.map { $0.joined() } == ["91", "3"])
    for (content, part) in [("1+2 3\n", "line 1"), ("1+1_2\n_\n", "line 2"), ("", "no problem")] {
      let path = try files.write(Array(content.utf8), to: "bad.txt")
      #expect { try SequenceProblems.read(path) } throws: { "\($0)".contains(part) && "\($0)".contains(path) }
    }
    #expect(throws: KasaneError.self) { try SequenceProblems.read("none.txt") }
  }
}
