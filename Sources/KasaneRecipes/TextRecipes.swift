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
  // A name of one word that is no file here may be that of a data set.
  dataLocation(flag, "a file's or a folder's path", sample: Corpus.sample) { DataFolder.isDataSet($0) }
}

/// A text as its tokens, and which of them are learned from and which it is judged by.
struct TextParts {
  /// What messages call the text.
  let name: String
  /// The text that has the part to learn from.
  let training: TokenizedText
  let trainingRange: Range<Int>
  /// The text that has the part to judge by, which may be the same.
  let validation: TokenizedText
  let validationRange: Range<Int>
  /// What tells the text from others.
  let fingerprint: String

  /// Reads the text at a place, the last tenth of which is kept to judge by where nothing else is there for that, and
  /// each part of which must have more than `least` tokens; messages call those `unit`.
  init(
    _ place: String, by tokenizer: some Tokenizer, lineEnd: String? = nil, least: Int, unit: String = "words"
  ) throws {
    let (corpus, judged) = try Corpus.parts(at: place, sample: .novel)
    name = corpus.name
    training = try TokenizedText(corpus, by: tokenizer, lineEnd: lineEnd)
    func tooShort(_ corpus: Corpus, _ count: Int, _ least: Int) -> KasaneError {
      KasaneError("\(corpus.name): too short to learn from: \(count) \(unit), at least \(least) expected")
    }
    let count = training.numbers.count
    if let judged {
      guard count > least else { throw tooShort(corpus, count, least + 1) }
      validation = try TokenizedText(judged, by: tokenizer, lineEnd: lineEnd)
      guard validation.numbers.count > least else {
        throw tooShort(judged, validation.numbers.count, least + 1)
      }
      (trainingRange, validationRange) = (0..<count, 0..<validation.numbers.count)
      fingerprint = "\(training.fingerprint), \(validation.fingerprint)"
    } else {
      let kept = max(count / 10, least + 1)
      guard count - kept > least else { throw tooShort(corpus, count, 2 * least + 2) }
      validation = training
      (trainingRange, validationRange) = (0..<count - kept, count - kept..<count)
      fingerprint = training.fingerprint
    }
  }
}

/// A text to learn from and one to judge by, by the numbers of one vocabulary.
struct TextData {
  let training: [Int32]
  let validation: [Int32]
  let fingerprint: String

  /// Reads the text at a place; see `TextParts`. The vocabulary is the one that is known, or made from the part to learn
  /// from, without what is seen less than `minimumCount` times; `tooRare` says why that may be all.
  static func read(
    _ place: String, by tokenizer: some Tokenizer, lineEnd: String? = nil, least: Int,
    unit: String = "words", known: Vocabulary?, unknown: String, minimumCount: Int,
    tooRare: @autoclosure () -> String
  ) throws -> (data: TextData, vocabulary: Vocabulary) {
    let parts = try TextParts(place, by: tokenizer, lineEnd: lineEnd, least: least, unit: unit)
    let vocabulary =
      known
      ?? Vocabulary(
        counts: parts.training.counts(in: parts.trainingRange), special: lineEnd.map { [$0] } ?? [],
        unknown: unknown, minimumCount: minimumCount)
    guard vocabulary.count > vocabulary.specialCount else {
      throw KasaneError("\(parts.name): all words are unknown: \(tooRare())")
    }
    let data = TextData(
      training: parts.training.encoded(by: vocabulary, in: parts.trainingRange),
      validation: parts.validation.encoded(by: vocabulary, in: parts.validationRange),
      fingerprint: parts.fingerprint)
    return (data, vocabulary)
  }
}

extension TextRecipe {
  /// The tokens of a text to judge by, or, without one, those that the run was judged by. Throws one line where they are
  /// too few or none is known.
  func tokens(
    of place: String?, by tokenizer: some Tokenizer, lineEnd: String? = nil, unit: String,
    moreThan least: Int,
    own: () throws -> [Int32]
  ) throws -> [Int32] {
    let tokens: [Int32]
    if let place {
      let corpus = try Corpus.parts(at: place, sample: .novel)
      tokens = try TokenizedText(corpus.validation ?? corpus.training, by: tokenizer, lineEnd: lineEnd)
        .encoded(by: vocabulary!)
    } else {
      tokens = try own()
    }
    let name = place ?? options.place
    guard tokens.count > least else {
      throw KasaneError(
        "\(name): too short to judge by: \(tokens.count) \(unit), more than \(least) expected")
    }
    guard tokens.contains(where: { Int($0) >= vocabulary!.specialCount }) else {
      throw KasaneError("\(name): none of its \(unit) is known to the run")
    }
    return tokens
  }

  /// How many in a hundred tokens are unknown.
  func unknownShare(of tokens: [Int32]) -> String {
    let unknown = tokens.count { Int($0) == vocabulary!.unknown }
    return fixed(100 * Double(unknown) / Double(tokens.count), 2)
  }
}

/// Where a run keeps its vocabulary.
func vocabularyPath(in run: RunFolder) -> String { run.file("vocabulary.json") }

/// e to the power of a mean loss: among how many equally likely tokens the model would have to choose.
func perplexity(of loss: Double) -> Double { exp(loss) }

/// A mean loss in bits.
func bits(of loss: Double) -> Double { loss / log(2.0) }
