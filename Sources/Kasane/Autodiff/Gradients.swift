// SPDX-License-Identifier: Apache-2.0

/// Reused from step to step by the tape while nobody else holds it.
final class GradientStore {
  struct Entry {
    let parameter: Parameter
    let gradient: Tensor?
  }

  var entries: [Entry] = []
}

/// The gradients of a loss by a model's parameters.
public struct Gradients {
  let store: GradientStore

  /// The gradient by a parameter, or nil where the loss does not depend on it or it is not the model's.
  public subscript(parameter: Parameter) -> Tensor? {
    for entry in store.entries where entry.parameter === parameter { return entry.gradient }
    return nil
  }

  /// Calls `body` with every parameter of the model that has a gradient, a shared one once.
  func forEach<Model: Module>(of model: Model, _ body: (Parameter, Tensor) -> Void) {
    var index = 0
    let stamp = Parameter.nextStamp()
    model.forEachParameter { parameter in
      guard parameter.isTrainable, parameter.takeStamp(stamp) else { return }
      // The gradients are in the order in which the model they were taken of declares its parameters.
      let isNext = index < store.entries.count && store.entries[index].parameter === parameter
      let gradient = isNext ? store.entries[index].gradient : self[parameter]
      index += 1
      if let gradient { body(parameter, gradient) }
    }
  }
}

/// The value of a function at a model, and its gradients by the model's parameters.
///
/// - Parameters:
///   - model: The parameters to differentiate by are those it holds.
///   - loss: Computes one number from the model; any Swift control flow may be used.
public func valueWithGradient<Model: Module>(
  at model: Model, of loss: (Model) throws -> Tensor
) rethrows -> (value: Tensor, gradients: Gradients) {
  try Tape.withScope { tape, mark in
    let firstLeaf = tape.watchedCount
    model.forEachParameter { if $0.isTrainable { tape.watch($0, firstLeaf: firstLeaf) } }
    let value = try loss(model)
    tape.propagate(from: value, downTo: mark)
    return (value, tape.gradientsOfWatched(since: firstLeaf))
  }
}

/// The value of a function at a tensor, and its gradient there.
public func valueWithGradient(
  at x: Tensor, of function: (Tensor) throws -> Tensor
) rethrows -> (value: Tensor, gradient: Tensor) {
  let (value, gradients) = try valueWithGradients(at: [x]) { try function($0[0]) }
  return (value, gradients[0])
}

/// The value of a function of two tensors, and its gradients by both.
public func valueWithGradient(
  at x: Tensor, _ y: Tensor, of function: (Tensor, Tensor) throws -> Tensor
) rethrows -> (value: Tensor, gradients: (Tensor, Tensor)) {
  let (value, gradients) = try valueWithGradients(at: [x, y]) { try function($0[0], $0[1]) }
  return (value, (gradients[0], gradients[1]))
}

/// The value of a function of any number of tensors, and its gradients by each.
public func valueWithGradients(
  at inputs: [Tensor], of function: ([Tensor]) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor]) {
  try Tape.withScope { tape, mark in
    let leaves = inputs.map(tape.makeLeaf)
    let value = try function(leaves)
    tape.propagate(from: value, downTo: mark)
    let gradients = leaves.map { tape.takeGradient(of: $0) ?? Tensor(zeros: $0.shape, dtype: $0.dtype) }
    return (value, gradients)
  }
}

/// The gradient of a function at a tensor.
public func gradient(at x: Tensor, of function: (Tensor) throws -> Tensor) rethrows -> Tensor {
  try valueWithGradient(at: x, of: function).gradient
}

/// Runs `body` with nothing recorded: its results are constants to the gradient scopes around it.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
  guard let tape = Tape.recording else { return try body() }
  tape.isRecording = false
  defer { tape.isRecording = true }
  return try body()
}
