// SPDX-License-Identifier: Apache-2.0

import Kasane
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
