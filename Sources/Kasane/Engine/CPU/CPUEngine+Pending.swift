// SPDX-License-Identifier: Apache-2.0

// Primitives of the seam that this engine does not have yet. Each moves to a file of its own as it comes.
extension CPUEngine {
  private func pending(_ name: String = #function) -> Never { fatalError("\(name): the CPU engine lacks it") }

  func maximumPool(_ x: Tensor, _ windows: PoolingWindows) -> (values: Tensor, indices: Tensor) { pending() }
  func averagePool(_ x: Tensor, _ windows: PoolingWindows) -> Tensor { pending() }
  func averagePoolGradient(_ gradient: Tensor, shape: Shape, _ windows: PoolingWindows) -> Tensor {
    pending()
  }
  func take(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor { pending() }
  func scatterAdd(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) { pending() }
  func takeAlong(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor { pending() }
  func scatterAddAlong(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) { pending() }
  func sort(_ x: Tensor, descending: Bool) -> (values: Tensor, indices: Tensor) { pending() }
  func random(
    _ distribution: RandomDistribution, shape: Shape, dtype: DType, seed: UInt64, stream: UInt64,
    position: UInt64
  ) -> Tensor { pending() }
}
