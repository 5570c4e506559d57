// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@Suite struct TensorExamples {
  @Test func values() {
    // example
    let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    print(x.shape, x.dtype)  // [2, 3] float32
    print((x * 2).elements(as: Float.self))  // [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]
    print(x.sum(axes: [0]).elements(as: Float.self))  // [5.0, 7.0, 9.0]
    // end
    #expect(x.shape == [2, 3] && x.dtype == .float32)
    #expect((x * 2).elements(as: Float.self) == [2, 4, 6, 8, 10, 12])
    #expect(x.sum(axes: [0]).elements(as: Float.self) == [5, 7, 9])
  }

  @Test func parts() {
    // example
    let x = Tensor.arange(24).reshaped(to: [2, 3, 4])
    print(x[1].shape)  // [3, 4]
    print(x[0, 1...].shape)  // [2, 4]
    print(x[..., -1].shape)  // [2, 3]
    print(x[0, 0, (0..<4).stride(by: 2)].elements(as: Int64.self))  // [0, 2]
    // end
    #expect(x[1].shape == [3, 4] && x[0, 1...].shape == [2, 4] && x[..., -1].shape == [2, 3])
    #expect(x[0, 0, (0..<4).stride(by: 2)].elements(as: Int64.self) == [0, 2])
  }

  @Test func setting() {
    // example
    var x: Tensor = [[1.5, 2], [3, 4]]
    let before = x
    x[0..., 1] = Tensor([9, 8])
    print(x.scalars, before.scalars)  // [1.5, 9.0, 3.0, 8.0] [1.5, 2.0, 3.0, 4.0]
    // end
    #expect(x.scalars == [1.5, 9, 3, 8] && before.scalars == [1.5, 2, 3, 4])
  }

  @Test func broadcasting() {
    // example
    let column = Tensor([1, 2] as [Float], shape: [2, 1])
    let row = Tensor([10, 20, 30] as [Float])
    print((column + row).elements(as: Float.self))  // [11.0, 21.0, 31.0, 12.0, 22.0, 32.0]
    // end
    #expect((column + row).elements(as: Float.self) == [11, 21, 31, 12, 22, 32])
  }

  @Test func types() {
    // example
    let pixels = Tensor([0, 128, 255] as [UInt8])
    let scaled = pixels.cast(to: .float32) / 255
    print(scaled.elements(as: Float.self))  // [0.0, 0.5019608, 1.0]
    // end
    #expect(scaled.elements(as: Float.self) == [0, 0.5019608, 1])
  }
}
