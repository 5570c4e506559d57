// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What is kept of parameters' values beside them, and when it is made anew.
@Suite struct PreparedValuesTests {
  private struct Model: Module {
    let weight: Parameter
    let scale: Parameter
  }

  private let model = Model(
    weight: Parameter(Tensor([1.0, 2, 3, 4] as [Float], shape: [2, 2])),
    scale: Parameter(Tensor([2.0] as [Float])))

  /// Twice the weight, and whether it was made for this call.
  private func doubled(_ key: PreparedValues.Key = .init(.bfloat16)) -> (values: [Float], isNew: Bool) {
    var isNew = false
    let weight = model.weight.value
    let value = weight.preparedValues!.value(for: key) {
      isNew = true
      return PreparedValue(weight * 2)
    }
    return (value.tensor.elements(), isNew)
  }

  @Test func aValueIsKept() {
    #expect(doubled() == ([2, 4, 6, 8], true))
    #expect(doubled() == ([2, 4, 6, 8], false))
    // Another use, and the same with other numbers, are other values.
    #expect(doubled(.init(.packedProduct)).isNew)
    #expect(doubled(.init(.packedProduct, 1, 2)).isNew)
    #expect(!doubled(.init(.packedProduct, 1, 2)).isNew)
    #expect(!doubled().isNew)
  }

  @Test func everyChangeOfTheParameterDropsIt() throws {
    _ = doubled()
    model.weight.assign(Tensor([5, 6, 7, 8] as [Float], shape: [2, 2]))
    #expect(doubled() == ([10, 12, 14, 16], true))

    model.weight.withMutableElements(of: Float.self) { $0[0] = 1 }
    #expect(doubled() == ([2, 12, 14, 16], true))

    let (_, gradients) = valueWithGradient(at: model) { $0.weight.value.sum() }
    SGD(learningRate: 1).update(model, along: gradients)
    #expect(doubled() == ([0, 10, 12, 14], true))
    #expect(!doubled().isNew)

    let average = ExponentialMovingAverage(of: model, decay: 0.5)
    model.weight.assign(Tensor([2, 2, 2, 2] as [Float], shape: [2, 2]))
    average.update()
    #expect(doubled().values == [4, 4, 4, 4])
    average.withAverages { #expect(doubled() == ([2, 7, 8, 9], true)) }
    #expect(doubled().values == [4, 4, 4, 4])
  }

  @Test func itBelongsToTheMemory() {
    let before = model.weight.value
    _ = doubled()
    // The parameter changes; who holds the old value also holds what was made of it.
    model.weight.withMutableElements(of: Float.self) { $0[0] = 100 }
    #expect(doubled() == ([200, 4, 6, 8], true))
    let old = before.preparedValues!.value(for: .init(.bfloat16)) { fatalError("it is there") }
    #expect(old.tensor.elements() as [Float] == [2, 4, 6, 8])
  }

  @Test func itDependsOnOtherParameters() {
    var made = 0
    func scaled() -> [Float] {
      let (weight, scale) = (model.weight.value, model.scale.value)
      return weight.preparedValues!.value(
        for: .init(.foldedConvolution), dependingOn: [scale.preparedValues!]
      ) {
        made += 1
        return PreparedValue(weight * scale)
      }.tensor.elements()
    }
    #expect(scaled() == [2, 4, 6, 8])
    #expect(scaled() == [2, 4, 6, 8])
    model.scale.withMutableElements(of: Float.self) { $0[0] = 3 }
    #expect(scaled() == [3, 6, 9, 12])
    model.scale.assign(Tensor([1] as [Float]))
    #expect(scaled() == [1, 2, 3, 4])
    #expect(scaled() == [1, 2, 3, 4])
    #expect(made == 3)
  }

  @Test func itCanWaitUntilItPays() {
    let weight = model.weight.value
    func ask() -> Bool {
      weight.preparedValues!.value(for: .init(.packedProduct), onUse: 3) { PreparedValue(weight + 0) } != nil
    }
    #expect([ask(), ask(), ask(), ask()] == [false, false, true, true])
  }

  @Test func theOneNotUsedForLongestGivesWay() {
    for number in 0..<20 {
      #expect(doubled(.init(.packedProduct, number)).isNew)
      #expect(doubled().isNew == (number == 0))
    }
    #expect(!doubled(.init(.packedProduct, 19)).isNew)
    #expect(doubled(.init(.packedProduct, 1)).isNew)
  }

  @Test func viewsFindIt() {
    let weight = model.weight.value
    let values = weight.preparedValues
    #expect(values != nil)
    #expect(weight.transposed().preparedValues === values)
    #expect(weight.transposed().preparedValuesOfWhole == nil)
    #expect(weight.detached().preparedValuesOfWhole === values)
    #expect((weight + 1).preparedValues == nil)
    _ = valueWithGradient(at: model) { model in
      let leaf = model.weight.value
      #expect(leaf.preparedValuesOfWhole === values)
      return leaf.sum()
    }
  }

  @Test func itIsNotRecorded() {
    let (_, gradients) = valueWithGradient(at: model) { model in
      let weight = model.weight.value
      let prepared = weight.preparedValues!.value(for: .init(.bfloat16)) { PreparedValue(weight * 2) }
      return (prepared.tensor * weight).sum()
    }
    #expect(gradients[model.weight]!.elements() as [Float] == [2, 4, 6, 8])
  }

  @Test func itGoesWithTheModel() {
    weak var values: PreparedValues?
    do {
      let weight = Parameter(Tensor(ones: [100, 100]))
      values = weight.value.preparedValues
      _ = values!.value(for: .init(.bfloat16)) { PreparedValue(weight.value + 1) }
      #expect(values != nil)
    }
    #expect(values == nil)
  }

  /// The sum of what was made for one of two uses.
  private static func preparedSum(_ parameter: Parameter, _ number: Int) -> Double {
    let value = parameter.value
    return value.preparedValues!.value(for: .init(.bfloat16, number % 2)) { PreparedValue(value + 0) }
      .tensor.sum().scalar
  }

  @Test func manyTasksAskAtOnce() async {
    let weight = Parameter(Tensor((0..<10_000).map { Float($0) }, shape: [100, 100]))
    for round in 0..<10 {
      let sums = await withTaskGroup(of: Double.self) { group in
        for number in 0..<8 { group.addTask { Self.preparedSum(weight, number) } }
        return await group.reduce(into: Set<Double>()) { $0.insert($1) }
      }
      #expect(sums == [10_000 * 9_999 / 2 + Double(round) * 10_000])
      weight.mutate { engine.copy($0 + 1, into: $0) }
    }
  }
}
