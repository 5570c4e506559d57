// SPDX-License-Identifier: Apache-2.0

/// An activation function without parameters, chosen by name.
public enum Activation: String, CaseIterable, Codable, Sendable {
  case sigmoid, relu, tanh
  case relu6, leakyReLU, elu, selu, softplus
  case gelu, geluTanh, silu, mish
  case softsign, hardTanh, hardSigmoid, hardSwish

  /// The function of each element of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    reported {
      switch self {
      case .sigmoid: Kasane.sigmoid(x)
      case .relu: Kasane.relu(x)
      case .tanh: Kasane.tanh(x)
      case .relu6: Kasane.relu6(x)
      case .leakyReLU: Kasane.leakyReLU(x)
      case .elu: Kasane.elu(x)
      case .selu: Kasane.selu(x)
      case .softplus: Kasane.softplus(x)
      case .gelu: Kasane.gelu(x)
      case .geluTanh: Kasane.geluTanh(x)
      case .silu: Kasane.silu(x)
      case .mish: Kasane.mish(x)
      case .softsign: Kasane.softsign(x)
      case .hardTanh: Kasane.hardTanh(x)
      case .hardSigmoid: Kasane.hardSigmoid(x)
      case .hardSwish: Kasane.hardSwish(x)
      }
    }
  }
}
