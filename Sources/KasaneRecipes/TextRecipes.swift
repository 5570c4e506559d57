// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData
public import KasaneModels

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension RecurrentKind: ExpressibleByArgument {}

/// The place of a text: a path that holds wherever the program is called, the name of a data set, or the sample.
func textLocation(_ flag: String) -> @Sendable (String) throws -> String {
  { argument in
    guard !argument.isEmpty else {
      throw ValidationError("\(flag): empty, a file's or a folder's path expected")
    }
    if argument == Corpus.sample || argument.hasPrefix("/") { return argument }
    // A name of one word that is no file here may be that of a data set.
    let isName =
      !Files.exists(argument) && !argument.contains("/") && Files.exists(DataFolder.folder(of: argument))
    return isName ? argument : FileManager.default.currentDirectoryPath + "/" + argument
  }
}

/// A text to learn from and one to judge by, by the numbers of one vocabulary.
struct TextData {
  let training: [Int32]
  let validation: [Int32]
  let fingerprint: String

  /// Reads the text at a place, the last tenth of which is kept to judge by where nothing else is there for that, and
  /// each part of which must have more than `least` tokens. `vocabulary` makes a vocabulary from the counts of the part
  /// to learn from.
  static func read(
    _ place: String, sample: TextSample, by tokenizer: some Tokenizer, lineEnd: String? = nil, least: Int,
    vocabulary: (_ counts: [String: Int], _ source: String) throws -> Vocabulary
  ) throws -> (data: TextData, vocabulary: Vocabulary) {
    let (training, validation) = try Corpus.parts(at: place, sample: sample)
    let text = try TokenizedText(training, by: tokenizer, lineEnd: lineEnd)
    func tooShort(_ corpus: Corpus, _ count: Int, _ least: Int) -> KasaneError {
      KasaneError("\(corpus.name): too short to learn from: \(count) words, at least \(least) expected")
    }
    let count = text.numbers.count
    if let validation {
      guard count > least else { throw tooShort(training, count, least + 1) }
      let judged = try TokenizedText(validation, by: tokenizer, lineEnd: lineEnd)
      guard judged.numbers.count > least else { throw tooShort(validation, judged.numbers.count, least + 1) }
      let vocabulary = try vocabulary(text.counts(), training.name)
      let data = TextData(
        training: text.encoded(by: vocabulary), validation: judged.encoded(by: vocabulary),
        fingerprint: "\(text.fingerprint), \(judged.fingerprint)")
      return (data, vocabulary)
    }
    let kept = max(count / 10, least + 1)
    guard count - kept > least else { throw tooShort(training, count, 2 * least + 2) }
    let vocabulary = try vocabulary(text.counts(in: 0..<count - kept), training.name)
    let tokens = text.encoded(by: vocabulary)
    let data = TextData(
      training: Array(tokens.dropLast(kept)), validation: Array(tokens.suffix(kept)),
      fingerprint: text.fingerprint)
    return (data, vocabulary)
  }
}

/// Where a run keeps its vocabulary.
func vocabularyPath(in run: RunFolder) -> String { run.file("vocabulary.json") }

/// e to the power of a mean loss: among how many equally likely tokens the model would have to choose.
func perplexity(of loss: Double) -> Double { exp(loss) }

/// A mean loss in bits.
func bits(of loss: Double) -> Double { loss / log(2.0) }
