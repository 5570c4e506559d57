// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// Every check of every operation, driven by the rows.
@Suite struct OperationTests {
  /// One fixed seed, and two new ones at every run, which a failure names. `KASANE_TEST_SEED` repeats one.
  static let seeds: [UInt64] = {
    if let given = ProcessInfo.processInfo.environment["KASANE_TEST_SEED"].flatMap(UInt64.init) {
      return [given]
    }
    return [1] + (0..<2).map { _ in UInt64.random(in: 2..<1 << 32) }
  }()

  @Test func namesAreUnique() {
    var seen = Set<String>()
    for row in operationRows { #expect(seen.insert(row.name).inserted, "two rows are named \(row.name)") }
    for operation in Kasane.Operation.allCases {
      #expect(!rows(of: operation).isEmpty, "\(operation) has no row")
    }
    for composition in Composition.allCases {
      #expect(!rows(of: composition).isEmpty, "\(composition) has no row")
    }
  }

  /// A public function that no row covers has no test: also one that is a composition and has no case.
  @Test func everyPublicFunctionIsCovered() throws {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(4).joined(separator: "/")
    let folder = URL(fileURLWithPath: String(root.dropFirst()) + "/Sources/Kasane/Operations")
    let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    let covered = Set(operationRows.flatMap(\.covers)).union(functionsWithoutRows.keys)
    var found = Set<String>()
    for case let file as URL in files where file.pathExtension == "swift" {
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        let declaration = /public (?:static |prefix |mutating )*func (\w+|`\w+`|[^\s\w(]+)/
        guard let match = line.firstMatch(of: declaration) else { continue }
        let name = String(match.output.1)
        found.insert(name)
        #expect(covered.contains(name), "\(name) of \(file.lastPathComponent) is in no row's covers")
      }
    }
    let unknown = Set(operationRows.flatMap(\.covers)).subtracting(found)
    #expect(unknown.isEmpty, "rows cover functions that are not there: \(unknown.sorted())")
  }

  @Test(arguments: operationRows)
  func gradientsAreTheDifferences(_ row: OperationRow) {
    guard row.differentiability != .none else { return }
    let places = row.inputs.indices.filter { row.inputs[$0].domain.isReal }
    func check(_ what: String, _ inputs: [Tensor], _ seed: UInt64) {
      checkGradients(
        "\(row.name)\(what), seed \(seed)", at: inputs, places: places,
        second: row.differentiability == .twice, seed: seed, function: row.function)
    }
    for seed in Self.seeds {
      var maker = RowInputs(seed: seed)
      check("", maker.inputs(of: row), seed)
      for (layout, inputs) in Self.views(of: row, &maker) {
        check(" of \(layout) \(inputs.map(\.shape))", inputs, seed)
      }
    }
  }

  /// A view gives the value of its contiguous copy.
  @Test(arguments: operationRows)
  func valuesOfViewsAreThoseOfCopies(_ row: OperationRow) {
    for seed in Self.seeds.prefix(2) {
      var maker = RowInputs(seed: seed)
      for (layout, inputs) in Self.views(of: row, &maker) {
        let found = row.function(inputs)
        let expected = row.function(inputs.map { $0.contiguous() })
        expectClose(
          found, expected, 1e-12,
          "\(row.name) of \(layout) \(inputs.map(\.shape)), seed \(seed)")
      }
    }
  }

  /// Inputs in every layout, with the row's own shapes and, where it takes others, with random ones.
  static func views(of row: OperationRow, _ maker: inout RowInputs) -> [(Layout, [Tensor])] {
    var result: [(Layout, [Tensor])] = []
    for (number, layout) in Layout.allCases.enumerated() {
      let shapes = maker.shapes(of: row, number: number) ?? row.inputs.map(\.shape)
      let inputs = zip(row.inputs, shapes).map { input, shape -> Tensor in
        let tensor = maker.tensor(Input(shape, input.domain))
        // A broadcast view would have equal elements.
        if case .distinct = input.domain, layout == .broadcast { return tensor }
        return tensor.laidOut(layout)
      }
      result.append((layout, inputs))
    }
    return result
  }

  /// Each type's value is that of float64, rounded; so are the gradients.
  @Test(arguments: operationRows)
  func typesAgree(_ row: OperationRow) {
    let places = row.inputs.indices.filter { row.inputs[$0].domain.isReal }
    for dtype in row.dtypes where dtype != .float64 && !places.isEmpty {
      let name = "\(row.name), \(dtype)"
      var maker = RowInputs(seed: 3)
      let inputs = maker.inputs(of: row, dtype: dtype)
      var exact = inputs
      for place in places { exact[place] = inputs[place].cast(to: .float64) }
      let (found, expected) = (row.function(inputs), row.function(exact))
      let tolerance = dtype.tolerance
      if expected.dtype == .float64 { #expect(found.dtype == dtype, "\(name): value is \(found.dtype)") }
      expectClose(found, expected.dtype == .float64 ? dtype.wrapped(expected) : expected, tolerance, name)
      guard dtype.isFloatingPoint, row.differentiability != .none else { continue }
      let weights = maker.tensor(Input(expected.shape), dtype: dtype)
      func gradients(_ all: [Tensor], _ weights: Tensor) -> [Tensor] {
        valueWithGradients(at: places.map { all[$0] }) { chosen in
          var all = all
          for (place, tensor) in zip(places, chosen) { all[place] = tensor }
          return (row.function(all) * weights).sum()
        }.gradients
      }
      let exactGradients = gradients(exact, weights.cast(to: .float64))
      for (index, found) in gradients(inputs, weights).enumerated() {
        #expect(found.dtype == dtype, "\(name): gradient \(index) is \(found.dtype)")
        expectClose(found, exactGradients[index], 2 * tolerance, "\(name), gradient \(index)")
      }
    }
  }
}

/// What the number of threads changes; apart from the rest, because it is set for the whole process.
@Suite(.serialized) struct ThreadTests {
  @Test(.enabled(if: engine is CPUEngine), arguments: operationRows)
  func threadsAgree(_ row: OperationRow) {
    let threads = Machine.threads
    defer { Machine.threads = threads }
    var maker = RowInputs(seed: 4)
    // Large enough that kernels divide the work.
    var inputs = row.inputs
    if case .fixed = row.shapes {
    } else {
      for place in inputs.indices { inputs[place].shape = [3, 1, 40_000] }
    }
    let tensors = inputs.map { maker.tensor($0).cast(to: $0.domain.isReal ? .float32 : nil) }
    Machine.threads = 1
    let one = row.function(tensors)
    Machine.threads = 2
    let two = row.function(tensors)
    if row.isElementwise {
      #expect(
        one.cast(to: .float64).elements(as: Double.self) == two.cast(to: .float64).elements(as: Double.self),
        "\(row.name): two threads give other bits than one")
    } else {
      expectClose(two, one, 1e-5, "\(row.name) with two threads")
    }
  }
}

extension Tensor {
  fileprivate func cast(to dtype: DType?) -> Tensor { dtype.map { cast(to: $0) } ?? self }
}

extension DType {
  /// Whole numbers as arithmetic in this type leaves them.
  fileprivate func wrapped(_ exact: Tensor) -> Tensor {
    guard self == .int8 || self == .uint8 else { return exact }
    return Tensor(
      exact.elements(as: Double.self).map { number -> Double in
        let bits = UInt8(truncatingIfNeeded: Int(number))
        return self == .int8 ? Double(Int8(bitPattern: bits)) : Double(bits)
      }, shape: exact.shape)
  }

