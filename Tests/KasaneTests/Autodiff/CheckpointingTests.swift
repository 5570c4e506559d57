// SPDX-License-Identifier: Apache-2.0

import CKernels
import Testing

@testable import Kasane

@Suite struct CheckpointingTests {
  struct Stack: Module {
    let layers: [Linear]
    let shared: Parameter

    init(depth: Int, width: Int) {
      var random = RandomGenerator(seed: 3)
      layers = (0..<depth).map { _ in Linear(width, width, using: &random) }
      shared = Parameter(Tensor(normal: [width, width], standardDeviation: 0.1, using: &random))
    }
  }

  /// Zeros some elements, as dropout does, with numbers of the training's generator.
  private static func drop(_ x: Tensor) -> Tensor {
    guard let context = TrainingContext.current else { return x }
    let mask = (0..<x.elementCount).map { _ in context.random.uniform() < 0.3 ? Float(0) : 1 / 0.7 }
    return x * Tensor(mask, shape: x.shape)
  }

  private enum Way: CaseIterable { case plain, blocks, nested }

  private func block(_ model: Stack, _ range: Range<Int>, _ x: Tensor) -> Tensor {
    var y = x
    for index in range {
      y = Self.drop(tanh(model.layers[index](y))) + matmul(y, model.shared.value)
    }
    return y
  }

  private func run(_ model: Stack, _ way: Way, _ x: Tensor) -> Tensor {
    let half = model.layers.count / 2
    let first = matmul(x, model.shared.value)
    let y: Tensor
    switch way {
    case .plain: y = block(model, half..<model.layers.count, block(model, 0..<half, first))
    case .blocks:
      let middle = checkpointed(first) { block(model, 0..<half, $0) }
      y = checkpointed(middle) { block(model, half..<model.layers.count, $0) }
    case .nested:
      y = checkpointed(first) { first in
        let middle = checkpointed(first) { block(model, 0..<half, $0) }
        let last = checkpointed(middle) { middle in
          checkpointed(middle) { block(model, half..<model.layers.count, $0) }
        }
        return last
      }
    }
    return square(matmul(y, model.shared.value)).mean()
  }

  private func text(_ gradients: Gradients, _ model: Stack) -> [String] {
    gradients.named(in: model).map { "\($0.name) \($0.gradient.elements(as: Float.self))" }
  }

  @Test(arguments: [false, true])
  func gradientsAreTheSameToTheBit(_ isTraining: Bool) {
    let model = Stack(depth: 6, width: 5)
    var make = RowInputs(seed: 4)
    let x = make.tensor(Input([3, 5])).cast(to: .float32)
    func result(_ way: Way) -> (Double, [String], [Float], RandomGenerator) {
      var random = RandomGenerator(seed: 9)
      func step() -> (value: Tensor, gradients: Gradients, inputGradient: Tensor) {
        valueWithGradient(at: model, x) { run($0, way, $1) }
      }
      let all = isTraining ? withTraining(using: &random, step) : step()
      return (
        all.value.scalar, text(all.gradients, model), all.inputGradient.elements(as: Float.self), random
      )
    }
    let plain = result(.plain)
    #expect(plain.1.count == 13)
    #expect((plain.3.position > 0) == isTraining)
    for way in [Way.blocks, .nested] {
      let found = result(way)
      #expect(found.0 == plain.0)
      #expect(found.1 == plain.1)
      #expect(found.2 == plain.2)
      // The generator is where one forward pass leaves it.
      #expect(found.3 == plain.3)
    }
  }

  /// The second run knows that it is one, and finds the mode of the first one also when that is over.
  @Test func theSecondRunIsLikeTheFirst() {
    var modes: [[Bool]] = []
    var random = RandomGenerator(seed: 1)
    _ = gradient(at: Tensor([1.0])) { x in
      let y = withTraining(using: &random) {
        checkpointed(x) { x in
          modes.append([isTraining, TrainingContext.current?.isRecomputing ?? false])
          return square(x)
        }
      }
      return checkpointed(y) { y in
        modes.append([isTraining, TrainingContext.current?.isRecomputing ?? false])
        return y.sum()
      }
    }
    #expect(modes == [[true, false], [false, false], [false, false], [true, true]])
  }

