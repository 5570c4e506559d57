// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// The normalising layers against PyTorch's modules (Tests/Fixtures/normalization_layers.py).
@Suite struct NormalizationLayerTests {
  private let fixture: [String: Tensor]

  init() throws {
    let path = try #require(
      Bundle.module.path(forResource: "normalization_layers", ofType: "safetensors", inDirectory: "Fixtures"))
    fixture = try Safetensors(contentsOf: path).tensors
  }

  private func part(_ name: String) throws -> Tensor { try #require(fixture[name], "no \(name)") }

  /// Holds a layer's output and gradients against the fixture, on each of its inputs in turn.
  private func compare<L: Layer>(_ name: String, _ layer: L) throws
  where L.Input == Tensor, L.Output == Tensor {
    let parameters = Dictionary(uniqueKeysWithValues: layer.parameters.map { ($0.name, $0.parameter) })
    for (key, parameter) in parameters where parameter.isTrainable {
      parameter.assign(try part("\(name)/\(key)"))
    }
    let count = fixture.keys.count { $0.hasPrefix("\(name)/y") }
    var random = RandomGenerator(seed: 1)
    for index in 0..<count {
      let x = try part("\(name)/x\(index)")
      let weights = index == count - 1 ? try part("\(name)/weights") : Tensor(ones: x.shape)
      // Both at once would count the batch twice in the running values.
      let (value, gradients) = withTraining(using: &random) {
        var y = x
        var xGradient = x
        let (_, gradients) = valueWithGradient(at: layer) { layer in
          let (loss, gradient) = valueWithGradient(at: x) { x in
            y = layer(x)
            return (y * weights).sum()
          }
          xGradient = gradient.detached()
          return loss
        }
        return (y, (x: xGradient, model: gradients))
      }
      expectClose(value, try part("\(name)/y\(index)"), 1e-5, "\(name), output \(index)")
      guard index == count - 1 else { continue }
      expectClose(gradients.x, try part("\(name)/xGradient"), 1e-5, "\(name), gradient by x")
      for (key, parameter) in parameters where parameter.isTrainable {
        let gradient = try #require(gradients.model[parameter])
        expectClose(gradient, try part("\(name)/\(key)Gradient"), 1e-5, "\(name), gradient by \(key)")
      }
    }
  }

  private func compareState(_ name: String, _ layer: BatchNorm) throws {
    expectClose(layer.runningMean.value, try part("\(name)/runningMean"), 1e-5, "\(name), mean")
    expectClose(layer.runningVariance.value, try part("\(name)/runningVariance"), 1e-5, "\(name), variance")
    let names = fixture.keys.filter { $0.hasPrefix("\(name)/x") && !$0.hasSuffix("Gradient") }.sorted()
    expectClose(layer(try part(names.last!)), try part("\(name)/used"), 1e-5, "\(name), in use")
  }

  @Test func batchNormIsPyTorchs() throws {
    let images = BatchNorm(5, momentum: 0.2)
    try compare("images", images)
    try compareState("images", images)
    let features = BatchNorm(3)
    try compare("features", features)
    try compareState("features", features)
    let plain = BatchNorm(3, isAffine: false)
    try compare("plain", plain)
    try compareState("plain", plain)
  }

  @Test func othersArePyTorchs() throws {
    try compare("layer", LayerNorm([4, 5]))
    try compare("instance", InstanceNorm(4, isAffine: true))
    try compare("group", GroupNorm(2, 6))
    try compare("rms", RMSNorm(7))
  }

  @Test func namesAndState() {
    let layer = BatchNorm(3)
    #expect(layer.parameters.map(\.name) == ["weight", "bias", "runningMean", "runningVariance"])
    #expect(layer.parameters.map(\.parameter.isTrainable) == [true, true, false, false])
    #expect(BatchNorm(3, isAffine: false).parameters.count == 2)
    #expect(LayerNorm(3, bias: false).parameters.map(\.name) == ["weight"])
    #expect(InstanceNorm(3).parameters.isEmpty)
  }

  /// A batch counts once: not in use, not where a block runs again for its gradients, and not where it is empty.
  @Test func runningValuesChangeOnlyInTraining() {
    let layer = BatchNorm(2)
    let x = Tensor([1, 2, 3, 5] as [Float], shape: [2, 2])
    func running() -> [Float] {
      [layer.runningMean, layer.runningVariance].flatMap { $0.value.elements(as: Float.self) }
    }
    _ = layer(x)
    #expect(running() == [0, 0, 1, 1])
    var random = RandomGenerator(seed: 1)
    withTraining(using: &random) {
      TrainingContext.current!.isRecomputing = true
      _ = layer(x)
      TrainingContext.current!.isRecomputing = false
      #expect(running() == [0, 0, 1, 1])
      #expect(layer(Tensor(zeros: [0, 2])).shape == [0, 2])
      #expect(running() == [0, 0, 1, 1])
      _ = layer(x)
    }
    let expected: [Float] = [0.2, 0.35, 0.9 + 0.1 * 2, 0.9 + 0.1 * 4.5]
    for (found, expected) in zip(running(), expected) { #expect(abs(found - expected) < 1e-6) }
    // Of one sample there is a mean, and nothing is divided by zero.
    withTraining(using: &random) { #expect(layer(x[0..<1]).isFinite) }
    for value in running() { #expect(value.isFinite) }
  }
}
