// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The place of data as an option's value: a path that holds wherever the program is called, or a name that stays as it
/// is, of the sample or of whatever else `isName` knows. `expected` says in errors what is meant.
func dataLocation(
  _ flag: String, _ expected: String, sample: String,
  isName: @escaping @Sendable (String) -> Bool = { _ in false }
) -> @Sendable (String) throws -> String {
  { argument in
    guard !argument.isEmpty else { throw ValidationError("\(flag): empty, \(expected) expected") }
    if argument == sample || argument.hasPrefix("/") || isName(argument) { return argument }
    return FileManager.default.currentDirectoryPath + "/" + argument
  }
}
