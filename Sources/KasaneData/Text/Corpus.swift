// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A body of text: a file, the text files of a folder and the folders in it, or a sample that is part of the program.
public struct Corpus: Sendable {
  fileprivate enum Source: Sendable {
    case file(String)
    case sample(String)
  }

  /// What messages call it.
  public let name: String
  fileprivate let sources: [Source]

  /// The endings of the files that are read in a folder; a file that is named itself may have any.
  public static let endings = [".txt", ".txt.gz"]

  /// The text at a path. Throws one line where there is none.
  public init(at path: String) throws {
    name = path
    guard Files.exists(path) else {
      throw KasaneError("\(path): no such file or folder of text\(DataFolder.hint(for: path))")
    }
    guard Files.isFolder(path) else {
      sources = [.file(path)]
      return
    }
    var seen: Set<String> = []
    sources = Self.files(in: path, seen: &seen).map { .file($0) }
    guard !sources.isEmpty else {
      throw KasaneError(
        "\(path): no text in the folder: files that end in .txt or .txt.gz expected\(DataFolder.hint(for: path))"
      )
    }
  }

  init(sample: String) {
    name = "sample"
    sources = [.sample(sample)]
  }

  /// The text files of a folder and those in it, in the order of their names. A folder that was `seen`, to which a link
  /// leads back, is not read again.
  private static func files(in folder: String, seen: inout Set<String>) -> [String] {
    guard seen.insert(Files.resolved(folder)).inserted else { return [] }
    var found: [String] = []
    for name in Files.names(in: folder) where !name.hasPrefix(".") {
      let path = "\(folder)/\(name)"
      if Files.isFolder(path) {
        found += files(in: path, seen: &seen)
      } else if endings.contains(where: { name.hasSuffix($0) }) {
        found.append(path)
      }
    }
    return found
  }

  /// Calls `body` with each line, file after file. Throws one line that names file and line where there is no text.
  public func forEachLine(_ body: (String) throws -> Void) throws {
    let lines = CorpusLines(self)
    while let line = try lines.next() { try body(line) }
  }

  // MARK: What is learned from and what it is judged by

  /// The name by which the samples stand for a file or a folder.
  public static let sample = "sample"

  /// The text to learn from at a path, and the text to judge by where that is apart: a folder may have both, in files
  /// named `train` and `valid`. A path that is not there but names a data set is that data set's folder.
  public static func parts(
    at path: String, sample kind: TextSample
  ) throws -> (training: Corpus, validation: Corpus?) {
    if path == sample {
      let validation = kind.validation.map { Corpus(sample: $0) }
      return (Corpus(sample: kind.training), validation)
    }
    let folder = DataFolder.isDataSet(path) ? DataFolder.folder(of: path) : path
    for ending in endings where Files.exists("\(folder)/train\(ending)") {
      guard let valid = endings.first(where: { Files.exists("\(folder)/valid\($0)") }) else { continue }
      return (try Corpus(at: "\(folder)/train\(ending)"), try Corpus(at: "\(folder)/valid\(valid)"))
    }
    return (try Corpus(at: folder), nil)
  }
}

/// The lines of a body of text one after another, file after file.
final class CorpusLines {
  private var sources: ArraySlice<Corpus.Source>
  private var reader: LineReader?

  init(_ corpus: Corpus) { sources = corpus.sources[...] }

  /// The next line, or nil after the last. Throws one line that names file and line where there is no text.
  func next() throws -> String? {
    while true {
      if let line = try reader?.next() { return line }
      guard let source = sources.popFirst() else { return nil }
      reader =
        switch source {
        case .file(let path): try LineReader(path: path)
        case .sample(let sample): try LineReader(sample: sample)
        }
    }
  }
}

/// A small body of text that is part of the program.
public enum TextSample: Sendable {
  /// The beginning of a novel.
  case novel
  /// First names, one a line.
  case names
  /// What two speakers of plays say to each other, a dialogue a line.
  case dialogues

  var training: String {
    switch self {
    case .novel: "text/novel-train.txt.gz"
    case .names: "text/names.txt.gz"
    case .dialogues: "text/dialogues-train.txt.gz"
    }
  }
  var validation: String? {
    switch self {
    case .novel: "text/novel-valid.txt.gz"
    case .names: nil
    case .dialogues: "text/dialogues-valid.txt.gz"
    }
  }
}
