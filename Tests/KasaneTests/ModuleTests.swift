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

  // MARK: Where layers may be

  enum Stage: Module {
    case linear(Linear)
    case pair(first: Linear, second: [Linear])
    case none
  }

  private func linear(_ seed: UInt64 = 1) -> Linear {
    var random = RandomGenerator(seed: seed)
    return Linear(1, 1, bias: false, using: &random)
  }

  @Test func dictionariesTuplesAndEnumsAreLookedInto() {
    struct Wide: Module {
      let heads: [String: Linear]
      let levels: [Int: [Linear]]
      let pair: (Linear, Linear?)
      let labelled: (query: Linear, key: Parameter)
      let tuples: [(Linear, Int)]
      let stages: [Stage]
      let last: Stage?
      let anything: any Sendable
      let activation = Activation.relu
    }
    let model = Wide(
      heads: ["b": linear(), "a": linear()], levels: [10: [linear()], 9: [linear(), linear()]],
      pair: (linear(), linear()), labelled: (linear(), Parameter(Tensor(1.0))),
      tuples: [(linear(), 3), (linear(), 4)],
      stages: [.none, .linear(linear()), .pair(first: linear(), second: [linear()])], last: .linear(linear()),
      anything: [linear()])
    #expect(
      model.parameters.map(\.name) == [
        "heads.a.weight", "heads.b.weight", "levels.9.0.weight", "levels.9.1.weight", "levels.10.0.weight",
        "pair.0.weight", "pair.1.weight", "labelled.query.weight", "labelled.key", "tuples.0.0.weight",
        "tuples.1.0.weight", "stages.1.linear.weight", "stages.2.pair.first.weight",
        "stages.2.pair.second.0.weight", "last.linear.weight", "anything.0.weight",
      ])
    #expect(Stage.linear(linear()).parameters.map(\.name) == ["linear.weight"])
    #expect(model.parameterCount == 16)
  }

  final class Reference: Module {
    let linear: Linear
    init(_ linear: Linear) { self.linear = linear }
  }

  @Test func classesAreRefused() async {
    struct Holder: Module { let reference: Reference }
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var random = RandomGenerator(seed: 1)
      _ = Holder(reference: Reference(Linear(1, 1, using: &random))).parameters
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("Reference is a class, and a module must be a struct"))
  }

  // MARK: Copies and freezing

  struct Copied: Module {
    let first: Linear
    let blocks: [Block]
    let any: any Layer<Tensor, Tensor>
    let optional: Linear?
    let named: [String: Linear]
    let pair: (Linear, Int)
    let tied: Parameter
  }

  @Test func copiesShareNothingWithTheirOriginals() {
    let first = linear(1)
    let model = Copied(
      first: first, blocks: [Block(linear: linear(2), extra: linear(3)), Block(linear: first, extra: nil)],
      any: linear(4), optional: linear(5), named: ["x": linear(6), "y": linear(7)], pair: (linear(8), 1),
      tied: first.weight)
    model.optional!.freeze()
    let copy = model.copy()
    let (own, others) = (model.parameters, copy.parameters)
    #expect(own.map(\.name) == others.map(\.name))
    for ((name, a), (_, b)) in zip(own, others) {
      #expect(a !== b && a.isTrainable == b.isTrainable, "\(name)")
      #expect(a.value.elements(as: Float.self) == b.value.elements(as: Float.self))
      b.assign(Tensor(repeating: 100, shape: [1, 1]))
      #expect(a.value.scalar < 100)
    }
    // What is shared within the model is shared within its copy.
    #expect(copy.first.weight === copy.tied && copy.blocks[1].linear.weight === copy.tied)
    #expect(model.first.weight === model.tied && model.blocks[1].linear.weight === model.tied)
  }

  @Test func frozenPartsGetNoGradient() {
    struct Two: Module {
      let a, b: Linear
      let mean = Parameter(Tensor(zeros: [1]), isTrainable: false)
    }
    let model = Two(a: linear(1), b: linear(2))
    func gradients() -> Gradients {
      valueWithGradient(at: model) { $0.b($0.a(Tensor(ones: [1, 1]))).sum() }.gradients
    }
    model.b.freeze()
    let frozen = gradients()
    #expect(frozen[model.a.weight] != nil && frozen[model.b.weight] == nil)
    #expect(model.trainableParameterCount == 1 && model.parameterCount == 3)
    let before = model.b.weight.value.scalar
    SGD(learningRate: 1).update(model, along: frozen)
    #expect(model.b.weight.value.scalar == before)
    model.unfreeze()
    #expect(gradients()[model.b.weight] != nil && !model.mean.isTrainable)
    model.freeze { $0.hasPrefix("a.") }
    #expect(!model.a.weight.isTrainable && model.b.weight.isTrainable)
  }
}
