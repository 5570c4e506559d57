// SPDX-License-Identifier: Apache-2.0

extension Tensor {
  /// The matrices of the last two axes with zeros above the diagonal whose column is the row plus `offset`.
  public func lowerTriangle(offset: Int = 0) -> Tensor {
    Tensor.where(triangle(.lessOrEqual, offset, of: "lowerTriangle"), self, 0)
  }

  /// The matrices of the last two axes with zeros below the diagonal whose column is the row plus `offset`.
  public func upperTriangle(offset: Int = 0) -> Tensor {
    Tensor.where(triangle(.greaterOrEqual, offset, of: "upperTriangle"), self, 0)
  }

  /// Where the column compares so with the row plus the offset.
  private func triangle(_ comparison: ComparisonPrimitive, _ offset: Int, of operation: String) -> Tensor {
    precondition(rank >= 2, "\(operation): a tensor of shape \(shape) has no two axes")
    let (height, width) = (shape[rank - 2], shape[rank - 1])
    return withoutGradient {
      let rows = Tensor.arange(from: offset, to: offset + height).expanded(axis: 1)
      return engine.compare(comparison, Tensor.arange(width), rows)
    }
  }
}
