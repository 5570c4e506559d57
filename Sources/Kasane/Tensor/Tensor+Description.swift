// SPDX-License-Identifier: Apache-2.0

extension Tensor: CustomStringConvertible {
  /// Shape, type and the elements, those in the middle of long axes left out.
  public var description: String {
    let values = cast(to: .float64).contiguous()
    let text = withoutGradient {
      Self.text(of: values.elements(as: Double.self), shape: shape[...], as: dtype)
    }
    return "Tensor(shape: \(shape), \(dtype)) \(text)"
  }

  private static func text(of values: [Double], shape: Slice<Shape>, as dtype: DType) -> String {
    guard let count = shape.first else { return text(of: values[0], as: dtype) }
    let rest = shape.dropFirst()
    let stride = rest.reduce(1, *)
    let shown = count > 8 ? Array(0..<3) + [-1] + Array(count - 3..<count) : Array(0..<count)
    let parts = shown.map { index in
      index < 0
        ? "..." : text(of: Array(values[index * stride..<(index + 1) * stride]), shape: rest, as: dtype)
    }
    return "[" + parts.joined(separator: rest.isEmpty ? ", " : ",\n ") + "]"
  }

  private static func text(of value: Double, as dtype: DType) -> String {
    switch dtype {
    case .bool: value != 0 ? "true" : "false"
    case .float64: "\(value)"
    case .float32, .bfloat16, .float16: "\(Float(value))"
    default: "\(Int64(value))"
    }
  }
}
