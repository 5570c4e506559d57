// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

@Suite struct AutodiffExamples {
  @Test func controlFlow() {
    // example
    let (value, slope) = valueWithGradient(at: Tensor(3.0)) { x in
      x.scalar > 0 ? x * x : -x
    }
    print(value.scalar, slope.scalar)  // 9.0 6.0
    // end
    #expect(value.scalar == 9 && slope.scalar == 6)
  }

  @Test func atAModel() {
    // example
    var random = RandomGenerator(seed: 1)
    let model = Linear(3, 1, using: &random)
    let x = Tensor(normal: [8, 3], using: &random)
    let (loss, gradients) = valueWithGradient(at: model) { model in square(model(x)).mean() }
    print(loss.shape, gradients[model.weight]!.shape)  // [] [3, 1]
    SGD(learningRate: 0.1).update(model, along: gradients)
    // end
    #expect(loss.shape == [] && gradients[model.weight]!.shape == [3, 1])
    #expect(square(model(x)).mean().scalar < loss.scalar)
  }

  @Test func constants() {
    // example
    let slope = gradient(at: Tensor([1.0, 2])) { x in
      let scale = withoutGradient { 1 / x.sum().scalar }
      return (x * x.detached()).sum() * scale
    }
    print(slope)  // x / 3, as neither the scale nor the second factor counts
    // end
    #expect(slope.elements(as: Double.self) == [1.0 / 3, 2.0 / 3])
  }

  @Test func hessianTimesVector() {
    // example
    let x = Tensor([1.0, -2, 3])
    let v = Tensor([1.0, 10, 100])
    let product = gradient(at: x) { x in
      (gradient(at: x) { square(square($0)).sum() } * v).sum()
    }
    print(product)  // 12 x^2 v: 12, 480 and 10800
    // end
    #expect(product.elements(as: Double.self) == [12, 480, 10800])
  }

  @Test func pullbacks() {
    // example
    let slope = gradient(at: Tensor([1.0, 2])) { x in
      let reversed = withPullback("reversal", of: [x]) {
        x
      } pullback: { gradient, _ in
        [-gradient]
      }
      return (3 * reversed).sum()
    }
    print(slope)  // -3 and -3
    // end
    #expect(slope.elements(as: Double.self) == [-3, -3])
  }

  @Test func hooks() {
    // example
    let slope = gradient(at: Tensor([1.0, 2])) { x in
      let y = square(x).onGradient { print("the gradient of y:", $0) }
      return (y * y).sum()
    }
    // end
    #expect(slope.elements(as: Double.self) == [4, 32])
  }

  @Test func batches() {
    var random = RandomGenerator(seed: 1)
    let model = Linear(3, 1, using: &random)
    let batches = (0..<4).map { _ in Tensor(normal: [8, 3], using: &random) }
    let optimizer = SGD(learningRate: 0.1)
    let all = Tensor.concatenate(batches)
    let whole = gradient(at: model) { square($0(all)).mean() }
    // example
    var total = Gradients()
    for batch in batches {
      let gradients = gradient(at: model) { square($0(batch)).mean() }
      total.accumulate(gradients, scale: 1 / Double(batches.count))
    }
    optimizer.update(model, along: total)
    // end
    let pairs = zip(
      total[model.weight]!.elements(as: Float.self), whole[model.weight]!.elements(as: Float.self))
    #expect(pairs.allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func checkpointing() {
    struct Stack: Module { let layers: [Linear] }
    var random = RandomGenerator(seed: 1)
    let stack = Stack(layers: (0..<4).map { _ in Linear(3, 3, using: &random) })
    let x = Tensor(normal: [8, 3], using: &random)
    // example
    let gradients = gradient(at: stack) { stack in
      var y = x
      for layer in stack.layers { y = checkpointed(y) { tanh(layer($0)) } }
      return square(y).mean()
    }
    // end
    let plain = gradient(at: stack) { stack in
      square(stack.layers.reduce(x) { tanh($1($0)) }).mean()
    }
    let weight = stack.layers[0].weight
    #expect(gradients[weight]!.elements(as: Float.self) == plain[weight]!.elements(as: Float.self))
  }
}
