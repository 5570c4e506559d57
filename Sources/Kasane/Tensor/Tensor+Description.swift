// SPDX-License-Identifier: Apache-2.0

extension Tensor: CustomStringConvertible {
  /// Shape, type and the elements in aligned columns, those in the middle of long axes left out.
  public var description: String {
    withoutGradient {
      var shown = self
      for axis in 0..<rank where isLong(axis) {
        let size = shape[axis]
        shown = Tensor.concatenate(
          [shown.sliced(0..<Self.edge, axis: axis), shown.sliced(size - Self.edge..<size, axis: axis)],
          axis: axis
        )
      }
      let texts = rank < 2 ? shown.texts() : Self.aligned(shown.texts())
      let body = text(of: texts, shown: shown.shape, axis: 0, start: 0)
      return "Tensor(shape: \(shape), \(dtype))" + (rank < 2 ? " " : "\n") + body
    }
  }

  /// How many elements are shown at each end of a long axis.
  private static var edge: Int { 3 }

  /// A tensor of many elements is shown shorter.
  private func isLong(_ axis: Int) -> Bool {
    shape[axis] > (elementCount > 1000 ? 2 * Self.edge : axis == rank - 1 ? 12 : 8)
  }

  /// The elements from `start` on, as nested lists.
  private func text(of texts: [String], shown: Shape, axis: Int, start: Int) -> String {
    guard axis < rank else { return texts[start] }
    let stride = shown[(axis + 1)...].reduce(1, *)
    var parts = (0..<shown[axis]).map {
      text(of: texts, shown: shown, axis: axis + 1, start: start + $0 * stride)
    }
    if isLong(axis) { parts.insert("...", at: Self.edge) }
    if axis == rank - 1 { return "[" + parts.joined(separator: ", ") + "]" }
    let lines = String(repeating: "\n", count: Swift.max(1, rank - axis - 2 > 0 ? 2 : 1))
    return "[" + parts.joined(separator: "," + lines + String(repeating: " ", count: axis + 1)) + "]"
  }

  private static func aligned(_ texts: [String]) -> [String] {
    let width = texts.reduce(0) { Swift.max($0, $1.count) }
    return texts.map { String(repeating: " ", count: width - $0.count) + $0 }
  }

  private func texts() -> [String] {
    switch dtype {
    case .bool: return elements(as: Bool.self).map { "\($0)" }
    case .float32, .float64, .bfloat16, .float16: return numberTexts()
    default: return [Int](self).map { "\($0)" }
    }
  }

  /// Up to four digits after the point, as few as show all numbers exactly; with exponents where the sizes need it.
  private func numberTexts() -> [String] {
    let values = scalars
    if rank == 0 { return values.map { dtype == .float64 ? "\($0)" : "\(Float($0))" } }
    let sizes = values.filter { $0.isFinite && $0 != 0 }.map(Swift.abs)
    if let largest = sizes.max(), let smallest = sizes.min(), largest >= 1e8 || smallest < 1e-4 {
      return values.map { $0.isFinite ? scientific($0, 4) : "\($0)" }
    }
    // What a type of few digits holds is compared at its own precision: 0.1 as float32 is 0.1.
    let tolerance = dtype == .float64 ? 1e-15 : dtype == .float32 ? 1e-7 : dtype == .float16 ? 5e-4 : 4e-3
    let digits = (1..<4).first { digits in
      let scale = [1.0, 10, 100, 1000][digits]
      return values.allSatisfy {
        !$0.isFinite || Swift.abs(($0 * scale).rounded() / scale - $0) <= tolerance * Swift.abs($0)
      }
    }
    return values.map { fixed($0, digits ?? 4) }
  }
}
