// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneData
import KasaneModels

// Networks of dense layers.
extension Workload {
  static let variationalAutoencoder = Workload(
    name: "vae", about: "a variational autoencoder, 784-400-20, batch 128, Adam"
  ) { options in
    let batch = options.batch ?? 128
    var random = RandomGenerator(seed: 1)
    let model = VariationalAutoencoder(inputs: 784, hidden: 400, latent: 20, using: &random)
    let optimizer = Adam(learningRate: 0.001)
    let x = Tensor(uniform: [batch, 784], using: &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { model in model.loss(x, using: &random) }
      optimizer.update(model, along: gradients)
    }
  }

  static let variationalAutoencoderEpoch = Workload(
    name: "vae-epoch",
    about: "an epoch of that over 60,000 images of 28 by 28 bytes, shuffled and made into batches"
  ) { options in
    let batch = options.batch ?? 128
    var random = RandomGenerator(seed: 1)
    let model = VariationalAutoencoder(inputs: 784, hidden: 400, latent: 20, using: &random)
    let optimizer = Adam(learningRate: 0.001)
    let pixels = Tensor(uniform: [60_000, 28, 28], from: 0, to: 256, using: &random).cast(to: .uint8)
    let images = GreyImages(pixels: pixels)
    var batches = ShuffledBatches(count: images.count, size: batch, seed: 1, stream: 1)
    var iteration = 0
    return {
      for _ in 0..<batches.batchesPerEpoch {
        let x = images.batch(batches.indices(at: iteration))
        let (_, gradients) = valueWithGradient(at: model) { model in model.loss(x, using: &random) }
        optimizer.update(model, along: gradients)
        iteration += 1
      }
    }
  }

  static let deepQUpdate = Workload(
    name: "dqn-update", about: "a step of deep Q-learning, 4-128-128-2, batch 64, Adam, Huber's loss"
  ) { options in
    let batch = options.batch ?? 64
    var random = RandomGenerator(seed: 1)
    let model = Sequential {
      Linear(4, 128, using: &random)
      relu
      Linear(128, 128, using: &random)
      relu
      Linear(128, 2, using: &random)
    }
    let optimizer = Adam(learningRate: 0.001)
    let states = Tensor(normal: [batch, 4], using: &random)
    let targets = Tensor(normal: [batch, 2], using: &random)
    return {
      let (_, gradients) = valueWithGradient(at: model) { model in huberLoss(model(states), targets) }
      optimizer.update(model, along: gradients)
    }
  }
}
