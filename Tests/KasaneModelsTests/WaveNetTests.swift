// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// WaveNet against PyTorch (Tests/Fixtures/wavenet.py).
@Suite struct WaveNetTests {
  private let numbers: [String: Tensor]
  private let model: WaveNet

  init() throws {
    let path = Bundle.module.path(
      forResource: "wavenet", ofType: "safetensors", inDirectory: "Fixtures/Audio")
    numbers = try Safetensors(contentsOf: try #require(path, "no fixture")).tensors
    var random = RandomGenerator(seed: 1)
    model = WaveNet(levels: 11, channels: 6, skipChannels: 9, layers: 5, cycle: 3, using: &random)
    try model.load(part("weight."), from: "wavenet")
  }

  private func part(_ prefix: String) -> [String: Tensor] {
    Dictionary(
      uniqueKeysWithValues: numbers.compactMap { name, value in
        name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), value) : nil
      })
  }

  @Test func itIsPyTorchs() throws {
    let levels = numbers["levels"]!
    #expect(model(levels).isClose(to: numbers["logits"]!, relative: 1e-5, absolute: 1e-5))
    let (loss, gradients) = valueWithGradient(at: model) { $0.loss(levels) }
    #expect(abs(loss.scalar - numbers["loss"]!.scalar) < 1e-5)
    let expected = part("gradient.")
    for (name, parameter) in model.parameters {
      // What the last layer would hand on goes nowhere.
      guard let exact = expected[name] else {
        #expect(name.hasPrefix("blocks.4.residual") && gradients[parameter] == nil)
        continue
      }
      let gradient = try #require(gradients[parameter], "no gradient by \(name)")
      #expect(gradient.isClose(to: exact, relative: 1e-4, absolute: 1e-6), "\(name)")
    }
  }

  @Test func oneHotVectorsGiveTheSame() {
    let levels = numbers["levels"]!
    let vectors = oneHot(levels, depth: 11)
    #expect(model(vectors).isClose(to: model(levels), relative: 1e-6, absolute: 1e-6))
  }

  @Test func nothingIsKnownOfWhatComes() {
    let levels = numbers["levels"]!
    let early = model(levels.sliced(0..<9, axis: 1))
    #expect(early.isClose(to: model(levels).sliced(0..<9, axis: 1), relative: 1e-5, absolute: 1e-6))
  }
}
