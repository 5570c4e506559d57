// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Finite differences for every operation that the tape can record. The switch has no default: an operation
/// without a row does not compile.
@Suite struct GradientTests {
  @Test(arguments: Operation.allCases)
  func gradientsAreTheDifferences(_ operation: Kasane.Operation) {
    let cases = cases(of: operation)
    #expect(!cases.isEmpty)
    for test in cases { checkGradients(test) }
  }

  /// Shapes with single, odd and no elements.
  private static let shapes: [Shape] = [[], [1], [3], [2, 3], [0, 2], [5, 1, 3]]
  /// Pairs that broadcast.
  private static let pairs: [(Shape, Shape)] = [
    ([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1], [1, 3]), ([], [2, 2]), ([4], []), ([2, 1, 3], [5, 1]),
    ([0, 3], [3]),
  ]

  private func unary(
    _ name: String, positive: Bool = false, _ function: @escaping (Tensor) -> Tensor
  ) -> [GradientCase] {
    var make = TensorMaker(seed: 1)
    var cases = Self.shapes.map { shape in
      GradientCase("\(name) \(shape)", [make.tensor(shape, positive: positive)]) { function($0[0]) }
    }
    let view = make.strided([3, 4], positive: positive)
    cases.append(GradientCase("\(name) of a view", [view]) { function($0[0]) })
    return cases
  }

  private func binary(
    _ name: String, positive: Bool = false, _ function: @escaping (Tensor, Tensor) -> Tensor
  ) -> [GradientCase] {
    var make = TensorMaker(seed: 2)
    var cases = Self.pairs.map { a, b in
      GradientCase("\(name) \(a) \(b)", [make.tensor(a), make.tensor(b, positive: positive)]) {
        function($0[0], $0[1])
      }
    }
    let views = [make.strided([3, 4]), make.strided([3, 4], positive: positive)]
    cases.append(GradientCase("\(name) of views", views) { function($0[0], $0[1]) })
    return cases
  }

