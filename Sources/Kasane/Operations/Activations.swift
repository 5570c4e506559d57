// SPDX-License-Identifier: Apache-2.0

/// The hyperbolic tangent of each element.
public func tanh(_ x: Tensor) -> Tensor {
  let y = engine.unary(.tanh, x)
  return recorded(.tanh, y, x, saving: y) { step in
    step.add(tanhGradient(step.gradient, step[0]), to: 0)
  }
}

/// The logistic function 1 / (1 + exp(-x)) of each element.
public func sigmoid(_ x: Tensor) -> Tensor {
  let y = engine.unary(.sigmoid, x)
  return recorded(.sigmoid, y, x, saving: y) { step in
    step.add(sigmoidGradient(step.gradient, step[0]), to: 0)
  }
}

/// The larger of each element and zero (Nair and Hinton 2010); its derivative at zero is taken as 0.
public func relu(_ x: Tensor) -> Tensor {
  let y = engine.unary(.relu, x)
  return recorded(.relu, y, x, saving: y) { step in
    step.add(reluGradient(step.gradient, step[0]), to: 0)
  }
}

// The derivatives are operations themselves, so that second derivatives flow through them.

/// g (1 - y^2), where y = tanh(x).
func tanhGradient(_ g: Tensor, _ y: Tensor) -> Tensor {
  recorded(.tanhGradient, engine.binary(.tanhGradient, g, y), g, y, saving: g, y) { step in
    step.add(tanhGradient(step.gradient, step[1]), to: 0)
    step.add(-2 * step.gradient * step[0] * step[1], to: 1)
  }
}

/// g y (1 - y), where y = sigmoid(x).
func sigmoidGradient(_ g: Tensor, _ y: Tensor) -> Tensor {
  recorded(.sigmoidGradient, engine.binary(.sigmoidGradient, g, y), g, y, saving: g, y) { step in
    step.add(sigmoidGradient(step.gradient, step[1]), to: 0)
    step.add(step.gradient * step[0] * (1 - 2 * step[1]), to: 1)
  }
}

/// g where y > 0, else 0, where y = relu(x).
func reluGradient(_ g: Tensor, _ y: Tensor) -> Tensor {
  recorded(.reluGradient, engine.binary(.reluGradient, g, y), g, saving: y) { step in
    step.add(reluGradient(step.gradient, step[0]), to: 0)
  }
}

/// An activation function, chosen by name.
public enum Activation: String, CaseIterable, Codable, Sendable {
  case sigmoid, relu, tanh

  /// The function of each element of `x`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .sigmoid: Kasane.sigmoid(x)
    case .relu: Kasane.relu(x)
    case .tanh: Kasane.tanh(x)
    }
  }
}
