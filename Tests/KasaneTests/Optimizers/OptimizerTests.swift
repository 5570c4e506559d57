// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// A model of a weight and a bias, as in Tests/Fixtures/optimizers.py.
struct SmallModel: Module {
  let weight: Parameter
  let bias: Parameter

  init(_ weight: Tensor, _ bias: Tensor) {
    self.weight = Parameter(weight)
    self.bias = Parameter(bias)
  }
}

/// The numbers of Tests/Fixtures/optimizers.py.
struct OptimizerFixture {
  let tensors: [String: Tensor]

  init() throws {
    let path = try #require(
      Bundle.module.path(forResource: "optimizers", ofType: "safetensors", inDirectory: "Fixtures"))
    tensors = try Safetensors(contentsOf: path).tensors
  }

  subscript(name: String) -> Tensor { tensors[name]! }
  var steps: Int { self["gradient.weight"].shape[0] }

  func model(_ dtype: DType = .float32) -> SmallModel {
    SmallModel(self["initial.weight"].cast(to: dtype), self["initial.bias"].cast(to: dtype))
  }

  func gradients(_ step: Int, for model: SmallModel) -> Gradients {
    var gradients = Gradients()
    gradients[model.weight] = self["gradient.weight"].select(step).cast(to: model.weight.storage.dtype)
    gradients[model.bias] = self["gradient.bias"].select(step).cast(to: model.bias.storage.dtype)
    return gradients
  }
}

/// One optimizer as a fixture has it.
struct OptimizerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable () -> any Optimizer
  var testDescription: String { name }

  init(_ name: String, _ make: @escaping @Sendable () -> any Optimizer) {
    self.name = name
    self.make = make
  }

  static let all: [OptimizerCase] = [
    OptimizerCase("sgd") { SGD(learningRate: 0.1) },
    OptimizerCase("sgd_decay") { SGD(learningRate: 0.1, weightDecay: 0.1) },
    OptimizerCase("sgd_momentum") { SGD(learningRate: 0.1, momentum: 0.9) },
    OptimizerCase("sgd_dampening") {
      SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.3, weightDecay: 0.01)
    },
    OptimizerCase("sgd_nesterov") {
      SGD(learningRate: 0.1, momentum: 0.9, isNesterov: true, weightDecay: 0.01)
    },
    OptimizerCase("adagrad") { Adagrad() },
    OptimizerCase("adagrad_all") {
      Adagrad(
        learningRate: 0.1, learningRateDecay: 0.05, initialAccumulator: 0.2, epsilon: 1e-6, weightDecay: 0.1)
    },
    OptimizerCase("rmsprop") { RMSprop() },
    OptimizerCase("rmsprop_centered") {
      RMSprop(learningRate: 0.02, smoothing: 0.9, epsilon: 1e-4, isCentered: true)
    },
    OptimizerCase("rmsprop_momentum") { RMSprop(momentum: 0.8, weightDecay: 0.1) },
    OptimizerCase("rmsprop_all") {
      RMSprop(epsilon: 1e-4, momentum: 0.8, isCentered: true, weightDecay: 0.1)
    },
    OptimizerCase("adadelta") { Adadelta() },
    OptimizerCase("adadelta_decay") {
      Adadelta(learningRate: 0.5, decay: 0.8, epsilon: 1e-4, weightDecay: 0.1)
    },
    OptimizerCase("adam") { Adam() },
    OptimizerCase("adam_all") {
      Adam(learningRate: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 1e-3, weightDecay: 0.1)
    },
    OptimizerCase("adam_amsgrad") { Adam(learningRate: 0.1, beta1: 0.8, beta2: 0.7, isAMSGrad: true) },
    OptimizerCase("adamw") { AdamW() },
    OptimizerCase("adamw_amsgrad") {
      AdamW(learningRate: 0.1, beta1: 0.8, beta2: 0.7, isAMSGrad: true, weightDecay: 0.2)
    },
    OptimizerCase("adamax") { Adamax() },
    OptimizerCase("adamax_decay") { Adamax(learningRate: 0.1, beta1: 0.8, beta2: 0.7, weightDecay: 0.1) },
    OptimizerCase("lion") { Lion() },
    OptimizerCase("lion_decay") { Lion(learningRate: 0.05, beta1: 0.8, beta2: 0.7, weightDecay: 0.2) },
    OptimizerCase("adamw_groups") {
      AdamW(
        learningRate: 0.1, weightDecay: 0.3,
        groups: [ParameterGroup(learningRateFactor: 0.1, weightDecay: 0) { _, shape in shape.count == 1 }])
    },
    OptimizerCase("sgd_groups") {
      SGD(
        learningRate: 0.1, momentum: 0.5, weightDecay: 0.3,
        groups: [ParameterGroup(prefix: "bias", learningRateFactor: 2, weightDecay: 0)])
    },
  ]
}

