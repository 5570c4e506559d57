// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneModels
import Testing

/// Autoencoders against PyTorch (Tests/Fixtures/autoencoders.py) and against integrals.
@Suite struct AutoencoderTests {
  private struct Fixture {
    let numbers: [String: Tensor]

    init(_ name: String) throws {
      let path = Bundle.module.path(
        forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Generative")
      numbers = try Safetensors(contentsOf: try #require(path, "no fixture \(name)")).tensors
    }

    subscript(name: String) -> Tensor { numbers[name]! }

    func part(_ prefix: String) -> [String: Tensor] {
      Dictionary(
        uniqueKeysWithValues: numbers.compactMap { name, value in
          name.hasPrefix(prefix) ? (String(name.dropFirst(prefix.count)), value) : nil
        })
    }

    func expect(_ gradients: Gradients, of model: some Module) throws {
      let expected = part("gradient.")
      #expect(expected.count == model.parameters.count)
      for (name, parameter) in model.parameters {
        let exact = try #require(expected[name], "no fixture of \(name)")
        let gradient = try #require(gradients[parameter], "no gradient by \(name)")
        #expect(gradient.isClose(to: exact, relative: 1e-4, absolute: 1e-5), "\(name)")
      }
    }
  }

  private func isNear(_ a: Tensor, _ b: Tensor) -> Bool { a.isClose(to: b, relative: 1e-5, absolute: 1e-5) }

  @Test(arguments: VariationalAutoencoder.Likelihood.allCases)
  func theBoundIsPyTorchs(_ likelihood: VariationalAutoencoder.Likelihood) throws {
    let fixture = try Fixture(likelihood.rawValue)
    var random = RandomGenerator(seed: 1)
    let model = VariationalAutoencoder(
      inputs: 6, hidden: 5, latent: 3, likelihood: likelihood, using: &random)
    try model.load(fixture.part("weight."), from: "fixture")
    let bound = model.bound(fixture["x"], noise: fixture["noise"])
    #expect(isNear(bound.reconstruction, fixture["reconstruction"]))
    #expect(isNear(bound.divergence, fixture["divergence"]))
    let (_, gradients) = valueWithGradient(at: model) { model in
      let bound = model.bound(fixture["x"], noise: fixture["noise"])
      return (bound.reconstruction + 0.5 * bound.divergence).sum()
    }
    try fixture.expect(gradients, of: model)
  }

  @Test func theLossIsTheBoundsSum() {
    var random = RandomGenerator(seed: 2)
    let model = VariationalAutoencoder(inputs: 6, hidden: 5, latent: 3, using: &random)
    let x = Tensor(uniform: [4, 6], using: &random)
    var (first, second) = (random, random)
    let bound = model.bound(x, using: &first)
    let loss = model.loss(x, beta: 3, using: &second)
    #expect(isNear(loss, bound.reconstruction.sum() + 3 * bound.divergence.sum()))
  }

  @Test func convolutionsArePyTorchs() throws {
    let fixture = try Fixture("convolutional")
    var random = RandomGenerator(seed: 1)
    let model = ConvolutionalAutoencoder(height: 9, width: 7, channels: 2, latent: 3, using: &random)
    try model.load(fixture.part("weight."), from: "fixture")
    let codes = model.codes(of: fixture["x"])
    #expect(isNear(codes, fixture["codes"]))
    #expect(isNear(model.decode(codes), fixture["logits"]))
    #expect(isNear(model.inputs(of: codes), sigmoid(fixture["logits"])))
    let (_, gradients) = valueWithGradient(at: model) { model in
      binaryCrossEntropy(
        logits: model.decode(model.codes(of: fixture["x"])), fixture["x"], reduction: .sum)
    }
    try fixture.expect(gradients, of: model)
  }

  /// One latent variable can be integrated over: a sum over a fine grid is p(x), and the divergence.
  @Test(arguments: VariationalAutoencoder.Likelihood.allCases)
  func estimatesAreIntegrals(_ likelihood: VariationalAutoencoder.Likelihood) throws {
    var random = RandomGenerator(seed: 3)
    let model = VariationalAutoencoder(
      inputs: 6, hidden: 5, latent: 1, likelihood: likelihood, using: &random)
    let x = Tensor(uniform: [1, 6], using: &random)
    let (mean, logVariance) = model.encode(x)
    let (center, deviation) = (mean.scalar, exp(0.5 * logVariance).scalar)

    var (likelihoodSum, divergence) = (0.0, 0.0)
    let step = 0.01
    for index in -1200...1200 {
      let z = Double(index) * step
      let prior = -0.5 * (z * z + log(2 * Double.pi))
      let distance = (z - center) / deviation
      let posterior = -0.5 * (distance * distance + log(2 * Double.pi)) - log(deviation)
      divergence += exp(posterior) * (posterior - prior) * step
      // The noise that leads to this z.
      let noise = Tensor([Float(distance)], shape: [1, 1])
      let surprise = model.bound(x, noise: noise).reconstruction.sum().scalar
      likelihoodSum += exp(prior - surprise) * step
    }
    let bound = model.bound(x, noise: Tensor(zeros: [1, 1]))
    #expect(abs(bound.divergence.sum().scalar - divergence) < 1e-4)

    let exact = log(likelihoodSum)
    let estimate = model.logLikelihood(x, samples: 4000, using: &random).sum().scalar
    #expect(abs(estimate - exact) < 0.02, "\(estimate), \(exact)")
    // Fewer samples are a lower bound on average: with one it is the bound of the evidence.
    let many = Tensor.concatenate([Tensor](repeating: x, count: 4000), axis: 0)
    let one = model.logLikelihood(many, samples: 1, using: &random).mean().scalar
    #expect(one < exact - 1e-3, "\(one), \(exact)")
  }
}
