// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

/// A fresh, empty folder that goes when the test is over.
final class TemporaryFiles {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "kasane-data-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a name in the folder.
  func path(_ name: String) -> String { url.appending(path: name).path }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: url.appending(path: name))
    return path(name)
  }

  func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: url.appending(path: name))) }
}

/// Expects an error in one line that begins with `path` and says all of `parts`.
func expectError<Result>(
  _ path: String, _ parts: String..., location: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) {
  do {
    _ = try body()
    Issue.record("no error", sourceLocation: location)
  } catch let error as KasaneError {
    let line = error.description
    #expect(line.hasPrefix("\(path): "), "\(line)", sourceLocation: location)
    #expect(!line.contains("\n"), "\(line)", sourceLocation: location)
    for part in parts where !part.isEmpty {
      #expect(line.contains(part), "\(line)", sourceLocation: location)
    }
  } catch {
    Issue.record("\(error)", sourceLocation: location)
  }
}

/// What a call gave, or its error, which must be one line about `path`.
func outcome<Result>(_ path: String, _ comment: String, _ body: () throws -> Result) -> Result? {
  do {
    return try body()
  } catch {
    let line = "\(error)"
    #expect(
      error is KasaneError && line.hasPrefix("\(path): ") && !line.contains("\n"), "\(comment): \(line)")
    return nil
  }
}