@Suite struct OptimizerTests {
  /// PyTorch's parameters after every step.
  @Test(arguments: OptimizerCase.all)
  func everyStepIsPyTorchs(_ test: OptimizerCase) throws {
    let fixture = try OptimizerFixture()
    for dtype in [DType.float32, .float64] {
      let model = fixture.model(dtype)
      let optimizer = test.make()
      for step in 0..<fixture.steps {
        optimizer.update(model, along: fixture.gradients(step, for: model))
        expectRelative(
          model.weight.value, fixture["\(test.name).weight"].select(step), "\(dtype), step \(step)")
        expectRelative(model.bias.value, fixture["\(test.name).bias"].select(step), "\(dtype), step \(step)")
      }
    }
  }

  /// 1e-5 of each element, or of a twentieth where an element is smaller: there differences of larger numbers stand.
  private func expectRelative(
    _ found: Tensor, _ expected: Tensor, _ what: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(found.shape == expected.shape, sourceLocation: sourceLocation)
    let found = found.cast(to: .float64).elements(as: Double.self)
    let expected = expected.cast(to: .float64).elements(as: Double.self)
    let worst = zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1) / max(0.05, abs($1.1))) }
    #expect(worst <= 1e-5, "\(what): differs by \(worst)", sourceLocation: sourceLocation)
  }

  /// A parameter in half precision is that of float32, rounded at every step.
  @Test(arguments: OptimizerCase.all, [DType.bfloat16, .float16])
  func halfPrecisionFollows(_ test: OptimizerCase, _ dtype: DType) throws {
    let fixture = try OptimizerFixture()
    let model = fixture.model(dtype)
    let exact = fixture.model()
    exact.weight.assign(model.weight.value.cast(to: .float32))
    exact.bias.assign(model.bias.value.cast(to: .float32))
    let (optimizer, exactOptimizer) = (test.make(), test.make())
    for step in 0..<fixture.steps {
      let gradients = fixture.gradients(step, for: model)
      var wide = Gradients()
      wide[exact.weight] = gradients[model.weight]!.cast(to: .float32)
      wide[exact.bias] = gradients[model.bias]!.cast(to: .float32)
      optimizer.update(model, along: gradients)
      exactOptimizer.update(exact, along: wide)
      exact.weight.assign(exact.weight.value.cast(to: dtype).cast(to: .float32))
      exact.bias.assign(exact.bias.value.cast(to: dtype).cast(to: .float32))
    }
    #expect(model.weight.value.dtype == dtype)
    #expect(
      model.weight.value.cast(to: .float32).elements(as: Float.self)
        == exact.weight.value.elements(as: Float.self)
    )
  }

  /// State goes by name into another optimizer of another model, and training goes on to the same bits.
  @Test(arguments: OptimizerCase.all)
  func stateIsTakenUp(_ test: OptimizerCase) throws {
    let fixture = try OptimizerFixture()
    for pause in [0, 4] {
      let (model, optimizer) = (fixture.model(), test.make())
      for step in 0..<pause { optimizer.update(model, along: fixture.gradients(step, for: model)) }
      let state = optimizer.state(of: model)
      let copy = fixture.model()
      try copy.load(model.tensors, from: "memory")
      let resumed = test.make()
      try resumed.restore(state, for: copy, from: "memory")
      let before = state.mapValues(\.description)
      for step in pause..<fixture.steps {
        optimizer.update(model, along: fixture.gradients(step, for: model))
        resumed.update(copy, along: fixture.gradients(step, for: copy))
      }
      #expect(model.tensors.mapValues(\.description) == copy.tensors.mapValues(\.description))
      #expect(
        optimizer.state(of: model).mapValues(\.description)
          == resumed.state(of: copy).mapValues(\.description))
      // What was handed out does not change with the optimizer.
      #expect(state.mapValues(\.description) == before)
    }
  }

  @Test func restoringNamesEveryProblemAndChangesNothing() throws {
    let fixture = try OptimizerFixture()
    let model = fixture.model()
    let optimizer = Adam()
    for step in 0..<3 { optimizer.update(model, along: fixture.gradients(step, for: model)) }
    let good = optimizer.state(of: model)
    #expect(
      good.keys.sorted() == [
        "bias.mean", "bias.squares", "bias.step", "weight.mean", "weight.squares", "weight.step",
      ])
    #expect(good["weight.step"]!.scalar == 3)
    var state = good
    state["weight.mean"] = nil
    state["weight.squares"] = Tensor(zeros: [7])
    state["bias.squares"] = Tensor(zeros: [4], dtype: .float64)
    state["more.mean"] = Tensor(zeros: [1])
    state["bias.step"] = Tensor(-1)
    #expect {
      try optimizer.restore(state, for: model, from: "step-3.safetensors")
    } throws: { error in
      let text = "\(error)"
      return text.hasPrefix("step-3.safetensors: ") && text.contains("weight.mean is missing")
        && text.contains("weight.squares is [7] float32, not [3, 4] float32")
        && text.contains("bias.squares is [4] float64, not [4] float32")
        && text.contains("more.mean is unexpected") && text.contains("bias.step is -1")
        && !text.contains("\n")
    }
    #expect(optimizer.state(of: model).mapValues(\.description) == good.mapValues(\.description))
    #expect(throws: KasaneError.self) { try SGD(learningRate: 1).restore(good, for: model, from: "file") }
    #expect(SGD(learningRate: 1).state(of: model).isEmpty)
  }

  @Test func frozenGroupsStay() throws {
    let fixture = try OptimizerFixture()
    let model = fixture.model()
    let optimizer = Adam(groups: [ParameterGroup(prefix: "bias", isFrozen: true)])
    optimizer.update(model, along: fixture.gradients(0, for: model))
    #expect(model.bias.value.elements(as: Float.self) == fixture["initial.bias"].elements(as: Float.self))
    #expect(model.weight.value.elements(as: Float.self) != fixture["initial.weight"].elements(as: Float.self))
    #expect(optimizer.state(of: model).keys.sorted() == ["weight.mean", "weight.squares", "weight.step"])
  }

  /// A parameter without a gradient keeps its own count of steps.
  @Test func stepsAreCountedByParameter() throws {
    let fixture = try OptimizerFixture()
    let model = fixture.model()
    let optimizer = Adam()
    var some = fixture.gradients(0, for: model)
    some[model.bias] = nil
    for _ in 0..<3 { optimizer.update(model, along: some) }
    #expect(model.bias.value.elements(as: Float.self) == fixture["initial.bias"].elements(as: Float.self))
    optimizer.update(model, along: fixture.gradients(0, for: model))
    let state = optimizer.state(of: model)
    #expect(state["weight.step"]!.scalar == 4 && state["bias.step"]!.scalar == 1)
    expectClose(model.bias.value, fixture["adam.bias"].select(0), 1e-6)
  }

  /// One optimizer may serve two models, and parameters that come late.
  @Test func modelsMayChange() throws {
    let fixture = try OptimizerFixture()
    let (first, second) = (fixture.model(), fixture.model())
    let optimizer = SGD(learningRate: 0.1, momentum: 0.9)
    for step in 0..<4 {
      for model in [first, second] { optimizer.update(model, along: fixture.gradients(step, for: model)) }
    }
    for model in [first, second] {
      expectClose(model.weight.value, fixture["sgd_momentum.weight"].select(3), 1e-6)
    }
  }
}
