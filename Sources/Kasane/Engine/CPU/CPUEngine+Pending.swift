// SPDX-License-Identifier: Apache-2.0

// Primitives of the seam that this engine does not have yet. Each moves to a file of its own as it comes.
extension CPUEngine {
  private func pending(_ name: String = #function) -> Never { fatalError("\(name): the CPU engine lacks it") }

  func take(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor { pending() }
  func scatterAdd(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) { pending() }
  func takeAlong(_ x: Tensor, _ indices: Tensor, axis: Int) -> Tensor {
    let (x, dtype) = Self.computable(x)
    let result = Tensor(unsetWithShape: indices.shape, dtype: x.dtype)
    func run<Element: BinaryFloatingPoint>(_ type: Element.Type) {
      let (from, to) = (x.data.assumingMemoryBound(to: type), result.data.assumingMemoryBound(to: type))
      forEachPlace(along: axis, of: x.shape, indices) { to[$0] = from[$1] }
    }
    if x.dtype == .float64 { run(Double.self) } else { run(Float.self) }
    return Self.converted(result, to: dtype)
  }

  func scatterAddAlong(_ values: Tensor, _ indices: Tensor, axis: Int, into target: Tensor) {
    let (values, dtype) = Self.computable(values)
    let sums = Self.computable(target).0
    func run<Element: BinaryFloatingPoint>(_ type: Element.Type) {
      let (from, to) = (values.data.assumingMemoryBound(to: type), sums.data.assumingMemoryBound(to: type))
      forEachPlace(along: axis, of: target.shape, indices) { to[$1] += from[$0] }
    }
    if sums.dtype == .float64 { run(Double.self) } else { run(Float.self) }
    if sums.dtype != dtype { target.fill(from: sums) }
  }

  /// Calls `body` with the place of each index and the place that it means.
  private func forEachPlace(along axis: Int, of shape: Shape, _ indices: Tensor, _ body: (Int, Int) -> Void) {
    let indices = indices.contiguous()
    let numbers = indices.data.assumingMemoryBound(to: Int.self)
    let inner = shape.dropFirst(axis + 1).reduce(1, *)
    let row = indices.shape[axis] * inner
    for place in 0..<indices.elementCount {
      body(place, (place / row * shape[axis] + numbers[place]) * inner + place % inner)
    }
    withExtendedLifetime(indices) {}
  }
  func sort(_ x: Tensor, descending: Bool) -> (values: Tensor, indices: Tensor) { pending() }
  func random(
    _ distribution: RandomDistribution, shape: Shape, dtype: DType, seed: UInt64, stream: UInt64,
    position: UInt64
  ) -> Tensor { pending() }
}
