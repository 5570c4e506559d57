// SPDX-License-Identifier: Apache-2.0

/// exp(x) over its sum along an axis (Bridle 1990).
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  x.requireFloatingPoint("softmax")
  return alongLastAxis(x, axis, of: "softmax") { x in
    let y = engine.softmax(x)
    return recorded(.softmax, y, x, saving: y) { step in
      let scaled = step.gradient * step[0]
      step.add(scaled - step[0] * scaled.sum(axes: Shape(-1), keepingAxes: true), to: 0)
    }
  }
}

/// The logarithm of the softmax along an axis, x - log(sum(exp(x))), without overflow.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  x.requireFloatingPoint("logSoftmax")
  return alongLastAxis(x, axis, of: "logSoftmax") { x in
    let y = engine.logSoftmax(x)
    return recorded(.logSoftmax, y, x, saving: y) { step in
      let total = step.gradient.sum(axes: Shape(-1), keepingAxes: true)
      step.add(step.gradient - exp(step[0]) * total, to: 0)
    }
  }
}

/// A function of the last axis, which the engine has, of another one.
private func alongLastAxis(
  _ x: Tensor, _ axis: Int, of operation: String, _ function: (Tensor) -> Tensor
) -> Tensor {
  let axis = x.axis(axis, of: operation)
  if axis == x.rank - 1 { return function(x) }
  // An exchange of two axes undoes itself.
  var order = Shape(0..<x.rank)
  order.swapAt(axis, x.rank - 1)
  return function(x.permuted(order)).permuted(order)
}
