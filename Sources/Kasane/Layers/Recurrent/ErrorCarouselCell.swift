// SPDX-License-Identifier: Apache-2.0

/// What remains of long short-term memory without gates, the constant error carousel (Hochreiter and Schmidhuber 1997,
/// section 3.2): units that keep what they have, since they are joined to themselves by a weight of 1.
///
///     g = tanh(x W + h(t-1) U + b)      what there is to remember
///     c(t) = c(t-1) + g
///     h(t) = tanh(c(t))
///
/// Along c the derivative of c(t) by c(t-1) is 1: the error neither vanishes nor explodes. But everything is let in,
/// nothing is ever forgotten, and all is shown, which is what the gates are for.
public struct ErrorCarouselCell: GatedCell {
  /// W, `[inputs, hidden]`.
  public let inputWeight: Parameter
  /// U, `[hidden, hidden]`.
  public let recurrentWeight: Parameter
  /// b, `[hidden]`.
  public let bias: Parameter?

  /// A cell with random weights and, unless told otherwise, a bias of zeros.
  public init(
    _ inputs: Int, _ hidden: Int, bias: Bool = true, initializer: Initializer = .glorotUniform,
    recurrentInitializer: Initializer = .orthogonal, using generator: inout RandomGenerator
  ) {
    inputWeight = Parameter(initializer(inputs, hidden, using: &generator))
    recurrentWeight = Parameter(recurrentInitializer(hidden, hidden, using: &generator))
    self.bias = bias ? Parameter(Tensor(zeros: [hidden])) : nil
  }

  /// The state after a step, from the projected input and the state before.
  public func step(_ projected: Tensor, _ state: LSTMState?) -> LSTMState {
    var cell = tanh(sums(projected, state?.hidden))
    if let state { cell = state.cell + cell }
    return LSTMState(hidden: tanh(cell), cell: cell)
  }
}
