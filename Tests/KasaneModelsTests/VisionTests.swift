// SPDX-License-Identifier: Apache-2.0

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
