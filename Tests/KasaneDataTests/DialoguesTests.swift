// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneData
import Testing

/// Dialogues in either form, and texts that are none.
@Suite struct DialoguesTests {
  private func read(
    _ text: String, longest: Int = 9, overlong: Dialogues.Overlong = .truncate
  ) throws -> Dialogues {
    let path = NSTemporaryDirectory() + "/dialogues-\(UUID().uuidString).txt"
    try Files.write([Array(text.utf8)], to: path)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try Dialogues(Corpus(at: path), longest: longest, overlong: overlong)
  }

  private func words(_ dialogues: Dialogues, turns: Int = 9) -> [[[String]]] {
    let vocabulary = Vocabulary(counts: dialogues.counts(), special: ["<unk>"], unknown: "<unk>")
    return dialogues.encoded(by: vocabulary, longest: turns).map { $0.map { vocabulary.decode($0) } }
  }

  @Test func bothFormsAreTheSame() throws {
    let lines = try read(
      "films\tIt\u{2019}s  on. __eou__ Is it? __eou__\nalone __eou__\nmusic\tA __eou__ __eou__ b\n")
    let turns = try read("It's on.\nIs it?\n\nalone\n \n\nA\nb")
    let expected = [[["it's", "on", "."], ["is", "it", "?"]], [["a"], ["b"]]]
    #expect(words(lines) == expected && words(turns) == expected)
    #expect(lines.fingerprint == turns.fingerprint && lines.turnCounts == [2, 2] && lines.tokenCount == 8)
    #expect(lines.singleTurns == 1)
  }

  @Test func longTurnsAndDialoguesAreCut() throws {
    let found = try read("a b c d __eou__ e __eou__ f __eou__ g\n", longest: 2)
    #expect(found.cutTurns == 1)
    #expect(words(found, turns: 3) == [[["a", "b"], ["e"], ["f"]], [["f"], ["g"]]])
    #expect(words(found, turns: 2).count == 3)
    #expect { try read("a __eou__ b c d\n", longest: 2, overlong: .refuse) } throws: {
      "\($0)".hasSuffix("line 1: a turn of 3 words, at most 2 expected")
    }
  }

  @Test(arguments: [
    ("a __eou__ b\nc\n", "line 2: no __eou__"), ("a\nb __eou__ c\n", "line 2: turns split by __eou__"),
    ("", "no dialogue"), ("a\n\nb\n", "no dialogue"), ("__eou__ __eou__\n", "no dialogue"),
  ]) func textsThatAreNone(_ text: String, _ part: String) throws {
    #expect { try read(text) } throws: { "\($0)".contains(": \(part)") }
  }

  @Test func theLastTenthIsJudgedBy() throws {
    let (training, validation) = try read(String(repeating: "a __eou__ b\n", count: 25)).split()
    #expect(training.count == 23 && validation.count == 2 && validation.turnCounts == [2, 2])
  }
}
