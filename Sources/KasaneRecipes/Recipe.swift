// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
public import Kasane

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// A system with all that belongs to it: data, model, training, evaluation, prediction. The command line offers
/// whatever `allRecipes` lists.
public protocol Recipe: Trainable {
  /// The options of a run, which are also its saved configuration.
  associatedtype Options: RecipeOptions
  /// The options of an evaluation.
  associatedtype EvaluationOptions: ParsableArguments
  /// The options of a prediction; none unless said otherwise.
  associatedtype PredictionOptions: ParsableArguments = NoOptions

  /// The name on the command line.
  static var name: String { get }
  /// What it is, in one line.
  static var summary: String { get }
  /// What `predict` takes after the run, for help texts.
  static var predictionUsage: String { get }

  /// The system in its initial state. It reads no data, so that a trained system is of use without them.
  init(_ options: Options, seed: UInt64) throws
  /// Reads what the training learns from; called once before it begins or goes on. Throws where that is not there or not
  /// as it must be.
  func prepare() throws
  /// Writes what a trained run needs beside its weights, such as a vocabulary, into its folder; called once, before the
  /// run begins and after `prepare`.
  func keepFiles(in run: RunFolder) throws
  /// Reads that back; called before weights are loaded into a system that has just been made. Throws one line that names
  /// the file where it is missing or not as it must be.
  func recallFiles(from run: RunFolder) throws

  /// What is worth saying when a run begins.
  func openingLines() -> [String]
  /// What is worth saying when a run is over; `command` is how the command line was called, `best` the best judgement of
  /// all, those before the run was stopped included.
  func closingLines(run: String, command: String, best: Double?) -> [String]
  /// The trained system's quality, in lines.
  func evaluate(_ options: EvaluationOptions) throws -> [String]
  /// The trained system's answer to the words after `predict RUN`, in lines.
  func predict(_ words: [String]) throws -> [String]
  /// The same with the options that stood among the words.
  func predict(_ words: [String], with options: PredictionOptions) throws -> [String]
  /// What the trained system has to show in its run's report, in this order: figures, tables, texts. Their words are of
  /// the language; what is drawn at random comes from the run's seed, so that a report is the same each time. Throws where
  /// the data that it takes are not there.
  func exhibits(in language: Language) throws -> [Exhibit]
  /// Whether `predict RUN` without words answers standard input, line by line.
  static var predictsLines: Bool { get }
}

/// No options at all: whatever looks like one is a word.
public struct NoOptions: ParsableArguments {
  /// Nothing.
  public init() {}
}

extension Recipe where PredictionOptions == NoOptions {
  /// The answer to the words alone.
  public func predict(_ words: [String], with options: NoOptions) throws -> [String] { try predict(words) }
}

extension Recipe {
  /// Nothing has to be read.
  public func prepare() throws {}
  /// Nothing.
  public func openingLines() -> [String] { [] }
  /// Nothing is kept.
  public func keepFiles(in run: RunFolder) throws {}
  /// Nothing was kept.
  public func recallFiles(from run: RunFolder) throws {}
  /// Nothing beside its curves.
  public func exhibits(in language: Language) throws -> [Exhibit] { [] }
  /// False.
  public static var predictsLines: Bool { false }
}

extension Recipe {
  /// The recipe as a run's configuration says, with what the run keeps beside its weights, in its initial state.
  public static func initial(for run: RunFolder) throws -> Self {
    let options = try Options(values: run.configuration.options, from: run.file("config.json"))
    let subject = try Self(options, seed: run.configuration.seed)
    try subject.recallFiles(from: run)
    return subject
  }

  /// The recipe with the weights of a run that must be one of it and finished.
  static func trained(in path: String) throws -> Self {
    let run = try RunFolder.open(path)
    guard run.configuration.recipe == name else {
      throw KasaneError("\(path): a run of the recipe \(run.configuration.recipe), one of \(name) expected")
    }
    guard run.isFinished else { throw KasaneError("\(path): the run is not finished") }
    let subject = try initial(for: run)
    try subject.model.load(try Safetensors(contentsOf: run.modelPath).tensors, from: run.modelPath)
    return subject
  }
}

/// Options that can be written to a run's configuration and read back from it.
///
/// An option is declared with its help text, which serves as its docstring.
public protocol RecipeOptions: ParsableArguments, Encodable {
  /// The preset that the defaults are those of, or nil for a recipe without presets. A recipe with presets declares
  /// `@Option var preset: Preset?`, and options with a default `ByPreset`.
  var chosenPreset: Preset? { get }
}

