// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneModels

// Networks for sound.
extension Workload {
  static let waveNet = Workload(
    name: "wavenet-train", about: "WaveNet of 20 layers and 64/128 channels, 4 waves of 8,000 samples, Adam"
  ) { options in
    let (batch, length) = (options.batch ?? 4, options.length ?? 8_000)
    var random = RandomGenerator(seed: 1)
    let model = WaveNet(using: &random)
    let optimizer = Adam(learningRate: 0.001)
    let samples = Tensor(uniform: [batch, length], in: 0..<256, using: &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { model in model.loss(samples) }
      optimizer.update(model, along: gradients)
    }
  }
}
