// SPDX-License-Identifier: Apache-2.0

extension DataSet {
  /// Every data set that is known.
  public static let all: [DataSet] = texts + sentences + others

  /// The data set of a name, or nil.
  public static func named(_ name: String) -> DataSet? { all.first { $0.name == name } }

  /// The names that are most like one that nothing has, the likest first; none where nothing is like it.
  public static func names(near name: String) -> [String] {
    let name = name.lowercased()
    return all.map(\.name)
      .map { ($0, $0.contains(name) || name.contains($0) ? 1 : distance(name, $0)) }
      .filter { $0.1 <= max(2, name.count / 3) }
      .sorted { $0.1 < $1.1 }
      .prefix(3).map(\.0)
  }

  /// How many letters have to be put in, left out or changed to make one word of another (Levenshtein 1966).
  static func distance(_ first: String, _ second: String) -> Int {
    let second = Array(second)
    var row = Array(0...second.count)
    for (line, letter) in first.enumerated() {
      var diagonal = row[0]
      row[0] = line + 1
      for (column, other) in second.enumerated() {
        let changed = diagonal + (letter == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(changed, row[column] + 1, diagonal + 1)
      }
    }
    return row[second.count]
  }
}