/// The command line's property wrappers are written as their values.
extension Option: @retroactive Encodable where Value: Encodable {
  /// Writes the value alone.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension Flag: @retroactive Encodable where Value: Encodable {
  /// Writes the value alone.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

extension OptionGroup: @retroactive Encodable where Value: Encodable {
  /// Writes the group's options.
  public func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}

/// What an encoder made of a property of options.
private enum WrittenOption: Decodable {
  case value(OptionValue)
  case group([String: WrittenOption?])

  init(from decoder: any Decoder) throws {
    if let group = try? [String: WrittenOption?](from: decoder) {
      self = .group(group)
    } else {
      self = .value(try OptionValue(from: decoder))
    }
  }

  /// The values by name; on the command line a group's options stand beside the others.
  static func values(of written: [String: WrittenOption?]) -> [String: OptionValue] {
    var values: [String: OptionValue] = [:]
    for case (let name, let option?) in written {
      switch option {
      case .value(let value): values[name] = value
      case .group(let group): values.merge(Self.values(of: group)) { $1 }
      }
    }
    return values
  }
}

extension RecipeOptions {
  /// Nil: a recipe without presets.
  public var chosenPreset: Preset? { nil }

  /// The value of an option whose default hangs on the preset.
  public subscript<Value>(_ option: KeyPath<Self, ByPreset<Value>>) -> Value {
    self[keyPath: option].value(in: chosenPreset ?? .full)
  }

  /// The options by name, those left out that have neither a value nor a default.
  public func values() throws -> [String: OptionValue] {
    let encoder = JSONEncoder()
    encoder.userInfo[.preset] = chosenPreset
    let written = try encoder.encode(self)
    var values = WrittenOption.values(
      of: try JSONDecoder().decode([String: WrittenOption?].self, from: written))
    if let chosenPreset { values["preset"] = .text(chosenPreset.rawValue) }
    return values
  }

  /// The options with saved values, checked as on the command line. `source` names the file in errors.
  public init(values: [String: OptionValue], from source: String) throws {
    var words: [String] = []
    guard values["help"] == nil, values["version"] == nil else {
      throw KasaneError("\(source): options: help and version are none")
    }
    let standard = (try? Self.parse([]).values()) ?? [:]
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      let flag = "--" + Self.dashed(name)
      switch value {
      case .flag(true): words.append(flag)
      // What is on unless told otherwise is turned off by name.
      case .flag(false): if standard[name] == .flag(true) { words.append("--no-" + Self.dashed(name)) }
      default: words.append("\(flag)=\(value)")
      }
    }
    do {
      self = try Self.parse(words)
    } catch {
      let lines = Self.message(for: error).split(separator: "\n")
      throw KasaneError("\(source): options: \(lines.first ?? "not those of the recipe")")
    }
    let missing = Set(try self.values().keys).subtracting(values.keys).sorted()
    guard missing.isEmpty else {
      throw KasaneError("\(source): options: \(missing.joined(separator: ", ")) missing")
    }
  }

  private static func dashed(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "-" + $1.lowercased() : String($1) }
  }
}

/// Every recipe there is.
public var allRecipes: [any Recipe.Type] {
  [
    BinaryAddition.self, Digits.self, NextWord.self, Names.self, LanguageModel.self, Tagging.self,
    SentimentTree.self, GradientFlow.self, WordEmbedding.self, Autoencoding.self,
    VariationalAutoencoding.self,
    SequenceToSequence.self, AttentiveTranslation.self, HierarchicalDialogue.self, VariationalDialogue.self,
  ]
}

/// Throws, as a wrong use of the command line, where a flag's number is not in a half-open range.
package func require(_ flag: String, _ value: Double, in range: Range<Double>) throws {
  guard !range.contains(value) else { return }
  throw ValidationError(
    "\(flag): \(value) is out of range, \(range.lowerBound) or more and below \(range.upperBound) expected")
}

/// Throws, as a wrong use of the command line, where a step size is none.
package func requireLearningRate(_ flag: String, _ value: Double) throws {
  guard value > 0, Float(value).isFinite else {
    throw ValidationError("\(flag): \(value) is out of range, a number above 0 and below 3e38 expected")
  }
}

/// Throws, as a wrong use of the command line, where a flag's number is not above 0.
func requirePositive(_ flag: String, _ value: Double) throws {
  guard value > 0, value.isFinite else {
    throw ValidationError("\(flag): \(value) is out of range, a number above 0 expected")
  }
}

/// Throws, as a wrong use of the command line, where a flag's number is below 0.
func requireNotNegative(_ flag: String, _ value: Double) throws {
  guard value >= 0, value.isFinite else {
    throw ValidationError("\(flag): \(value) is out of range, 0 or more expected")
  }
}

/// Throws, as a wrong use of the command line, where a flag's number is outside its range.
package func require(_ flag: String, _ value: Int, in range: ClosedRange<Int>) throws {
  if let problem = rangeProblem(flag, value, in: range) { throw ValidationError(problem) }
}
