// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

@Suite struct VisionTests {
  /// The numbers of parameters of the papers' networks in PyTorch.
  @Test func parameterCounts() {
    var random = RandomGenerator(seed: 1)
    #expect(MobileNetV1(using: &random).trainableParameterCount == 4_231_976)
    #expect(DenseNet(using: &random).trainableParameterCount == 7_978_856)
    #expect(ResNet(using: &random).trainableParameterCount == 25_557_032)
  }

  @Test func imagesOfOddSizes() {
    var random = RandomGenerator(seed: 1)
    let mobile = MobileNetV1(classCount: 5, width: 0.25, using: &random)
    let dense = DenseNet(classCount: 5, depths: [2, 2, 1], growth: 4, using: &random)
    let residual = ResNet(classCount: 5, depths: [1, 2, 1, 1], width: 4, using: &random)
    for side in [33, 64, 75] {
      let images = Tensor(normal: [2, side, side, 3], using: &random)
      #expect(mobile(images).shape == [2, 5])
      #expect(dense(images).shape == [2, 5])
      #expect(residual(images).shape == [2, 5])
    }
  }
}

/// The networks with PyTorch's weights against its numbers (Tests/Fixtures/vision.py).
@Suite struct VisionParityTests {
  private struct Fixture {
    let name: String
    let tensors: [String: Tensor]

    init(_ name: String) throws {
      let path = Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Vision")
      self.name = name
      tensors = try Safetensors(contentsOf: try #require(path, "no fixture \(name)")).tensors
    }

    /// Compares with an expected tensor, relative to its largest element.
    func expect(_ found: Tensor?, _ what: String, _ tolerance: Double) {
      guard let found, let expected = tensors[what] else {
        Issue.record("\(name): no \(what)")
        return
      }
      #expect(found.shape == expected.shape, "\(name): \(what)")
      let largest = abs(expected).max().scalar
      let difference = abs(found.cast(to: .float32) - expected).max().scalar
      #expect(difference <= tolerance * max(largest, 1e-3), "\(name): \(what)")
    }

    func check<Model: Layer<Tensor, Tensor>>(_ model: Model) throws {
      let weights = tensors.filter { $0.key.hasPrefix("weight.") }
      try model.load(
        Dictionary(uniqueKeysWithValues: weights.map { (String($0.key.dropFirst(7)), $0.value) }), from: name)
      let images = tensors["images"]!, labels = tensors["labels"]!
      expect(model(images), "use", 1e-4)
      // The parts one by one give the same.
      _ = valueWithGradient(at: images) { images in
        let y = model(images)
        expect(y, "use", 1e-4)
        return y.sum()
      }
      var random = RandomGenerator(seed: 1)
      let start = model.copy()
      let (_, gradients) = withTraining(using: &random) {
        valueWithGradient(at: model) { model in
          let y = model(images)
          expect(y, "training", 1e-4)
          return crossEntropy(y, labels)
        }
      }
      for (name, parameter) in model.parameters {
        if parameter.isTrainable {
          expect(gradients[parameter], "gradient.\(name)", 1e-3)
        } else {
          expect(parameter.value, "after.\(name)", 1e-4)
        }
      }
      let (_, byImages) = withTraining(using: &random) {
        valueWithGradient(at: images) { crossEntropy(start($0), labels) }
      }
      expect(byImages, "gradient.images", 1e-3)
    }
  }

  @Test func mobileNet() throws {
    var random = RandomGenerator(seed: 1)
    try Fixture("mobilenet").check(MobileNetV1(classCount: 5, width: 0.015, using: &random))
  }

  @Test func denseNet() throws {
    var random = RandomGenerator(seed: 1)
    try Fixture("densenet").check(DenseNet(classCount: 5, depths: [2, 2], growth: 4, using: &random))
  }

  @Test func residualNetwork() throws {
    var random = RandomGenerator(seed: 1)
    try Fixture("resnet").check(ResNet(classCount: 5, depths: [1, 2], width: 4, using: &random))
  }
}