  private func cases(of operation: Kasane.Operation) -> [GradientCase] {
    var make = TensorMaker(seed: 3)
    switch operation {
    case .leaf: return unary("leaf") { $0 * $0 }
    case .add: return binary("add", +)
    case .subtract: return binary("subtract", -)
    case .multiply: return binary("multiply", *)
    case .divide: return binary("divide", positive: true, /)
    case .negate: return unary("negate") { -$0 }
    case .square: return unary("square", square)
    case .squareRoot: return unary("squareRoot", positive: true, sqrt)
    case .exponential: return unary("exponential", exp)
    case .logarithm: return unary("logarithm", positive: true, log)
    case .sigmoid: return unary("sigmoid", sigmoid)
    case .tanh: return unary("tanh", tanh)
    case .relu: return unary("relu", relu)
    case .sigmoidGradient:
      return [
        GradientCase("sigmoidGradient", [make.tensor([2, 3]), make.tensor([2, 3])]) {
          sigmoidGradient($0[0], $0[1])
        }
      ]
    case .tanhGradient:
      return [
        GradientCase("tanhGradient", [make.tensor([2, 3]), make.tensor([2, 3])]) {
          tanhGradient($0[0], $0[1])
        }
      ]
    case .reluGradient:
      return [
        GradientCase("reluGradient", [make.tensor([2, 3]), make.tensor([2, 3])]) {
          reluGradient($0[0], $0[1])
        }
      ]
    case .sum:
      return unary("sum") { square($0).sum() }
        + [Shape([0]), [1], [-1], [0, 2]].flatMap { (axes: Shape) in
          [true, false].map { keeping in
            GradientCase("sum over \(axes)", [make.tensor([2, 3, 4])]) {
              square($0[0].sum(axes: axes, keepingAxes: keeping))
            }
          }
        } + [GradientCase("mean", [make.tensor([2, 3])]) { square($0[0].mean(axes: [1])) }]
    case .matmul:
      let shapes: [(Shape, Shape)] = [
        ([2, 3], [3, 4]), ([1, 5], [5, 1]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]),
        ([2, 3, 4], [2, 4, 5]), ([3, 4], [2, 4, 5]), ([2, 1, 3, 2], [5, 2, 3]),
      ]
      return shapes.map { a, b in
        GradientCase("matmul \(a) \(b)", [make.tensor(a), make.tensor(b)]) { matmul($0[0], $0[1]) }
      } + [
        GradientCase("matmul of views", [make.strided([3, 4]), make.strided([4, 2])]) { matmul($0[0], $0[1]) }
      ]
    case .convolution, .convolutionInputGradient, .convolutionWeightGradient: return convolutionCases()
    case .recurrent: return recurrentCases(&make)
    case .halfSquaredError:
      return [Shape(), [1], [3, 5], [0], [2, 9, 1]].map { shape in
        GradientCase("halfSquaredError \(shape)", [make.tensor(shape), make.tensor(shape)]) {
          halfSquaredError($0[0], $0[1])
        }
      }
    case .reshape:
      return [GradientCase("reshape", [make.strided([2, 6])]) { square($0[0].reshaped(to: [3, -1])) }]
    case .permute:
      return [GradientCase("permute", [make.tensor([2, 3, 4])]) { square($0[0].permuted([2, 0, 1])) }]
    case .transpose:
      return [GradientCase("transpose", [make.tensor([2, 3, 4])]) { square($0[0].transposed()) }]
    case .select, .embed:
      return [(0, 1), (1, -1), (-1, 0)].map { axis, index in
        GradientCase("select \(index) of \(axis)", [make.tensor([2, 3, 4])]) {
          square($0[0].select(index, axis: axis))
        }
      }
    case .broadcast:
      return [GradientCase("broadcast", [make.tensor([3, 1])]) { square($0[0].broadcast(to: [2, 3, 4])) }]
    case .stack:
      return [0, 1, -1].map { axis in
        GradientCase("stack \(axis)", [make.tensor([2, 3]), make.strided([2, 3])]) {
          square(Tensor.stack([$0[0], $0[1], $0[0]], axis: axis))
        }
      }
    case .cast: return [GradientCase("cast", [make.tensor([2, 3])]) { square($0[0].cast(to: .float64)) }]
    }
  }

  private func recurrentCases(_ make: inout TensorMaker) -> [GradientCase] {
    var cases: [GradientCase] = []
    for activation in Activation.allCases {
      for (batch, steps) in [(1, 1), (2, 3), (2, 0)] {
        let inputs = [
          make.tensor([batch, steps, 2]), make.tensor([2, 3]), make.tensor([3, 3]), make.tensor([3]),
          make.tensor([batch, 3]),
        ]
        cases.append(
          GradientCase("recurrent \(activation) \(batch) \(steps)", inputs) {
            recurrent(
              $0[0], inputWeight: $0[1], recurrentWeight: $0[2], bias: $0[3], initialState: $0[4],
              activation: activation)
          })
      }
    }
    return cases
  }

  /// The fused primitive works in float32: it is held against the composition, in value and gradient.
  @Test(arguments: Activation.allCases)
  func fusedRecurrentIsTheComposition(_ activation: Activation) {
    var make = TensorMaker(seed: 5)
    for (batch, steps, inputs, hidden) in [(1, 8, 2, 16), (3, 5, 4, 7), (2, 1, 1, 33), (4, 6, 3, 40)] {
      for (hasBias, hasInitial) in [(false, false), (true, false), (false, true), (true, true)] {
        var tensors = [
          make.tensor([batch, steps, inputs]), make.tensor([inputs, hidden]),
          make.tensor([hidden, hidden]) * (1 / Double(hidden)),
        ]
        if hasBias { tensors.append(make.tensor([hidden])) }
        if hasInitial { tensors.append(make.tensor([batch, hidden])) }
        let weights = make.tensor([batch, steps, hidden])
        func loss(_ x: [Tensor], _ weights: Tensor) -> Tensor {
          let bias = hasBias ? x[3] : nil
          let initial = hasInitial ? x[hasBias ? 4 : 3] : nil
          let states = recurrent(
            x[0], inputWeight: x[1], recurrentWeight: x[2], bias: bias, initialState: initial,
            activation: activation)
          return (states * weights).sum()
        }
        let exact = valueWithGradients(at: tensors) { loss($0, weights) }
        let single = tensors.map { $0.cast(to: .float32) }
        let fused = valueWithGradients(at: single) { loss($0, weights.cast(to: .float32)) }
        expectClose(fused.value, exact.value, 2e-5)
        for (a, b) in zip(fused.gradients, exact.gradients) { expectClose(a, b, 2e-5) }
      }
    }
  }

  @Test func gradientPenalty() {
    // The gradient of |d/dx (x W)^2|^2 by W, which needs the derivative of a derivative.
    var make = TensorMaker(seed: 6)
    let x = make.tensor([4, 3])
    checkGradients(
      GradientCase("gradient penalty", [make.tensor([3, 2])]) { weights in
        let (_, slope) = valueWithGradient(at: x) { tanh(matmul($0, weights[0])).sum() }
        return square(slope).sum()
      }, second: false)
  }

  @Test func hessianTimesVector() {
    // f(x) = sum x^4 has the Hessian 12 x^2 on its diagonal.
    let x = Tensor([1.0, -2, 3]), v = Tensor([1.0, 10, 100])
    let product = gradient(at: x) { x in
      (gradient(at: x) { square(square($0)).sum() } * v).sum()
    }
    #expect(product.elements(as: Double.self) == [12, 480, 10800])
  }

  @Test func constantsGetNothing() {
    let (value, gradient) = valueWithGradient(at: Tensor([1.0, 2])) { x in
      withoutGradient { square(x).sum() } + x.detached().sum()
    }
    #expect(value.scalar == 8)
    #expect(gradient.elements(as: Double.self) == [0, 0])
  }
}

/// Compares a tensor with the exact one, relative to the largest element.
func expectClose(
  _ found: Tensor, _ exact: Tensor, _ tolerance: Double, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(found.shape == exact.shape, sourceLocation: sourceLocation)
  let (a, b) = (
    found.cast(to: .float64).elements(as: Double.self), exact.cast(to: .float64).elements(as: Double.self)
  )
  let scale = b.reduce(1) { max($0, abs($1)) }
  let worst = zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
  #expect(worst <= tolerance * scale, "differs by \(worst)", sourceLocation: sourceLocation)
}
