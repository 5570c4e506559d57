// SPDX-License-Identifier: Apache-2.0

/// What an element of a tensor is.
public enum DType: UInt8, Sendable, CaseIterable, CustomStringConvertible {
  // The raw values are those of `ks_dtype`.
  case float32, float64, bfloat16, float16, int8, uint8, int32, int64, bool

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .bfloat16, .float16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }

  /// Whether gradients can flow through values of this type.
  public var isFloatingPoint: Bool {
    switch self {
    case .float32, .float64, .bfloat16, .float16: true
    default: false
    }
  }

  /// The case's name, such as `float32`.
  public var description: String {
    switch self {
    case .float32: "float32"
    case .float64: "float64"
    case .bfloat16: "bfloat16"
    case .float16: "float16"
    case .int8: "int8"
    case .uint8: "uint8"
    case .int32: "int32"
    case .int64: "int64"
    case .bool: "bool"
    }
  }
}

/// A Swift type whose values can be a tensor's elements.
public protocol TensorElement: Sendable {
  /// The element type of a tensor that holds such values.
  static var dtype: DType { get }
}

extension Float: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .float32 }
}
extension Double: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .float64 }
}
extension Int8: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .int8 }
}
extension UInt8: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .uint8 }
}
extension Int32: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .int32 }
}
extension Int: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .int64 }
}
extension Int64: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .int64 }
}
extension Bool: TensorElement {
  /// The element type of a tensor of such values.
  public static var dtype: DType { .bool }
}
#if !(os(macOS) && arch(x86_64))
  extension Float16: TensorElement {
    /// The element type of a tensor of such values.
    public static var dtype: DType { .float16 }
  }
#endif
