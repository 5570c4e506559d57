// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct LayerNormEngineTests {
  @Test(arguments: [1, 17, 31, 64, 65, 768, 2500]) func theCompositionIsTheSame(_ width: Int) {
    var random = RandomGenerator(seed: 8)
    for rows in [1, 2, 37, 300] {
      let inputs = [
        Tensor(normal: [rows, width], mean: 3, using: &random),
        Tensor(normal: [rows, width], using: &random),
        Tensor(normal: [width], using: &random), Tensor(normal: [width], using: &random),
      ]
      let factor = Tensor(normal: [rows, width], using: &random)
      func check(_ dtype: DType, _ tolerance: Double) {
        let rounded = [inputs[0].cast(to: dtype), inputs[1].cast(to: dtype), inputs[2], inputs[3]]
        func run(_ x: [Tensor], _ count: Int) -> Tensor {
          let (residual, scale) = (count > 1 ? x[1] : nil, count > 2 ? x[2] : nil)
          let shift = count > 3 ? x[3] : nil
          let centered = layerNormalization(x[0], adding: residual, scale: scale, shift: shift)
          return count == 3 ? rmsNormalization(x[0], adding: residual, scale: scale) : centered
        }
        func loss(_ y: Tensor) -> Tensor { (y.cast(to: .float64) * factor.cast(to: .float64)).sum() }
        for count in 1...4 {
          let exact = rounded.map { $0.cast(to: .float64) }
          let (_, found) = valueWithGradients(at: rounded) { loss(run($0, count)) }
          let (_, expected) = valueWithGradients(at: exact) { loss(run($0, count)) }
          let name = "\(rows) x \(width), \(count) inputs, \(dtype)"
          expectClose(run(rounded, count), run(exact, count), tolerance, name)
          // A row of one number has no variance: its derivative is that of rounding.
          if width < 3 { continue }
          for place in 0..<count {
            #expect(found[place].dtype == rounded[place].dtype)
            expectClose(found[place], expected[place], tolerance, "\(name), gradient \(place)")
          }
        }
      }
      check(.float32, 1e-5)
      check(.bfloat16, 0x1p-5)
    }
  }
}
