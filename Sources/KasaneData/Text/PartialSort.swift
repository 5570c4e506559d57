// SPDX-License-Identifier: Apache-2.0

extension Array where Element == Int {
  /// Brings the `count` first ones by an order to the front, sorted (Hoare 1961, "Algorithm 65: Find").
  package mutating func sortFirst(_ count: Int, by comesBefore: (Int, Int) -> Bool) {
    var (low, high) = (0, self.count - 1)
    while low < high && count < self.count {
      let pivot = self[(low + high) / 2]
      var (i, j) = (low, high)
      while i <= j {
        while comesBefore(self[i], pivot) { i += 1 }
        while comesBefore(pivot, self[j]) { j -= 1 }
        guard i <= j else { break }
        swapAt(i, j)
        (i, j) = (i + 1, j - 1)
      }
      if count <= j { high = j } else if count > i { low = i } else { break }
    }
    self[..<count].sort { comesBefore($0, $1) }
  }
}
