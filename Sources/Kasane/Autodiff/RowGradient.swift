// SPDX-License-Identifier: Apache-2.0

/// The gradient of a table of which only some rows were used, an embedding's: those rows alone.
public struct RowGradient: Sendable {
  /// The rows' numbers, `[count]`, int64, ascending, each once.
  public let indices: Tensor
  /// The gradients of those rows, `[count, ...]`.
  public let values: Tensor
  /// How many rows the table has.
  public let rowCount: Int

  /// The sum of parts in which rows may occur more than once and in any order.
  init(summing parts: [(indices: Tensor, values: Tensor)], rowCount: Int) {
    var wanted: [Int] = []
    for part in parts { part.indices.withElements(of: Int.self) { wanted.append(contentsOf: $0) } }
    precondition(
      rowCount <= 1 << 31 && wanted.count <= 1 << 32, "\(wanted.count) rows of a table of \(rowCount) to sum")
    // Sorted by row; of one row by time, so that the sums are always taken in the same order.
    var order = wanted.enumerated().map { UInt64($1) << 32 | UInt64($0) }
    order.sort()
    var rows: [Int] = []
    var places = [Int](repeating: 0, count: wanted.count)
    for key in order {
      let row = Int(key >> 32)
      if rows.last != row { rows.append(row) }
      places[Int(key & 0xffff_ffff)] = rows.count - 1
    }
    self.rowCount = rowCount
    indices = Tensor(rows)
    var shape = parts[0].values.shape
    shape[0] = rows.count
    values = Tensor(zeros: shape, dtype: parts[0].values.dtype)
    let targets = Tensor(places)
    var first = 0
    for part in parts {
      let count = part.indices.elementCount
      engine.scatterAdd(part.values, targets.rows(first..<first + count), axis: 0, into: values)
      first += count
    }
  }

  init(indices: Tensor, values: Tensor, rowCount: Int) {
    (self.indices, self.values, self.rowCount) = (indices, values, rowCount)
  }

  /// The table's shape.
  public var shape: Shape {
    var shape = values.shape
    shape[0] = rowCount
    return shape
  }

  /// The whole table's gradient, zero in the rows that were not used.
  public var dense: Tensor {
    let table = Tensor(zeros: shape, dtype: values.dtype)
    engine.scatterAdd(values, indices, axis: 0, into: table)
    return table
  }

  /// The sum with a gradient of the whole table.
  func added(to dense: Tensor) -> Tensor {
    let sum = Tensor(unsetLike: dense)
    engine.copy(dense, into: sum)
    engine.scatterAdd(values, indices, axis: 0, into: sum)
    return sum
  }

  /// The same rows with other values.
  func with(values: Tensor) -> RowGradient {
    RowGradient(indices: indices, values: values, rowCount: rowCount)
  }
}

extension Tensor {
  /// A stretch of a vector, off the tape.
  fileprivate func rows(_ range: Range<Int>) -> Tensor {
    range.count == elementCount ? self : Tensor(Array(elements(as: Int.self)[range]))
  }
}
