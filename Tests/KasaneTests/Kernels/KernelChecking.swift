// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The engine whose kernels are tested.
let cpu = CPUEngine()

/// Lengths around the widths of vectors and of the blocks that kernels work by.
let kernelLengths = [0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 127, 130, 511, 512, 513, 1025]

/// A tensor whose elements are a function of their number in row-major order.
func tensor<Element: TensorElement>(_ shape: Shape, _ value: (Int) -> Element) -> Tensor {
  Tensor([Element]((0..<shape.elementCount).map(value)), shape: shape)
}

/// Compares element by element: equal, or close relative to the element's own size, NaN with NaN.
func expectEachClose(
  _ found: Tensor, _ exact: Tensor, _ tolerance: Double, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape == exact.shape else {
    Issue.record("\(name): shape \(found.shape), not \(exact.shape)", sourceLocation: sourceLocation)
    return
  }
  let a = found.cast(to: .float64).elements(as: Double.self)
  let b = exact.cast(to: .float64).elements(as: Double.self)
  let wrong = a.indices.first {
    !(a[$0] == b[$0] || a[$0].isNaN && b[$0].isNaN || abs(a[$0] - b[$0]) <= tolerance * abs(b[$0]) + 2e-38)
  }
  if let wrong {
    Issue.record(
      "\(name): element \(wrong) is \(a[wrong]), not \(b[wrong]), of \(exact.shape)",
      sourceLocation: sourceLocation)
  }
}

/// Whether two tensors have the same type, shape and bits, NaN taken as one value.
func expectSame(
  _ found: Tensor, _ exact: Tensor, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.dtype == exact.dtype, "\(name)", sourceLocation: sourceLocation)
  expectEachClose(found, exact, 0, name, sourceLocation: sourceLocation)
}
