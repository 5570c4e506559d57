// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// A differentiable function with inputs to check it at.
struct GradientCase {
  let name: String
  let inputs: [Tensor]
  let function: ([Tensor]) -> Tensor

  init(_ name: String, _ inputs: [Tensor], _ function: @escaping ([Tensor]) -> Tensor) {
    self.name = name
    self.inputs = inputs
    self.function = function
  }
}

/// Random float64 tensors for checks. Values keep away from zero, where `relu` has a corner.
struct TensorMaker {
  var random: RandomGenerator

  init(seed: UInt64) { random = RandomGenerator(seed: seed) }

  mutating func tensor(_ shape: Shape, positive: Bool = false) -> Tensor {
    let values = (0..<shape.elementCount).map { _ -> Double in
      let magnitude = random.uniform() + 0.2
      return positive || random.uniform() < 0.5 ? magnitude : -magnitude
    }
    return Tensor(values, shape: shape)
  }

  /// The same kind of tensor as a view whose elements do not lie in order.
  mutating func strided(_ shape: Shape, positive: Bool = false) -> Tensor {
    precondition(shape.count >= 2)
    var swapped = shape
    swapped.swapAt(shape.count - 1, shape.count - 2)
    return tensor(swapped, positive: positive).transposed()
  }
}

/// Compares the gradients of a function with central differences, and the gradients of those gradients too, all in
/// float64.
func checkGradients(_ test: GradientCase, second: Bool = true) {
  var maker = TensorMaker(seed: 99)
  let value = test.function(test.inputs)
  let weights = maker.tensor(value.shape)
  let scalar = { (x: [Tensor]) in (test.function(x) * weights).sum() }
  compare(scalar, test.inputs, test.name, tolerance: 1e-7)
  guard second else { return }
  let directions = test.inputs.map { maker.tensor($0.shape) }
  let slope = { (x: [Tensor]) -> Tensor in
    let (_, gradients) = valueWithGradients(at: x) { scalar($0) }
    var total = Tensor(0.0)
    for (gradient, direction) in zip(gradients, directions) { total = total + (gradient * direction).sum() }
    return total
  }
  compare(slope, test.inputs, test.name + ", second derivative", tolerance: 1e-6)
}

private func compare(
  _ function: ([Tensor]) -> Tensor, _ inputs: [Tensor], _ name: String, tolerance: Double
) {
  let (_, gradients) = valueWithGradients(at: inputs, of: function)
  for (index, input) in inputs.enumerated() {
    #expect(gradients[index].shape == input.shape, "\(name): gradient \(index)")
    let found = gradients[index].elements(as: Double.self)
    let values = input.elements(as: Double.self)
    for place in values.indices {
      func value(_ step: Double) -> Double {
        var moved = values
        moved[place] += step
        var all = inputs
        all[index] = Tensor(moved, shape: input.shape)
        return function(all).scalar
      }
      let step = 1e-5
      let expected = (value(step) - value(-step)) / (2 * step)
      let allowed = tolerance * max(1, abs(expected))
      guard abs(found[place] - expected) <= allowed else {
        Issue.record(
          "\(name): gradient \(index) at \(place) is \(found[place]), differences give \(expected)")
        return
      }
    }
  }
}
