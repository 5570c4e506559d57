// SPDX-License-Identifier: Apache-2.0

import Kasane

/// The best that the machine does with the threads in use, measured: what a roofline is drawn with.
struct MachinePeaks {
  /// Operations a second in a large product of float32 matrices, two for each multiplication with its addition.
  let operations: Double
  /// The same in bfloat16, or nil where it was not asked for.
  let halfOperations: Double?
  /// Bytes a second, read and written together, in a copy that fits into no cache.
  let bytes: Double

  /// The rows and columns of the product.
  static let productSize = 2048
  /// The bytes of the copy.
  static let copySize = 1 << 28

  /// Measures them: about a second.
  init(half: Bool) {
    operations = Self.product(.float32)
    halfOperations = half ? Self.product(.bfloat16) : nil
    let source = Tensor(ones: [Self.copySize / 4]), target = Tensor(zeros: [Self.copySize / 4])
    bytes = 2 * Double(Self.copySize) / Self.best { engine.copy(source, into: target) }
  }

  private static func product(_ dtype: DType) -> Double {
    let a = Tensor(ones: [productSize, productSize], dtype: dtype)
    let count = Double(productSize)
    return 2 * count * count * count / best { _ = engine.matrixProduct(a, a, transposing: .none) }
  }

  /// The fewest seconds that `body` takes.
  private static func best(_ body: () -> Void) -> Double { Timing.sample(seconds: 0.2, body).min()! * 1e-3 }

  /// The fewest seconds in which the work can be done, if its operands come from memory.
  func seconds(operations: Double, bytes: Double, isHalf: Bool) -> Double {
    max(operations / ((isHalf ? halfOperations : nil) ?? self.operations), bytes / self.bytes)
  }

  /// In words.
  var text: String {
    var text =
      "\(fixed(operations * 1e-9, 0)) GFLOP/s in a float32 product of \(Self.productSize) rows and columns, "
    if let halfOperations { text += "\(fixed(halfOperations * 1e-9, 0)) in bfloat16, " }
    return text + "\(fixed(bytes * 1e-9, 1)) GB/s in a copy of \(Self.copySize >> 20) MiB"
  }

  /// As an object for programs; `gflops` is that of the precision.
  func json(name: String, precision: BenchPrecision) -> String {
    let rate = (precision == .bfloat16 ? halfOperations : nil) ?? operations
    var parts = ["\"name\":\"\(name)\"", "\"gflops\":\(fixed(rate * 1e-9, 3))"]
    parts.append("\"float32_gflops\":\(fixed(operations * 1e-9, 3))")
    if let halfOperations { parts.append("\"bfloat16_gflops\":\(fixed(halfOperations * 1e-9, 3))") }
    parts.append("\"gbs\":\(fixed(bytes * 1e-9, 3))")
    parts.append("\"threads\":\(Machine.threads)")
    parts.append("\"precision\":\"\(precision)\"")
    parts.append("\"version\":\"\(kasaneVersion)\"")
    return "{" + parts.joined(separator: ",") + "}"
  }
}
