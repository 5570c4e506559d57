// SPDX-License-Identifier: Apache-2.0

/// Something outside the program is not as it must be: a file, a flag, a disk. One line that names what, what
/// was found and what was expected.
public struct KasaneError: Error, CustomStringConvertible, Sendable {
  /// The line.
  public let description: String

  /// An error with the given line.
  public init(_ description: String) { self.description = description }
}