  /// How far a value computed in this type may be from the exact one, relative to the largest element.
  var tolerance: Double {
    switch self {
    case .float64: 1e-12
    case .float32: 1e-5
    case .bfloat16: 0x1p-8 * 6
    case .float16: 0x1p-11 * 6
    default: 0
    }
  }
}

/// Compares a tensor with the exact one, relative to a scale: without one, to the largest element, at least 1.
func expectClose(
  _ found: Tensor, _ exact: Tensor, _ tolerance: Double, scale: Double? = nil, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard found.shape == exact.shape else {
    Issue.record(
      "\(name): shape \(found.shape), not \(exact.shape)", sourceLocation: sourceLocation)
    return
  }
  let a = found.cast(to: .float64).elements(as: Double.self)
  let b = exact.cast(to: .float64).elements(as: Double.self)
  let scale = scale ?? b.reduce(1) { $1.isFinite ? max($0, abs($1)) : $0 }
  let wrong = a.indices.first {
    !(abs(a[$0] - b[$0]) <= tolerance * scale || a[$0] == b[$0] || a[$0].isNaN && b[$0].isNaN)
  }
  if let wrong {
    Issue.record(
      "\(name): element \(wrong) is \(a[wrong]), not \(b[wrong]), of \(exact.shape)",
      sourceLocation: sourceLocation)
  }
}
