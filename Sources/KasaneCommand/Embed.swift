// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData
import KasaneRecipes

/// `kasane embed RUN [FILE]`
struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write what sentences mean to a run's network as vectors, or find the nearest sentences.",
    discussion: """
      The sentences are the lines of FILE, which may be compressed by gzip, or of standard input; empty ones are left \
      out. For runs of \(encoders.joined(separator: ", ")).
      """)

  @Argument(help: ArgumentHelp("The run's folder.", valueName: "run"), completion: .directory)
  var folder: String
  @Argument(help: ArgumentHelp("A sentence a line.", valueName: "file"), completion: .file())
  var sentences: String?
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "Where the vectors go: .npy, .safetensors (as vectors), or else text, a sentence's numbers a line (default: text "
        + "on standard output).",
      valueName: "file"), completion: .file())
  var file: String?
  @Option(help: ArgumentHelp("Print the sentences nearest to this one instead.", valueName: "sentence"))
  var nearest: String?
  @Option(help: "Nearest sentences to print (1 or more).")
  var count = 5

  private static var encoders: [String] {
    allRecipes.filter { $0 is any SentenceEncoder.Type }.map { $0.name }
  }

  func validate() throws {
    try require("--count", count, in: 1...Int.max)
    guard nearest == nil || file == nil else {
      throw ValidationError("--nearest: prints sentences; --output, which writes vectors, goes without it")
    }
  }

  func run() throws {
    let run = try RunFolder.open(folder)
    let name = run.configuration.recipe
    guard let type = try recipe(named: name, from: run.file("config.json")) as? any SentenceEncoder.Type
    else {
      throw KasaneError(
        "\(folder): a run of the recipe \(name), which has no vectors of sentences; one of "
          + "\(Self.encoders.joined(separator: ", ")) expected")
    }
    try embed(type, run)
  }

  private func embed<R: SentenceEncoder>(_ type: R.Type, _ run: RunFolder) throws {
    let subject = try trained(type, in: run)
    let lines = try readSentences()
    let vectors = try subject.vectors(of: lines)
    if let nearest {
      let wanted = try located("--nearest") { try subject.vectors(of: [nearest]) }
      let similarities = cosineSimilarity(vectors, wanted).elements(as: Float.self)
      let order = similarities.indices.sorted { (-similarities[$0], $0) < (-similarities[$1], $1) }
      for place in order.prefix(count) {
        try output("\(fixed(Double(similarities[place]), 4))  \(lines[place])")
      }
      return
    }
    guard let file else {
      try vectors.textLines.forEach(output)
      return
    }
    try vectors.write(to: file)
    try output(
      "\(lines.count) vectors of \(vectors.shape[1]) numbers are written to \(file)")
  }

  /// The sentences. Throws one line where there is none.
  private func readSentences() throws -> [String] {
    var lines: [String] = []
    if let sentences {
      let reader = try LineReader(path: sentences)
      while let line = try reader.next() { lines.append(line) }
    } else {
      while let line = readLine() { lines.append(line) }
    }
    lines.removeAll { $0.allSatisfy(\.isWhitespace) }
    guard !lines.isEmpty else {
      throw KasaneError("\(sentences ?? "standard input"): no sentences, one a line expected")
    }
    return lines
  }

  /// Errors of a body with the name of what they come from before them.
  private func located<Result>(_ name: String, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as KasaneError {
      throw KasaneError("\(name): \(error)")
    }
  }
}

extension Tensor {
  /// The rows of a matrix as text.
  fileprivate var textLines: [String] {
    let (values, size) = (elements(as: Float.self), shape[1])
    return (0..<shape[0]).map { row in
      values[row * size..<(row + 1) * size].map { "\($0)" }.joined(separator: " ")
    }
  }

  /// Writes a matrix in the form that the file's name ends with.
  fileprivate func write(to path: String) throws {
    if path.hasSuffix(".safetensors") {
      try Safetensors(["vectors": self], metadata: [:]).write(to: path, checksummed: false)
    } else if path.hasSuffix(".npy") {
      try Files.write([npyHeader, bytes], to: path)
    } else {
      try Files.write([Array((textLines.joined(separator: "\n") + "\n").utf8)], to: path)
    }
  }

  private var bytes: [UInt8] { elements(as: Float.self).withUnsafeBytes { Array($0) } }

  /// What stands before a float32 matrix's numbers in NumPy's format, version 1.0.
  private var npyHeader: [UInt8] {
    var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(shape[0]), \(shape[1])), }"
    // Magic, version and length take ten bytes; the numbers begin at a multiple of 64.
    text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
    let length = text.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(text.utf8)
  }
}
