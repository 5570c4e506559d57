// SPDX-License-Identifier: Apache-2.0

/// Something besides model and optimizer that a run must take up again where it was: averages of the weights, a
/// schedule that remembers.
public protocol Checkpointed: AnyObject {
  /// What it remembers, by name.
  var state: [String: Tensor] { get }
  /// Takes back what `state` gave. Throws one line that names `source` where that is not possible, and then changes
  /// nothing.
  func restore(_ state: [String: Tensor], from source: String) throws
}
