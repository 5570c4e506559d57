// SPDX-License-Identifier: Apache-2.0

// A programmer's mistake must be told in release builds too, where the standard library's functions of these names
// drop the message.

/// Traps with a message where a condition does not hold, in every build.
@inline(__always)
func precondition(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String = "",
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { preconditionFailure(message(), file: file, line: line) }
}

/// Traps with a message, in every build.
@inline(never)
func preconditionFailure(
  _ message: @autoclosure () -> String = "", file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message(), file: file, line: line)
}
