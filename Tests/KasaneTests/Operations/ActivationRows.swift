// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ActivationRows {
  static var sigmoid: [OperationRow] { [.unary("sigmoid", covers: ["sigmoid"]) { Kasane.sigmoid($0) }] }
  static var tanh: [OperationRow] { [.unary("tanh", covers: ["tanh"]) { Kasane.tanh($0) }] }
  static var relu: [OperationRow] { [.unary("relu", covers: ["relu"]) { Kasane.relu($0) }] }

  static var sigmoidGradient: [OperationRow] {
    [.gradient("sigmoid gradient") { Kasane.sigmoidGradient($0, $1) }]
  }
  static var tanhGradient: [OperationRow] { [.gradient("tanh gradient") { Kasane.tanhGradient($0, $1) }] }
  static var reluGradient: [OperationRow] { [.gradient("relu gradient") { Kasane.reluGradient($0, $1) }] }

  static var activation: [OperationRow] {
    Activation.allCases.map { activation in
      .unary("activation \(activation)", covers: ["callAsFunction"], isInPyTorch: false) { activation($0) }
    }
  }
}

extension OperationRow {
  /// The gradient of an activation as a function of the gradient of its value and of its value.
  fileprivate static func gradient(
    _ name: String, function: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(
      name, covers: [], [Input([2, 3]), Input([2, 3])], shapes: .same(), isInPyTorch: false,
      isElementwise: true
    ) { function($0[0], $0[1]) }
  }
}
