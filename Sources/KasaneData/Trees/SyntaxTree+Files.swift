// SPDX-License-Identifier: Apache-2.0

import Kasane

extension SyntaxTree {
  /// Calls `body` with each tree of a file, which has one a line and may be compressed by gzip; empty lines are passed
  /// over. Only one is in memory at a time. Throws one line that names file and line where it is not as it must be.
  public static func forEach(
    in path: String, classCount: Int, _ body: (SyntaxTree) throws -> Void
  ) throws {
    let lines = try LineReader(path: path)
    var count = 0
    while let line = try lines.next() {
      guard line.contains(where: { !$0.isWhitespace }) else { continue }
      count += 1
      try body(
        try SyntaxTree(parsing: line, classCount: classCount, source: "\(path): line \(lines.lineNumber)"))
    }
    guard count > 0 else { throw KasaneError("\(path): no trees: the file is empty") }
  }

  /// All trees of a file; see `forEach`.
  public static func read(_ path: String, classCount: Int) throws -> [SyntaxTree] {
    var trees: [SyntaxTree] = []
    try forEach(in: path, classCount: classCount) { trees.append($0) }
    return trees
  }
}
