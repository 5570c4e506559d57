// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Runs a primitive in both engines on inputs of each type in each layout, and compares the results.
func compareEngines(
  _ name: String, _ dtypes: [DType], _ inputs: [Input], tolerance: Double = 0x1p-24,
  layouts: [Layout] = Layout.allCases,
  _ run: (any Engine, [Tensor]) -> [Tensor]
) {
  for dtype in dtypes {
    var maker = RowInputs(seed: 7)
    for layout in layouts {
      let tensors = inputs.map { maker.tensor($0, dtype: dtype).laidOut(layout) }
      let (found, expected) = (run(CPUEngine(), tensors), run(ReferenceEngine(), tensors))
      for (found, expected) in zip(found, expected) {
        let label = "\(name), \(dtype), \(layout)"
        #expect(found.dtype == expected.dtype && found.isContiguous, "\(label)")
        expectClose(found, expected, dtype.spacing(tolerance), label)
      }
    }
  }
}

extension [DType] {
  /// The types of whole numbers.
  static let wholes: [DType] = [.int8, .uint8, .int32, .int64]
}

extension DType {
  /// A tolerance for float32 and wider as it is for this type: a half's last digit, nothing for whole numbers.
  func spacing(_ tolerance: Double) -> Double {
    switch self {
    case .bfloat16: 0x1.1p-7
    case .float16: 0x1.1p-10
    case .float64: min(tolerance, 1e-13)
    case .float32: tolerance
    default: 0
    }
  }
}
