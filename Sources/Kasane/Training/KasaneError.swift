// SPDX-License-Identifier: Apache-2.0

/// Something outside the program is not as it must be: a file, a flag, a disk. One line that names what, what
/// was found and what was expected.
public struct KasaneError: Error, CustomStringConvertible, Sendable {
  /// The line.
  public let description: String

  /// An error with the given line.
  public init(_ description: String) { self.description = description }
}

/// What is wrong with a number that is outside its range; nil where it is inside.
package func rangeProblem(_ name: String, _ value: Int, in range: ClosedRange<Int>) -> String? {
  guard !range.contains(value) else { return nil }
  let expected =
    range.upperBound == Int.max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
  return "\(name): \(value) is out of range, \(expected) expected"
}
