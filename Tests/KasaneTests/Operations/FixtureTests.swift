// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// PyTorch's values and gradients (Tests/Fixtures/operations.py).
@Suite struct FixtureTests {
  /// The tensors of all files by row and part.
  private static let fixtures: [String: [String: Tensor]] = {
    var result: [String: [String: Tensor]] = [:]
    let paths = Bundle.module.paths(forResourcesOfType: "safetensors", inDirectory: "Fixtures/Operations")
    for path in paths {
      guard let file = try? Safetensors(contentsOf: path) else { fatalError("\(path) cannot be read") }
      for (name, tensor) in file.tensors {
        let slash = name.lastIndex(of: "/")!
        result[String(name[..<slash]), default: [:]][String(name[name.index(after: slash)...])] = tensor
      }
    }
    return result
  }()

  @Test func everyFixtureHasItsRow() {
    let rows = Set(operationRows.filter(\.isInPyTorch).map(\.name))
    let unknown = Set(Self.fixtures.keys).subtracting(rows)
    #expect(unknown.isEmpty, "fixtures without a row that says PyTorch has it: \(unknown.sorted())")
  }

  @Test(arguments: operationRows.filter(\.isInPyTorch))
  func valueAndGradientsAreThoseOfPyTorch(_ row: OperationRow) throws {
    let fixture = try #require(Self.fixtures[row.name], "no fixture for \(row.name)")
    let inputs = row.inputs.indices.compactMap { fixture["input\($0)"] }
    try #require(inputs.count == row.inputs.count, "\(row.name): the fixture has \(inputs.count) inputs")
    let value = try #require(fixture["value"])
    let found = row.function(inputs)
    #expect(found.dtype == value.dtype, "\(row.name)")
    expectRelativelyClose(found, value, row.name)
    guard row.differentiability != .none else { return }
    let weights = try #require(fixture["weights"], "\(row.name): the fixture has no gradients")
    let places = row.inputs.indices.filter { row.inputs[$0].domain.isReal }
    let (_, gradients) = valueWithGradients(at: places.map { inputs[$0] }) { chosen in
      var all = inputs
      for (place, tensor) in zip(places, chosen) { all[place] = tensor }
      return (row.function(all) * weights).sum()
    }
    for (place, gradient) in zip(places, gradients) {
      let expected = try #require(fixture["gradient\(place)"])
      expectRelativelyClose(gradient, expected, "\(row.name), gradient \(place)")
    }
  }

  private func expectRelativelyClose(_ found: Tensor, _ expected: Tensor, _ name: String) {
    let numbers = expected.cast(to: .float64).elements(as: Double.self)
    let largest = numbers.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    expectClose(found, expected, 1e-5, scale: largest == 0 ? 1 : largest, name)
  }
}
