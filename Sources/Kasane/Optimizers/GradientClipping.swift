// SPDX-License-Identifier: Apache-2.0

extension Gradients {
  /// The root of the sum of the squares of all gradients' elements (the global norm). Rows of an embedding's table that
  /// were not used count nothing.
  public var norm: Double {
    var total = 0.0
    for entry in store.entries {
      guard let values = entry.values else { continue }
      let wide = values.dtype == .float64 ? values : withoutGradient { values.cast(to: .float32) }
      total += engine.sumOfSquares(wide)
    }
    return total.squareRoot() * abs(scale)
  }

  /// Scales all gradients so that their norm is at most `limit` (Pascanu, Mikolov and Bengio 2013), by PyTorch's rule
  /// `limit / (norm + 1e-6)`. The gradients are read once; what scales them is applied when they are used. Returns the
  /// norm before; where it is infinite or NaN the gradients become useless, and the caller should look.
  @discardableResult
  public mutating func clip(toNorm limit: Double) -> Double {
    precondition(limit > 0, "clip(toNorm:): a norm of \(limit)")
    let norm = norm
    let factor = limit / (norm + 1e-6)
    if !(factor >= 1) { scale(by: factor) }
    return norm
  }

  /// Brings every element of the gradients into `-limit...limit`.
  public mutating func clip(toValue limit: Double) {
    precondition(limit >= 0, "clip(toValue:): a limit of \(limit)")
    mapValues { values in
      func number(_ value: Double) -> Tensor { Tensor(repeating: value, shape: Shape(), dtype: values.dtype) }
      let below = engine.binary(.minimum, values, number(limit))
      return engine.binary(.maximum, below, number(-limit))
    }
  }
}
