// SPDX-License-Identifier: Apache-2.0

/// Changes a model's parameters along gradients. It does not hold the model; what it remembers between steps is part of
/// a checkpoint.
public protocol Optimizer: AnyObject {
  /// The step size. It may be set before every step; see `Schedule`.
  var learningRate: Double { get set }
  /// Moves every parameter of the model one step; those without a gradient stay as they are.
  func update<Model: Module>(_ model: Model, along gradients: Gradients)
  /// What the optimizer remembers of a model's parameters, by their names; empty where it remembers nothing.
  func state<Model: Module>(of model: Model) -> [String: Tensor]
  /// Takes back what `state` gave for a model of the same parameters. Throws one line with every name that is missing,
  /// unexpected or of another shape or type, and then changes nothing. `source` is the file's name in it.
  func restore<Model: Module>(_ state: [String: Tensor], for model: Model, from source: String) throws
}
