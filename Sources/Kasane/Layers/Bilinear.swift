// SPDX-License-Identifier: Apache-2.0

/// A map of two vectors, linear in each, plus a bias: output k is the sum over i and j of `a(i) W(i, j, k) b(j)`, plus
/// `c(k)`.
public struct Bilinear: Module {
  /// W, `[leftInputs, rightInputs, outputs]`; PyTorch's has the outputs first.
  public let weight: Parameter
  /// c, `[outputs]`.
  public let bias: Parameter?

  /// A layer with a random weight and, unless told otherwise, a bias of zeros.
  public init(
    _ leftInputs: Int, _ rightInputs: Int, _ outputs: Int, bias: Bool = true,
    initializer: Initializer = .xavier,
    using generator: inout RandomGenerator
  ) {
    weight = Parameter(
      initializer(
        [leftInputs, rightInputs, outputs], fanIn: leftInputs * rightInputs, fanOut: outputs,
        using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [outputs])) : nil
  }

  /// Maps `[..., leftInputs]` and `[..., rightInputs]`, which agree in all axes but the last, to `[..., outputs]`.
  public func callAsFunction(_ left: Tensor, _ right: Tensor) -> Tensor {
    let (inputs, others, outputs) = (weight.shape[0], weight.shape[1], weight.shape[2])
    precondition(
      left.shape.last == inputs && right.shape.last == others
        && Shape(left.shape.dropLast()) == Shape(right.shape.dropLast()),
      "Bilinear: inputs of shapes \(left.shape) and \(right.shape) for a weight of shape \(weight.shape)")
    return reported {
      let rows = left.shape.dropLast().reduce(1, *)
      // The left vector makes a matrix of the weight, by which the right one is multiplied.
      let matrices = matmul(
        left.reshaped(to: [rows, inputs]), weight.value.reshaped(to: [inputs, others * outputs]))
      let products = matmul(
        right.reshaped(to: [rows, 1, others]), matrices.reshaped(to: [rows, others, outputs]))
      var shape = left.shape
      shape[shape.count - 1] = outputs
      let result = products.reshaped(to: shape)
      guard let bias else { return result }
      return result + bias.value
    }
  }
}
