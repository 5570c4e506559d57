// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane
@testable import KasaneModels
@testable import KasaneRecipes

@Suite struct BinaryAdditionTests {
  private static let variants = BinaryAddition.HiddenActivation.allCases.flatMap { activation in
    [false, true].map { (activation, $0) }
  }

  private func recipe(_ arguments: [String], seed: UInt64 = 1) throws -> BinaryAddition {
    try BinaryAddition(try BinaryAddition.Options.parse(arguments), seed: seed)
  }

  /// PyTorch's losses, outputs, gradients and final weights (Tests/Fixtures/binary_addition.py).
  @Test(arguments: BinaryAddition.Method.allCases, variants)
  func matchesPyTorch(_ method: BinaryAddition.Method, _ variant: (BinaryAddition.HiddenActivation, Bool))
    throws
  {
    let (activation, bias) = variant
    let name = "binary-addition-\(activation)-\(bias ? "bias" : "plain")"
    let path = try #require(
      Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures"))
    let fixture = try Safetensors(contentsOf: path).tensors
    let recipe = try recipe(
      ["--method", "\(method)", "--activation", "\(activation)"] + (bias ? ["--bias"] : []))
    var names = [
      "cell.inputWeight": "weight_input", "cell.recurrentWeight": "weight_hidden",
      "output.weight": "weight_output",
    ]
    if bias { names.merge(["cell.bias": "bias_hidden", "output.bias": "bias_output"]) { $1 } }
    let initial = names.mapValues { fixture[$0]! }
    try recipe.model.load(initial, from: name)

    let inputs = fixture["inputs"]!, targets = fixture["targets"]!
    func problem(_ index: Int) -> BinaryAddition.Problems {
      let bits = inputs.select(index).elements(as: Float.self)
      func term(_ which: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bits[$1 * 2 + which]) << UInt64($1) }
      }
      return BinaryAddition.Problems([(term(0), term(1))], bits: 8)
    }
    #expect(problem(3).targets.elements(as: Float.self) == targets.select(3).elements(as: Float.self))
    expectNear(recipe.model(problem(0).inputs).select(0), fixture["outputs"]!)

    // A step of gradient descent shows the gradient: it is the change over the rate.
    var losses: [Float] = []
    for index in 0..<inputs.shape[0] {
      let before = recipe.model.tensors
      losses.append(Float(recipe.train(on: problem(index))))
      guard index == 0 else { continue }
      let after = recipe.model.tensors
      for (own, other) in names {
        expectNear((before[own]! - after[own]!) / 0.1, fixture["gradient.\(other)"]!)
      }
    }
    expectNear(Tensor(losses), fixture["losses"]!)
    for (own, other) in names { expectNear(recipe.model.tensors[own]!, fixture["final.\(other)"]!) }
  }

  private func expectNear(
    _ found: Tensor, _ expected: Tensor, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(found.shape == expected.shape, sourceLocation: sourceLocation)
    let pairs = zip(found.elements(as: Float.self), expected.elements(as: Float.self))
    let worst = pairs.reduce(Float(0)) { max($0, abs($1.0 - $1.1) / max(1, abs($1.1))) }
    #expect(worst < 1e-5, sourceLocation: sourceLocation)
  }

  @Test(arguments: [
    [], ["--bias"], ["--init", "xavier"], ["--batch", "3", "--bits", "5"],
  ])
  func methodsAgreeOverAThousandIterations(_ arguments: [String]) throws {
    let losses = try BinaryAddition.Method.allCases.map { method -> [Double] in
      let recipe = try recipe(arguments + ["--method", "\(method)"], seed: 11)
      return (0..<1000).map { recipe.step($0, reporting: false).loss }
    }
    for index in 0..<1000 {
      for other in losses[1...] {
        #expect(abs(other[index] - losses[0][index]) <= 1e-4 * losses[0][index] + 1e-9)
      }
    }
  }

  @Test func learns() throws {
    let recipe = try recipe(["--bits", "4", "--iterations", "4000", "--learning-rate", "0.5", "--batch", "4"])
    for iteration in 0..<4000 { _ = recipe.step(iteration, reporting: false) }
    let lines = try recipe.evaluate(try BinaryAddition.EvaluationOptions.parse(["--problems", "64"]))
    #expect(lines[0] == "Sums right: 64 of 64 (100.00 %)")
  }

  @Test(arguments: [(1, UInt64(0)), (2, 1), (8, 127), (32, 0x7FFF_FFFF)])
  func problemsFitTheirBits(_ bits: Int, _ largest: UInt64) {
    var random = RandomGenerator(seed: 3)
    let problems = BinaryAddition.Problems(200, bits: bits, using: &random)
    #expect(problems.inputs.shape == [200, bits, 2])
    #expect(problems.terms.allSatisfy { $0.0 <= largest && $0.1 <= largest })
    #expect(bits == 1 || problems.terms.contains { $0.0 > largest / 2 })
    let targets = problems.targets.elements(as: Float.self)
    for (index, (a, b)) in problems.terms.enumerated() {
      let sum = (0..<bits).reduce(UInt64(0)) { $0 | UInt64(targets[index * bits + $1]) << UInt64($1) }
      #expect(sum == a + b)
    }
  }

  @Test func optionsSurviveTheirSavedForm() throws {
    let options = try BinaryAddition.Options.parse([
      "--bits", "5", "--bias", "--init", "he", "--activation", "relu", "--learning-rate", "1e-3", "--method",
      "tape",
    ])
    let saved = try options.values()
    #expect(saved["learningRate"] == .number(0.001))
    let back = try BinaryAddition.Options(values: saved, from: "config.json")
    #expect(try back.values() == saved)
    #expect(throws: KasaneError.self) {
      try BinaryAddition.Options(values: ["bits": .integer(77)], from: "config.json")
    }
  }
}
