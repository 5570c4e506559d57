// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Compares the gradients of a function, weighted at random, by the inputs at `places` with central differences, and
/// where `second` the gradients of those gradients too, all in float64.
///
/// The slope along a random direction is compared, which costs two evaluations for an input of any size; where it is
/// wrong, differences of single elements find the place.
func checkGradients(
  _ name: String, at inputs: [Tensor], places: [Int]? = nil, second: Bool = true, seed: UInt64 = 99,
  function: @escaping ([Tensor]) -> Tensor
) {
  var maker = RowInputs(seed: seed)
  let places = places ?? Array(inputs.indices)
  let whole = { (x: [Tensor]) -> Tensor in
    var all = inputs
    for (place, tensor) in zip(places, x) { all[place] = tensor }
    return function(all)
  }
  let chosen = places.map { inputs[$0] }
  let weights = maker.tensor(Input(whole(chosen).shape))
  let scalar = { (x: [Tensor]) in (whole(x) * weights).sum() }
  compare(scalar, chosen, name, tolerance: 1e-7, &maker)
  guard second else { return }
  let directions = chosen.map { maker.tensor(Input($0.shape)) }
  let slope = { (x: [Tensor]) -> Tensor in
    let (_, gradients) = valueWithGradients(at: x) { scalar($0) }
    var total = Tensor(0.0)
    for (gradient, direction) in zip(gradients, directions) { total = total + (gradient * direction).sum() }
    return total
  }
  compare(slope, chosen, name + ", second derivative", tolerance: 1e-6, &maker)
}

private func compare(
  _ function: ([Tensor]) -> Tensor, _ inputs: [Tensor], _ name: String, tolerance: Double,
  _ maker: inout RowInputs
) {
  let (_, gradients) = valueWithGradients(at: inputs, of: function)
  for (index, input) in inputs.enumerated() {
    guard gradients[index].shape == input.shape, gradients[index].dtype == input.dtype else {
      Issue.record("\(name): gradient \(index) is \(gradients[index]) for an input of shape \(input.shape)")
      return
    }
    let values = input.elements(as: Double.self)
    let found = gradients[index].elements(as: Double.self)
    func difference(along direction: [Double]) -> Double {
      let step = 1e-5
      func value(_ step: Double) -> Double {
        var all = inputs
        all[index] = Tensor(zip(values, direction).map { $0 + step * $1 }, shape: input.shape)
        return function(all).scalar
      }
      return (value(step) - value(-step)) / (2 * step)
    }
    func isClose(_ found: Double, _ expected: Double, scale: Double) -> Bool {
      abs(found - expected) <= tolerance * max(1, scale)
    }
    let direction = maker.tensor(Input(input.shape)).elements(as: Double.self)
    let parts = zip(found, direction).map { $0 * $1 }
    let slope = difference(along: direction)
    if isClose(parts.reduce(0, +), slope, scale: parts.reduce(0) { $0 + abs($1) }) { continue }
    for place in values.indices {
      let expected = difference(along: values.indices.map { $0 == place ? 1 : 0 })
      guard !isClose(found[place], expected, scale: abs(expected)) else { continue }
      Issue.record(
        "\(name): gradient \(index) at \(place) is \(found[place]), differences give \(expected)")
      return
    }
    Issue.record(
      "\(name): gradient \(index) gives the slope \(parts.reduce(0, +)), differences give \(slope)")
  }
}
