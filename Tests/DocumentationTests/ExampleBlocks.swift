// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The documents' Swift blocks are compiled and run: each stands, but for comments, in one of this target's files between
/// `// example` and `// end`, in a test that checks what the text says of it, or is a piece of the library or of its tests.
@Suite struct ExampleBlocks {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private struct Block {
    let place: String
    let lines: [String]
  }

  private static func files(in folder: String, ending: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: root.appending(path: folder), includingPropertiesForKeys: nil
    ).filter { $0.lastPathComponent.hasSuffix(ending) }
  }

  /// The code alone: no comments, imports and empty lines, and none of the indentation that all lines share.
  private static func code(_ lines: [String]) -> [String] {
    let filled = lines.map { line in
      let code = line.range(of: "//").map { line[..<$0.lowerBound] } ?? line[...]
      return String(code.reversed().drop { $0 == " " }.reversed())
    }.filter { !$0.isEmpty && !$0.hasPrefix("import ") }
    let margin = filled.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return filled.map { String($0.dropFirst(margin)) }
  }

  /// In the sources a piece may stand at any depth.
  private static func unindented(_ lines: [String]) -> [String] {
    lines.map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static func blocks(in file: URL, from isStart: (String) -> Bool, to end: String) throws -> [Block] {
    var found: [Block] = []
    var open: (line: Int, lines: [String])?
    for (number, line) in try String(contentsOf: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let text = line.trimmingCharacters(in: .whitespaces)
      if let block = open {
        if text == end {
          found.append(
            Block(place: "\(file.lastPathComponent):\(block.line)", lines: code(block.lines)))
          open = nil
        } else {
          open!.lines.append(String(line))
        }
      } else if isStart(text) {
        open = (number + 1, [])
      }
    }
    return found
  }

  private static func sources(_ folder: String) throws -> [[String]] {
    let paths = FileManager.default.enumerator(
      at: root.appending(path: folder), includingPropertiesForKeys: nil)
    return try (paths?.allObjects ?? []).compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
      .map { unindented(code(try String(contentsOf: $0, encoding: .utf8).components(separatedBy: "\n"))) }
  }

  @Test func everyBlockIsRun() throws {
    let documents =
      try Self.files(in: "Documentation/Kasane.docc", ending: ".md") + Self.files(in: ".", ending: ".md")
    // A manifest is no program; its block is fenced as "swift manifest".
    let shown = try documents.flatMap { try Self.blocks(in: $0, from: { $0 == "```swift" }, to: "```") }
    let run = try Self.files(in: "Tests/DocumentationTests", ending: ".swift")
      .flatMap { try Self.blocks(in: $0, from: { $0 == "// example" }, to: "// end") }
    let sources = try Self.sources("Sources/Kasane") + Self.sources("Tests/KasaneTests")
    #expect(!shown.isEmpty)
    for block in shown {
      let isRun =
        run.contains { $0.lines == block.lines }
        || sources.contains { $0.contains(Self.unindented(block.lines)) }
      #expect(isRun, "\(block.place) stands in no test and not in the sources")
    }
    for block in run {
      #expect(shown.contains { $0.lines == block.lines }, "\(block.place) stands in no document")
    }
  }

  /// A command's option says what it is in its help text, which stands before it.
  @Test func everyPublicDeclarationIsDocumented() throws {
    let declaration =
      /^ *(public|open) (final |static |mutating |class |prefix )*(func|var|let|init|subscript|struct|enum|class|protocol|typealias)\b/
    let paths = FileManager.default.enumerator(
      at: Self.root.appending(path: "Sources"), includingPropertiesForKeys: nil)
    let files = (paths?.allObjects ?? []).compactMap { $0 as? URL }
      .filter { $0.pathExtension == "swift" && !$0.lastPathComponent.hasSuffix(".pb.swift") }
    #expect(!files.isEmpty)
    for file in files {
      let lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
      for (index, line) in lines.enumerated() where line.contains(declaration) {
        let before = lines[..<index].last?.trimmingCharacters(in: .whitespaces) ?? ""
        let isDocumented = before.hasPrefix("///") || before.hasPrefix("@") || before.hasSuffix(")")
        #expect(isDocumented, "\(file.lastPathComponent):\(index + 1): \(line)")
      }
    }
  }
}