  @Test func secondDerivativesFlow() {
    let product = gradient(at: Tensor([1.0, -2, 3])) { x in
      (gradient(at: x) { x in checkpointed(x) { square(square($0)) }.sum() } * Tensor([1.0, 10, 100])).sum()
    }
    #expect(product.elements(as: Double.self) == [12, 480, 10800])
    // Also inside of a block.
    let inside = gradient(at: Tensor([1.0, -2, 3])) { x in
      checkpointed(x) { x in
        (gradient(at: x) { square(square($0)).sum() } * Tensor([1.0, 10, 100])).sum()
      }
    }
    #expect(inside.elements(as: Double.self) == [12, 480, 10800])
  }

  @Test func blocksMayReturnWhatWasThere() {
    let constant = Tensor([5.0])
    let slope = gradient(at: Tensor([2.0])) { x in
      let y = square(x)
      let same = checkpointed(y) { $0 }
      let captured = checkpointed(x) { _ in y }
      let fixed = checkpointed(x) { _ in constant }
      return (same * captured * fixed + constant * x).sum()
    }
    // 5 x^4 + 5 x
    #expect(slope.scalar == 165)
  }

  @Test func slicesAreReplacedInBlocks() {
    func loss(_ x: Tensor, _ isCheckpointed: Bool) -> Tensor {
      func body(_ x: Tensor) -> Tensor {
        var y = x
        y[0] = square(x[1])
        return (y * y).sum()
      }
      return isCheckpointed ? checkpointed(x, body) : body(x)
    }
    let x = Tensor([2.0, 3, 4])
    let found = gradient(at: x) { loss($0, true) }
    #expect(found.elements(as: Double.self) == gradient(at: x) { loss($0, false) }.elements(as: Double.self))
    #expect(x.elements(as: Double.self) == [2, 3, 4])
  }

  @Test func modelsAreDifferentiatedInsideOfBlocks() {
    let model = SmallModel(Tensor([1.0, 2]), Tensor([3.0]))
    func penalty(_ model: SmallModel) -> Tensor {
      let inner = gradient(at: model) { (square($0.weight.value) * $0.bias.value).sum() }
      return square(inner[model.weight]!).sum()
    }
    let plain = gradient(at: model) { penalty($0) }
    let found = gradient(at: model) { model in checkpointed([]) { _ in penalty(model) } }
    for parameter in [model.weight, model.bias] {
      #expect(found[parameter]!.elements(as: Double.self) == plain[parameter]!.elements(as: Double.self))
    }
    // 4 w^2 b^2
    #expect(plain[model.weight]!.elements(as: Double.self) == [72, 144])
  }

  /// Counts the large blocks that a pass takes from the system: as many as are in use at once.
  @Test(.enabled(if: ks_pool_keeps_blocks(), "AddressSanitizer turns the pool off"))
  func memoryIsThatOfOneBlock() async {
    // In a process of its own: blocks that other tests left would do as well.
    await #expect(processExitsWith: .success) {
      let taken = CheckpointingTests.blocksTaken()
      #expect(taken.checkpointed <= 20)
      #expect(taken.both - taken.checkpointed >= 25, "\(taken)")
    }
  }

  private static func blocksTaken() -> (checkpointed: Int, both: Int) {
    let x = Tensor(ones: [1117, 1301])
    func pass(blocks: Bool) {
      _ = gradient(at: x) { x in
        var y = x
        for _ in 0..<6 {
          func block(_ x: Tensor) -> Tensor { (0..<8).reduce(x) { y, _ in tanh(y) } }
          y = blocks ? checkpointed(y, block) : block(y)
        }
        return y.sum()
      }
    }
    // The small blocks that views take are there from the beginning.
    var views = (0..<300).map { _ in x.transposed() }
    views.removeAll()
    let before = Memory.systemAllocations
    pass(blocks: true)
    let first = Memory.systemAllocations - before
    pass(blocks: false)
    return (first, Memory.systemAllocations - before)
  }
}
