// SPDX-License-Identifier: Apache-2.0

/// All axes from one on taken as one.
public struct Flatten: Layer {
  /// The first axis that is taken together with those behind it.
  public let startAxis: Int

  /// A layer that leaves the first axis, the batch's, alone unless told otherwise.
  public init(from startAxis: Int = 1) { self.startAxis = startAxis }

  /// Maps `[batch, a, b, ...]` to `[batch, a * b * ...]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { reported { x.flattened(from: startAxis) } }
}
