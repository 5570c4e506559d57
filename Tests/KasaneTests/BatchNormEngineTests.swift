// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The kernels of batch normalisation against the composition, at channel counts odd and even, large and small.
@Suite(.serialized) struct BatchNormEngineTests {
  private static let shapes: [Shape] = [
    [7, 1], [3, 5, 3], [2, 5, 7, 16], [40, 37], [2, 9, 9, 61], [3, 6, 5, 129], [9, 300], [2, 3, 1030],
    [1500, 64],
    [999, 48],
  ]

  private struct Case {
    var call: BatchNormCall
    var gradient: Tensor
  }

  private func cases(_ shape: Shape, _ dtype: DType) -> [Case] {
    var random = RandomGenerator(seed: 5)
    func tensor(_ shape: Shape) -> Tensor { Tensor(normal: shape, using: &random) }
    let channels = Shape(shape[shape.count - 1])
    var result: [Case] = []
    for rectifies in [false, true] {
      for hasResidual in [false, true] {
        for isAffine in [false, true] {
          // Far from zero, where sums of squares alone would be lost.
          let x = (tensor(shape) + 30).cast(to: dtype)
          result.append(
            Case(
              call: BatchNormCall(
                x: x, residual: hasResidual ? tensor(shape).cast(to: dtype) : nil,
                scale: isAffine ? tensor(channels) : nil, shift: isAffine ? tensor(channels) : nil,
                epsilon: 1e-5, rectifies: rectifies), gradient: tensor(shape).cast(to: dtype)))
        }
      }
    }
    return result
  }

  private func compare(_ found: Tensor?, _ expected: Tensor?, _ tolerance: Double, _ name: String) {
    guard let found, let expected else {
      #expect((found == nil) == (expected == nil), "\(name)")
      return
    }
    #expect(found.dtype == expected.dtype && found.shape == expected.shape, "\(name)")
    let size = max(1, abs(expected).max().scalar)
    expectClose(found, expected, tolerance, scale: size, name)
  }

  @Test(arguments: shapes, [DType.float32, .bfloat16])
  func kernelsAgreeWithTheComposition(_ shape: Shape, _ dtype: DType) {
    let (cpu, reference) = (CPUEngine(), ReferenceEngine())
    let tolerance = dtype == .float32 ? 3e-5 : 0x1p-6
    for item in cases(shape, dtype) {
      let name = "\(shape), \(dtype), rectifies \(item.call.rectifies), residual \(item.call.residual != nil)"
      let found = cpu.batchNorm(item.call), expected = reference.batchNorm(item.call)
      compare(found.mean, expected.mean, 1e-6, "\(name), mean")
      compare(found.variance, expected.variance, 1e-5, "\(name), variance")
      compare(found.value, expected.value, tolerance, "\(name), value")
      compare(
        cpu.batchNorm(item.call, mean: found.mean, variance: found.variance), found.value, 0,
        "\(name), by its statistics")
      // Both ways back from the same value, so that they agree on what was positive.
      var backward = BatchNormBackward(
        gradient: item.gradient, value: found.value, mean: found.mean, variance: found.variance, total: nil,
        needsInput: true, needsResidual: item.call.residual != nil)
      let gradients = cpu.batchNormGradient(item.call, backward)
      let others = reference.batchNormGradient(item.call, backward)
      compare(gradients.x, others.x, tolerance, "\(name), gradient")
      compare(gradients.residual, others.residual, 0, "\(name), gradient of the residual")
      compare(gradients.scale, others.scale, 1e-4, "\(name), gradient of the scale")
      compare(gradients.shift, others.shift, 1e-4, "\(name), gradient of the shift")
      backward.needsResidual = false
      backward.total = item.gradient.copied()
      let total = cpu.batchNormGradient(item.call, backward).x
      compare(total, item.gradient + gradients.x!, tolerance, "\(name), added in place")
    }
  }

  /// Neighbouring channels of a wider tensor, as in a densely connected network.
  @Test(arguments: [DType.float32, .bfloat16]) func rowsMayLieApart(_ dtype: DType) {
    let cpu = CPUEngine()
    var random = RandomGenerator(seed: 6)
    for channels in [1, 5, 32, 96, 300] {
      let wide = Tensor(normal: [2, 6, 7, channels + 9], using: &random).cast(to: dtype)
      let view = wide[0..., 0..., 0..., 3..<channels + 3]
      let whole = view.copied()
      func call(_ x: Tensor) -> BatchNormCall {
        BatchNormCall(x: x, residual: nil, scale: nil, shift: nil, epsilon: 1e-5, rectifies: true)
      }
      let found = cpu.batchNorm(call(view)), expected = cpu.batchNorm(call(whole))
      compare(found.value, expected.value, dtype == .float32 ? 1e-5 : 0x1p-6, "\(channels), value")
      var backward = BatchNormBackward(
        gradient: Tensor(normal: whole.shape, using: &random).cast(to: dtype), value: nil,
        mean: expected.mean, variance: expected.variance, total: nil, needsInput: true, needsResidual: false)
      let gradient = cpu.batchNormGradient(call(whole), backward).x!
      let totals = Tensor(normal: wide.shape, using: &random).cast(to: dtype)
      let before = totals.copied()
      backward.total = totals[0..., 0..., 0..., 3..<channels + 3]
      _ = cpu.batchNormGradient(call(view), backward)
      var sums = before
      sums[0..., 0..., 0..., 3..<channels + 3] =
        before[0..., 0..., 0..., 3..<channels + 3] + gradient
      compare(totals, sums, dtype == .float32 ? 1e-5 : 0x1p-6, "\(channels), added in place")
    }
  }

  @Test func constantsStayFinite() {
    let call = BatchNormCall(
      x: Tensor(repeating: 3, shape: [64, 20]), residual: nil, scale: nil, shift: nil, epsilon: 1e-5,
      rectifies: false)
    let (value, mean, variance) = CPUEngine().batchNorm(call)
    #expect(mean.elements(as: Float.self).allSatisfy { $0 == 3 })
    #expect(variance.elements(as: Float.self).allSatisfy { $0 == 0 })
    #expect(value.elements(as: Float.self).allSatisfy { $0 == 0 })
  }

  @Test func bitsDoNotDependOnThreads() {
    var random = RandomGenerator(seed: 7)
    let call = BatchNormCall(
      x: Tensor(normal: [4, 40, 40, 37], using: &random), residual: nil, scale: nil, shift: nil,
      epsilon: 1e-5,
      rectifies: true)
    let gradient = Tensor(normal: call.x.shape, using: &random)
    func run() -> [Tensor] {
      let cpu = CPUEngine()
      let (value, mean, variance) = cpu.batchNorm(call)
      let gradients = cpu.batchNormGradient(
        call,
        BatchNormBackward(
          gradient: gradient, value: nil, mean: mean, variance: variance, total: nil, needsInput: true,
          needsResidual: false))
      return [value, mean, variance, gradients.x!, gradients.scale, gradients.shift]
    }
    let before = run()
    let threads = Machine.threads
    defer { Machine.threads = threads }
    Machine.threads = 1
    for (one, several) in zip(run(), before) { compare(one, several, 0, "one thread") }
  }
}
