// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// Where full data sets are kept, each in a folder of its own name.
public enum DataFolder {
  /// `$KASANE_DATA`, or the folder `kasane` in the user's cache.
  public static var path: String {
    let environment = ProcessInfo.processInfo.environment
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let chosen = value("KASANE_DATA") { return chosen }
    if let cache = value("XDG_CACHE_HOME") { return cache + "/kasane" }
    let home = value("HOME") ?? "."
    #if os(macOS)
      return home + "/Library/Caches/kasane"
    #else
      return home + "/.cache/kasane"
    #endif
  }

  /// The folder of a data set, whether it is there or not.
  public static func folder(of name: String) -> String { path + "/" + name }

  /// Whether a word that is no path is the name of a data set, of the catalogue or of one's own.
  package static func isDataSet(_ word: String) -> Bool {
    !word.contains("/") && !Files.exists(word)
      && (Files.exists(folder(of: word)) || DataSet.named(word) != nil)
  }

  /// How a message on what is missing at a path ends: with the command that gets it, where the path is that of a data set.
  package static func hint(for path: String) -> String {
    guard let dataSet = DataSet.all.first(where: { $0.folder == path }) else { return "" }
    return "; to get it: kasane data get \(dataSet.name)"
  }
}
