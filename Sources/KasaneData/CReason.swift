// SPDX-License-Identifier: Apache-2.0

/// Calls a C function that says in a line of so many bytes why it fails, and returns what it gives and that line, which is empty
/// where nothing was said.
func withReason<Result>(
  _ body: (_ reason: UnsafeMutablePointer<CChar>, _ size: Int) -> Result
) -> (result: Result, reason: String) {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { memory in
    memory.initialize(repeating: 0)
    let result = body(memory.baseAddress!, memory.count)
    return (result, String(cString: memory.baseAddress!))
  }
}
