// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Tensors, parameters and models shared among tasks that run at once. `make sanitize` runs these under
/// ThreadSanitizer.
@Suite struct TaskTests {
  private struct Network: Module {
    let first = Parameter(Tensor([0.5, -0.25, 1, 2, -1, 0.75], shape: [2, 3]))
    let second = Parameter(Tensor([1.0, -2, 0.5], shape: [3, 1]))

    func callAsFunction(_ x: Tensor) -> Tensor { matmul(tanh(matmul(x, first.value)), second.value) }
  }

  /// Runs `body` in eight tasks at once and gives what they return.
  private func inTasks<Result: Sendable>(_ body: @escaping @Sendable (Int) -> Result) async -> [Result] {
    await withTaskGroup(of: (Int, Result).self) { group in
      for number in 0..<8 { group.addTask { (number, body(number)) } }
      var results = [Result?](repeating: nil, count: 8)
      for await (number, result) in group { results[number] = result }
      return results.map { $0! }
    }
  }

  @Test func tensorsAreReadByManyTasks() async {
    let x = Tensor((0..<60_000).map { Double($0) / 60_000 }, shape: [3, 20_000])
    let views = [x, x.transposed(), x.select(1), x.broadcast(to: [2, 3, 20_000])]
    let expected = views.map { exp($0).sum().scalar }
    let found = await inTasks { number in views.map { exp($0).sum().scalar } }
    for values in found {
      for (value, expected) in zip(values, expected) { #expect(abs(value - expected) < 1e-9 * expected) }
    }
  }

  /// Small tensors' memory and boxes belong to the thread that made them; these end their lives in other tasks.
  @Test func tensorsOutliveTheirTasks() async {
    var tensors = [Tensor]()
    for round in 0..<20 {
      let made = await inTasks { number in
        (0..<50).map { Tensor([Double(number), Double($0 + round)]) + 1 }
      }
      tensors = made.flatMap(\.self)
      let given = tensors
      let sums = await inTasks { number in given.reduce(0) { $0 + $1.sum().scalar } }
      #expect(Set(sums).count == 1)
    }
    #expect(tensors.count == 400)
  }

  @Test func gradientsOfOneModelAreTakenInManyTasks() async {
    let network = Network()
    let x = Tensor([1.0, 2, -1, 0.5], shape: [2, 2])
    @Sendable func gradients() -> [[Double]] {
      let (_, gradients) = valueWithGradient(at: network) { square($0(x)).sum() }
      return [network.first, network.second].map { gradients[$0]!.elements(as: Double.self) }
    }
    let expected = gradients()
    let found = await inTasks { number in (0..<20).map { _ in gradients() } }
    for values in found.joined() { #expect(values == expected) }
  }

  /// A tape belongs to its thread: what a task computes meanwhile leaves no trace on it.
  @Test func tapesDoNotMix() async {
    let x = Tensor([1.0, 2, 3])
    let found = await inTasks { number in
      (0..<50).map { step -> [Double] in
        let factor = Double(number * 100 + step)
        return gradient(at: x) { (square($0) * factor).sum() }.elements(as: Double.self).map {
          $0 / max(factor, 1)
        }
      }
    }
    for (number, values) in found.enumerated() {
      for (step, value) in values.enumerated() where number + step > 0 { #expect(value == [2, 4, 6]) }
    }
  }

  /// Products large enough for oneDNN and for several threads, all at once.
  @Test func largeProductsRunAtOnce() async {
    let a = Tensor((0..<200 * 300).map { Float($0 % 17) - 8 }, shape: [200, 300])
    let b = Tensor((0..<300 * 100).map { Float($0 % 13) - 6 }, shape: [300, 100])
    let expected = matmul(a, b).elements(as: Float.self)
    let found = await inTasks { number in matmul(a, b).elements(as: Float.self) }
    for values in found { #expect(values == expected) }
  }
}
