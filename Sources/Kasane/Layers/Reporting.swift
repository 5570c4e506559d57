// SPDX-License-Identifier: Apache-2.0

extension Module {
  /// Runs `body` as a call of this layer, so that `summary` shows it in a row of its own:
  ///
  ///     func callAsFunction(_ x: Tensor) -> Tensor { reported { relu(linear(x)) } }
  ///
  /// A layer with parameters appears in a summary without it, too. Where no summary is being made, this costs nothing.
  ///
  /// - Parameter isOne: Whether the layer is shown without its parts.
  public func reported(asOne isOne: Bool = false, _ body: () -> Tensor) -> Tensor {
    guard let recorder = Tape.current?.recorder else { return body() }
    return recorder.call(of: self, isOne: isOne, body)
  }
}
