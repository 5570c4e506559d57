// SPDX-License-Identifier: Apache-2.0

// MARK: Models

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

/// The gradients of a function by a model's parameters.
public func gradient<Model: Module>(
  at model: Model, of loss: (Model) throws -> Tensor
) rethrows -> Gradients {
  try valueWithGradient(at: model, of: loss).gradients
}

/// The value of a function of a model and tensors, and its gradients by the model's parameters and by each tensor.
public func valueWithGradients<Model: Module>(
  at model: Model, _ inputs: [Tensor], of loss: (Model, [Tensor]) throws -> Tensor
) rethrows -> (value: Tensor, gradients: Gradients, inputGradients: [Tensor]) {
  try Tape.withScope { tape, mark in
    let firstLeaf = tape.watchedCount
    model.forEachParameter { if $0.isTrainable { tape.watch($0, firstLeaf: firstLeaf) } }
    let leaves = inputs.map(tape.makeLeaf)
    let value = try loss(model, leaves)
    tape.propagate(from: value, downTo: mark)
    return (value, tape.gradientsOfWatched(since: firstLeaf), tape.takeGradients(of: leaves))
  }
}

/// The value of a function of a model and a tensor, and its gradients by the model's parameters and by the tensor.
public func valueWithGradient<Model: Module>(
  at model: Model, _ x: Tensor, of loss: (Model, Tensor) throws -> Tensor
) rethrows -> (value: Tensor, gradients: Gradients, inputGradient: Tensor) {
  let all = try valueWithGradients(at: model, [x]) { try loss($0, $1[0]) }
  return (all.value, all.gradients, all.inputGradients[0])
}

/// Several losses of one computation, and the gradients of each: the forward pass runs once, the backward pass once for
/// each loss.
public func valuesWithGradients<Model: Module>(
  at model: Model, of losses: (Model) throws -> [Tensor]
) rethrows -> (values: [Tensor], gradients: [Gradients]) {
  try Tape.withScope { tape, mark in
    let firstLeaf = tape.watchedCount
    model.forEachParameter { if $0.isTrainable { tape.watch($0, firstLeaf: firstLeaf) } }
    let values = try losses(model)
    let gradients = values.enumerated().map { index, value in
      tape.propagate(from: value, downTo: mark, isLast: index == values.count - 1)
      return tape.gradientsOfWatched(since: firstLeaf)
    }
    return (values, gradients)
  }
}

// MARK: Tensors

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
    return (value, tape.takeGradients(of: leaves))
  }
}

/// The gradient of a function at a tensor.
public func gradient(at x: Tensor, of function: (Tensor) throws -> Tensor) rethrows -> Tensor {
  try valueWithGradient(at: x, of: function).gradient
}

/// The value of a function, which need not be one number, and the product of a vector of the value's shape with its
/// Jacobian: the sum of the gradients of the value's elements, each times the vector's.
public func valueWithVectorJacobianProduct(
  at x: Tensor, vector: (_ value: Tensor) throws -> Tensor, of function: (Tensor) throws -> Tensor
) rethrows -> (value: Tensor, product: Tensor) {
  try Tape.withScope { tape, mark in
    let leaf = tape.makeLeaf(x)
    let value = try function(leaf)
    let vector = try vector(value)
    precondition(
      vector.shape == value.shape,
      "valueWithVectorJacobianProduct: a vector of shape \(vector.shape) for a value of shape \(value.shape)")
    tape.propagate(vector, from: value, downTo: mark)
    return (value, tape.takeGradients(of: [leaf])[0])
  }
}

/// The derivatives of every element of a function's value by every element of its input: the value's shape followed by
/// the input's. The forward pass runs once, the backward pass once for each element of the value.
public func jacobian(at x: Tensor, of function: (Tensor) throws -> Tensor) rethrows -> Tensor {
  try Tape.withScope { tape, mark in
    let leaf = tape.makeLeaf(x)
    let value = try function(leaf)
    let count = value.elementCount
    let shape = Shape(Array(value.shape) + Array(x.shape))
    guard count > 0 else { return Tensor(zeros: shape, dtype: x.dtype) }
    let rows = (0..<count).map { index in
      var one = [Double](repeating: 0, count: count)
      one[index] = 1
      let seed = Tensor(one, shape: value.shape).cast(to: value.dtype)
      tape.propagate(seed, from: value, downTo: mark, isLast: index == count - 1)
      return tape.takeGradients(of: [leaf])[0]
    }
    return Tensor.stack(rows).reshaped(to: shape)
  }
}

// MARK: Outside of the tape

/// Runs `body` with nothing recorded: its results are constants to the gradient scopes around it.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
  guard let tape = Tape.recording else { return try body() }
  tape.isRecording = false
  defer { tape.isRecording = true }
  return try body()
}

extension Tape {
  /// The gradients that a backward pass left at leaves, zeros where the loss does not depend on one.
  func takeGradients(of leaves: [Tensor]) -> [Tensor] {
    leaves.map { takeGradient(of: $0) ?? Tensor(zeros: $0.shape, dtype: $0.dtype) }
  }
}
