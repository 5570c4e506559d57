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
  static var geluGradient: [OperationRow] {
    [.gradient("gelu gradient") { Kasane.geluGradient($0, $1) }]
  }

  static var activation: [OperationRow] {
    Activation.allCases.map { activation in
      // Within the corners of all.
      .unary("activation \(activation)", covers: ["callAsFunction"], .insideOne, isInPyTorch: false) {
        activation($0)
      }
    }
  }

  static var softplus: [OperationRow] { [.unary("softplus", covers: ["softplus"]) { Kasane.softplus($0) }] }
  static var gelu: [OperationRow] { [.unary("gelu", covers: ["gelu"]) { Kasane.gelu($0) }] }
  static var geluTanh: [OperationRow] {
    [
      .unary("geluTanh", covers: ["geluTanh"]) { Kasane.geluTanh($0) },
      .unary("geluTanh composed", covers: ["geluTanh"], isInPyTorch: false) { composedGELUTanh($0) },
    ]
  }
  static var silu: [OperationRow] { [.unary("silu", covers: ["silu"]) { Kasane.silu($0) }] }
  static var hardTanh: [OperationRow] {
    [
      .unary("hardTanh", covers: ["hardTanh"]) { Kasane.hardTanh($0, min: -0.1, max: 5) },
      .unary("hardTanh above", covers: ["hardTanh"]) { Kasane.hardTanh($0, min: -5, max: 0.1) },
    ]
  }

  static var gatedTanh: [OperationRow] {
    ([[2, 3, 8], [0, 4], [6], [5, 66]] as [Shape]).map { shape in
      OperationRow("gatedTanh \(shape)", covers: ["gatedTanh"], [Input(shape)]) { Kasane.gatedTanh($0[0]) }
    }
  }

  static var rectifiers: [OperationRow] {
    [
      .unary("relu6", covers: ["relu6"]) { relu6($0) },
      .unary("relu6 of large numbers", covers: ["relu6"]) { relu6(35 * $0) },
      .unary("leakyReLU", covers: ["leakyReLU"]) { leakyReLU($0) },
      .unary("leakyReLU 0.2", covers: ["leakyReLU"]) { leakyReLU($0, slope: 0.2) },
      OperationRow("prelu", covers: ["prelu"], [Input([2, 3, 4]), Input([4])], isElementwise: true) {
        prelu($0[0], slope: $0[1])
      },
      OperationRow(
        "prelu with one slope", covers: ["prelu"], [Input([2, 3]), Input([])], isElementwise: true
      ) {
        prelu($0[0], slope: $0[1])
      },
      .unary("elu", covers: ["elu"]) { elu($0) },
      .unary("elu 0.5", covers: ["elu"]) { elu($0, alpha: 0.5) },
      .unary("elu of large numbers", covers: ["elu"]) { elu(1000 * $0) },
      .unary("selu", covers: ["selu"]) { selu($0) },
    ]
  }

  static var gates: [OperationRow] {
    [
      .unary("mish", covers: ["mish"]) { mish($0) },
      OperationRow("glu", covers: ["glu"], [Input([2, 3, 4])]) { glu($0[0]) },
      OperationRow("glu of an axis", covers: ["glu"], [Input([2, 6, 1])]) { glu($0[0], axis: 1) },
    ]
  }

  static var bounded: [OperationRow] {
    [
      .unary("softsign", covers: ["softsign"]) { softsign($0) },
      .unary("hardSigmoid", covers: ["hardSigmoid"]) { hardSigmoid($0) },
      .unary("hardSigmoid of large numbers", covers: ["hardSigmoid"]) { hardSigmoid(20 * $0) },
      .unary("hardSwish", covers: ["hardSwish"]) { hardSwish($0) },
      .unary("hardSwish of large numbers", covers: ["hardSwish"]) { hardSwish(20 * $0) },
    ]
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
