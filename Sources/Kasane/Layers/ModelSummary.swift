// SPDX-License-Identifier: Apache-2.0

/// What a model is made of and what a run of it takes: its layers in the order in which they ran.
public struct ModelSummary: Sendable {
  /// A layer.
  public struct Row: Sendable {
    /// Its name in the model, such as `encoder.0`; empty for the model itself and for layers made on the way.
    public let name: String
    /// Its type.
    public let type: String
    /// How many of the layers before it hold this one.
    public let depth: Int
    /// The shape of what it gave last, or nil where it did not run or that cannot be told.
    public let output: Shape?
    /// How many numbers its own parameters hold, those of the layers in it apart and shared ones left out that an
    /// earlier row has.
    public let parameters: Int
    /// How many of them training changes.
    public let trainableParameters: Int
    /// Multiplications with an addition, in products and convolutions, that it did itself in all its runs.
    public let multiplyAdds: Int
    /// Whether it ran.
    public let ran: Bool
  }

  /// The layers, each before those that it holds.
  public let rows: [Row]
  /// The shape of the input, or nil where the model was run by a closure.
  public let input: Shape?
  /// How many numbers the parameters hold.
  public let parameterCount: Int
  /// How many of them training changes.
  public let trainableParameterCount: Int
  /// The parameters' memory.
  public let parameterBytes: Int
  /// Multiplications with an addition, in products and convolutions, of one run.
  public let multiplyAdds: Int
  /// The memory of all operations' results, which training keeps for the backward pass; views need none.
  public let activationBytes: Int
}

extension Module {
  /// Runs the model once by a closure, and tells what it is made of and what that took.
  public func summary(of run: (Self) throws -> Tensor) rethrows -> ModelSummary {
    try SummaryAnalysis.summary(of: self, input: nil) { _ in try run(self) }
  }
}

extension Layer where Input == Tensor, Output == Tensor {
  /// Runs the model once on zeros, and tells what it is made of and what that took. `print` shows a table.
  ///
  /// - Parameter shape: The shape of an input, its batch included.
  public func summary(input shape: Shape, dtype: DType = .float32) -> ModelSummary {
    let input = Tensor(zeros: shape, dtype: dtype)
    return SummaryAnalysis.summary(of: self, input: input) { self($0!) }
  }

  /// Runs the model once on an input, and tells what it is made of and what that took. `print` shows a table.
  @_disfavoredOverload
  public func summary(input: Tensor) -> ModelSummary {
    SummaryAnalysis.summary(of: self, input: input) { self($0!) }
  }
}

extension ModelSummary: CustomStringConvertible {
  /// A table of the layers, and totals below it.
  public var description: String {
    var table = [["layer", "type", "output", "parameters", "multiply-adds"]]
    for row in rows {
      let trained =
        row.trainableParameters == row.parameters
        ? "" : row.trainableParameters == 0 ? " fixed" : " part fixed"
      table.append([
        String(repeating: "  ", count: row.depth) + (row.name.isEmpty ? "-" : row.name), row.type,
        row.output.map { "\($0)" } ?? (row.ran ? "" : "not run"),
        row.parameters == 0 ? "" : Self.grouped(row.parameters) + trained,
        row.multiplyAdds == 0 ? "" : Self.grouped(row.multiplyAdds),
      ])
    }
    let widths = table[0].indices.map { column in table.map { $0[column].count }.max()! }
    var lines = table.map { cells in
      var line = ""
      for (column, cell) in cells.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        // Numbers end in line.
        line += (column >= 3 ? space + cell : cell + space) + (column < cells.count - 1 ? "  " : "")
      }
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
    lines.insert(String(repeating: "-", count: widths.reduce(0, +) + 2 * (widths.count - 1)), at: 1)
    let fixed = parameterCount - trainableParameterCount
    lines.append(lines[1])
    lines.append(
      "parameters     \(Self.grouped(parameterCount))"
        + (fixed == 0 ? "" : ", \(Self.grouped(trainableParameterCount)) of them trained")
        + " (\(Self.bytes(parameterBytes)))")
    lines.append("multiply-adds  \(Self.grouped(multiplyAdds))" + (input.map { " for an input \($0)" } ?? ""))
    lines.append("activations    \(Self.bytes(activationBytes))")
    return lines.joined(separator: "\n")
  }

  /// A number with its digits in groups of three.
  static func grouped(_ number: Int) -> String {
    var digits = String(number)
    var groups: [String] = []
    while digits.count > 3 {
      groups.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + groups).joined(separator: ",")
  }

  private static func bytes(_ count: Int) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var (size, unit) = (Double(count), 0)
    while size >= 1000, unit < units.count - 1 { (size, unit) = (size / 1000, unit + 1) }
    return unit == 0 ? "\(count) bytes" : "\((size * 10).rounded() / 10) \(units[unit])"
  }
}
