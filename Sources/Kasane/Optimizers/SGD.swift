// SPDX-License-Identifier: Apache-2.0

/// Changes a model's parameters along gradients. What it remembers between steps is part of a checkpoint.
public protocol Optimizer: AnyObject {
  /// Moves every parameter of the model one step; those without a gradient stay as they are.
  func update<Model: Module>(_ model: Model, along gradients: Gradients)
  /// What the optimizer remembers, by name; empty where it remembers nothing.
  var state: [String: Tensor] { get }
  /// Takes back what `state` gave. Throws where a name is missing, unexpected or of the wrong shape.
  func restore(_ state: [String: Tensor]) throws
}

/// Plain gradient descent: `parameter -= learningRate * gradient`.
public final class SGD: Optimizer {
  /// The step size.
  public var learningRate: Double

  /// An optimizer with the given step size.
  public init(learningRate: Double) { self.learningRate = learningRate }

  public func update<Model: Module>(_ model: Model, along gradients: Gradients) {
    gradients.forEach(of: model) { parameter, gradient in
      parameter.mutate { engine.descend($0, along: gradient, rate: learningRate) }
    }
  }

  public var state: [String: Tensor] { [:] }

  public func restore(_ state: [String: Tensor]) throws {
    guard state.isEmpty else {
      throw KasaneError(
        "optimizer: SGD remembers nothing, found \(state.keys.sorted().joined(separator: ", "))")
    }
  }
}
