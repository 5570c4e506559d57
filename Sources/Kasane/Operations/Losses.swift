// SPDX-License-Identifier: Apache-2.0

/// Half the sum of squared differences over all elements, `sum((y - target)^2) / 2`, as one number.
public func halfSquaredError(_ y: Tensor, _ target: Tensor) -> Tensor {
  precondition(
    y.shape == target.shape, "halfSquaredError: shapes \(y.shape) and \(target.shape) differ")
  return recorded(.halfSquaredError, engine.halfSquaredError(y, target), y, target, saving: y, target) {
    step in
    step.add(step.gradient * (step[0] - step[1]), to: 0)
    step.add(step.gradient * (step[1] - step[0]), to: 1)
  }
}
