// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

@Suite struct ModuleTests {
  struct Block: Module {
    let linear: Linear
    let extra: Linear?
    let scale = 3
  }

  struct Model: Module {
    let name = "a model"
    let first: Block
    let blocks: [Block]
    let any: any Module
    let tied: Parameter
    let pairs: [[Linear]]
  }

  private func makeModel() -> Model {
    var random = RandomGenerator(seed: 1)
    func linear(_ bias: Bool = true) -> Linear { Linear(2, 3, bias: bias, using: &random) }
    let first = Block(linear: linear(), extra: nil)
    return Model(
      first: first, blocks: [Block(linear: linear(false), extra: linear()), first], any: linear(),
      tied: first.linear.weight, pairs: [[linear(false)], [], [linear(false), linear(false)]])
  }

  @Test func parametersAreFoundWhereverTheyAre() {
    let model = makeModel()
    #expect(
      model.parameters.map(\.name) == [
        "first.linear.weight", "first.linear.bias", "blocks.0.linear.weight", "blocks.0.extra.weight",
        "blocks.0.extra.bias", "any.weight", "any.bias", "pairs.0.0.weight", "pairs.2.0.weight",
        "pairs.2.1.weight",
      ])
  }

  @Test func sharedParameterGetsBothGradients() {
    struct Tied: Module {
      let a: Parameter
      let b: Parameter
    }
    let parameter = Parameter(Tensor([3.0]))
    let model = Tied(a: parameter, b: parameter)
    let (_, gradients) = valueWithGradient(at: model) { ($0.a.value * $0.b.value).sum() }
    #expect(gradients[parameter]!.scalar == 6)
    SGD(learningRate: 0.5).update(model, along: gradients)
    #expect(parameter.value.scalar == 0)
  }

  @Test func onlyTheModelsOwnParametersAreDifferentiated() {
    var random = RandomGenerator(seed: 1)
    let own = Linear(2, 2, using: &random), other = Linear(2, 2, using: &random)
    let (_, gradients) = valueWithGradient(at: own) { $0(other(Tensor(ones: [1, 2]))).sum() }
    #expect(gradients[own.weight] != nil)
    #expect(gradients[other.weight] == nil)
  }

  @Test func updatesDoNotShowInTensorsTakenBefore() {
    let parameter = Parameter(Tensor([1.0, 2]))
    let before = parameter.value
    parameter.withMutableElements(of: Double.self) { $0[0] = 7 }
    #expect(before.elements(as: Double.self) == [1, 2])
    #expect(parameter.value.elements(as: Double.self) == [7, 2])
  }

  @Test func loadingNamesEveryProblemAndChangesNothing() {
    let model = makeModel()
    var tensors = model.tensors
    tensors["any.bias"] = nil
    tensors["any.weight"] = Tensor(zeros: [5])
    tensors["more"] = Tensor(zeros: [1])
    let before = model.tensors["first.linear.weight"]!.elements(as: Float.self)
    tensors["first.linear.weight"] = Tensor(zeros: [2, 3])
    #expect {
      try model.load(tensors, from: "file")
    } throws: { error in
      let text = "\(error)"
      return text.contains("any.bias is missing") && text.contains("more is unexpected")
        && text.contains("any.weight is [5] float32, not [2, 3] float32") && !text.contains("\n")
    }
    #expect(model.tensors["first.linear.weight"]!.elements(as: Float.self) == before)
  }
}
