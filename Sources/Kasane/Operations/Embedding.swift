// SPDX-License-Identifier: Apache-2.0

/// The rows of a table `[count, features]` at some indices, whose axes come before that of the features. Indices are
/// int32 or int64 and count from the end where they are negative. The gradient by a parameter is kept as the rows that
/// were used; see `Gradients.rows(of:)`.
public func embedding(_ table: Tensor, _ indices: Tensor) -> Tensor {
  precondition(table.rank == 2, "embedding: a table of shape \(table.shape), not [count, features]")
  let places = indices.checkedIndices(of: "embedding", axis: 0, shape: table.shape)
  let flat = places.rank == 1 ? places : withoutGradient { places.reshaped(to: [-1]) }
  let rows = recorded(
    .embedding, engine.take(table, flat, axis: 0), table, saving: flat, table.ghostIfRecording
  ) { step in
    let (places, shape) = (step[0], step[1].shape)
    if step.keepsRows(0) { return step.addRows(step.gradient, at: places, to: 0) }
    step.addInPlace(
      to: 0, shape: shape,
      else: Tensor(zeros: shape, dtype: step.gradient.dtype).scatterAdding(step.gradient, at: places)
    ) { sum, _ in
      engine.scatterAdd(step.gradient, places, axis: 0, into: sum)
    }
  }
  return places.rank == 1 ? rows : rows.reshaped(to: places.shape.inserting(table.shape[1], at: places.rank))
}
