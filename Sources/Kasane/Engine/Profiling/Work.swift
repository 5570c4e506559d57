// SPDX-License-Identifier: Apache-2.0

extension Work {
  /// Reads or writes each of the tensors once.
  init(touching tensors: Tensor?...) {
    for case let tensor? in tensors { bytes += tensor.touchedBytes }
    if let first = tensors.first as? Tensor { dtype = first.dtype }
  }

  /// A matrix product.
  init(productOf a: Tensor, _ b: Tensor, transposing: Transposition, giving y: Tensor) {
    self.init(touching: a, b, y)
    let contracted =
      transposing == .left ? a.elementCount / max(a.shape[a.rank - 1], 1) : a.shape[a.rank - 1]
    operations = 2 * Double(y.elementCount) * Double(contracted)
  }

  /// A convolution of `x` to `y` or one of its gradients, which does as much.
  init(convolving x: Tensor, by kernel: Shape, giving y: Tensor, touching weight: Tensor) {
    self.init(touching: x, y, weight)
    operations = 2 * Double(y.elementCount) * Double(kernel.elementCount / max(kernel[kernel.count - 1], 1))
  }

  /// Attention or its gradient: each product takes one number by queries, keys and a head's size.
  init(attention call: AttentionCall, touching tensors: Tensor?..., products: Double) {
    self.init()
    for case let tensor? in tensors { bytes += tensor.touchedBytes }
    dtype = call.query.dtype
    let sizes = call.query.shape[3] + call.value.shape[3]
    operations = products * Double(call.weightsShape.elementCount) * Double(sizes)
  }

  /// A step of an optimizer.
  init(updating parts: [ParameterUpdate]) {
    self.init()
    for part in parts {
      bytes += part.gradient.touchedBytes
      // Where the gradient is given by rows only those of parameter and states are touched, each read and written.
      let share = part.rows == nil ? part.parameter.touchedBytes : part.gradient.touchedBytes
      let states = [part.states.0, part.states.1, part.states.2].count { $0 != nil }
      bytes += 2 * share * Double(1 + states)
    }
  }

  /// A recurrent layer: the products by both weights, or the two of the backward pass for each of them.
  init(recurrent call: RecurrentCall, giving states: Tensor, passes: Double, needsInput: Bool = true) {
    self.init(touching: call.x, call.inputWeight, call.recurrentWeight, states)
    let (inputs, hidden) = (Double(call.x.shape[2]), Double(call.recurrentWeight.shape[0]))
    bytes *= passes
    let products = passes * (inputs + hidden) - (needsInput ? 0 : inputs)
    operations = 2 * Double(states.elementCount * call.cell.gateCount) * products
  }
}

extension Tensor {
  /// The bytes of the elements that are there: what is broadcast counts once.
  var touchedBytes: Double {
    var count = Double(dtype.size)
    let (sizes, strides) = (shape, self.strides)
    for axis in 0..<rank where strides[axis] != 0 { count *= Double(sizes[axis]) }
    return elementCount == 0 ? 0 : count
  }
}

// Looked up, since spelling an enumeration's case takes longer than a small operation.
private let unaryNames = UnaryPrimitive.allCases.map { "\($0)" }
private let binaryNames = BinaryPrimitive.allCases.map { "\($0)" }
private let reductionNames = ReductionPrimitive.allCases.map { "reduce.\($0)" }

extension UnaryPrimitive {
  var profileName: String { unaryNames[Int(rawValue)] }
}
extension BinaryPrimitive {
  var profileName: String { binaryNames[Int(rawValue)] }
}
extension ReductionPrimitive {
  var profileName: String { reductionNames[Int(rawValue)] }
}
