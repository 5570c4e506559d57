// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The product over the axes; 1 over no elements. Products of whole numbers and of truth values are of type int64.
  public func product(axes: Shape? = nil, keepingAxes: Bool = false) -> Tensor {
    let reduced = ReducedShape(self, over: axes, of: "product")
    let x = widened()
    let y = recorded(
      .product, engine.reduce(.product, x, to: reduced.kept), x, saving: x
    ) { step in
      step.add(step.gradient * productOfOthers(step[0], to: step.gradient.shape), to: 0)
    }
    return reduced.result(y, keepingAxes: keepingAxes)
  }

  /// The products of the elements up to each one along an axis. Those of whole numbers and of truth values are of
  /// type int64.
  public func cumulativeProduct(axis: Int) -> Tensor {
    var y = widened()
    let axis = self.axis(axis, of: "cumulativeProduct")
    let count = shape[axis]
    // After the pass with a distance of d, each element is the product of the 2 d elements up to it (Hillis and Steele
    // 1986). Products of slices have the right derivatives also where elements are zero.
    var distance = 1
    while distance < count {
      let further = y.sliced(distance..<count, axis: axis) * y.sliced(0..<count - distance, axis: axis)
      y = Tensor.concatenate([y.sliced(0..<distance, axis: axis), further], axis: axis)
      distance *= 2
    }
    return y
  }

  /// The sums of the elements up to each one along an axis, or from each one on where `reversed`. Those of whole
  /// numbers and of truth values are of type int64.
  public func cumulativeSum(axis: Int, reversed: Bool = false) -> Tensor {
    let axis = self.axis(axis, of: "cumulativeSum")
    let x = widened()
    return recorded(
      .cumulativeSum, engine.cumulativeSum(x, axis: axis, reversed: reversed), x,
      integers: (axis, reversed ? 1 : 0)
    ) { step in
      let (axis, reversed) = step.integers
      step.add(step.gradient.cumulativeSum(axis: axis, reversed: reversed == 0), to: 0)
    }
  }
}

/// For each element the product of the others with which it becomes one of `shape`, in which the reduced axes have
/// size 1: by multiplications alone, so that it is right where elements are zero, and so are its derivatives.
private func productOfOthers(_ x: Tensor, to shape: Shape) -> Tensor {
  let isReduced = { (axis: Int) in shape[axis] != x.shape[axis] }
  let order = Shape((0..<x.rank).filter { !isReduced($0) } + (0..<x.rank).filter(isReduced))
  var inverse = order
  for (axis, source) in order.enumerated() { inverse[source] = axis }
  let permuted = x.permuted(order)
  let rows = shape.elementCount
  let others = productOfOthers(permuted.reshaped(to: Shape(rows, rows == 0 ? 0 : x.elementCount / rows)))
  return others.reshaped(to: permuted.shape).permuted(inverse)
}

/// The same for each row of a matrix. The elements are paired: the others of one are its partner and the other pairs.
private func productOfOthers(_ x: Tensor) -> Tensor {
  let (rows, count) = (x.shape[0], x.shape[1])
  if count < 2 { return Tensor(ones: x.shape, dtype: x.dtype) }
  let last = Tensor(ones: Shape(rows, count % 2), dtype: x.dtype)
  let even = count % 2 == 0 ? x : Tensor.concatenate([x, last], axis: 1)
  let pairs = even.reshaped(to: Shape(rows, (count + 1) / 2, 2))
  let (left, right) = (pairs.select(0, axis: 2), pairs.select(1, axis: 2))
  let otherPairs = productOfOthers(left * right)
  let products = Tensor.stack([otherPairs * right, otherPairs * left], axis: 2).reshaped(to: even.shape)
  return count % 2 == 0 ? products : products.sliced(0..<count, axis: 1)
}
