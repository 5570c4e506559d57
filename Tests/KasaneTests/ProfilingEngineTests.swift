// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// The engine that keeps a profile of another.
@Suite struct ProfilingEngineTests {
  private let profiling = ProfilingEngine(base: CPUEngine(), profile: Profile(keepsShapes: false))

  private func work(_ name: String, _ body: () -> Void) -> Profile.Entry? {
    profiling.profile.clear()
    profiling.profile.start()
    body()
    profiling.profile.stop()
    return profiling.profile.entries.first { $0.key.name == name }?.value
  }

  @Test func countsProducts() {
    typealias Product = (a: Shape, b: Shape, transposing: Transposition, multiplications: Int)
    let products: [Product] = [
      ([3, 5], [5, 7], .none, 105), ([2, 3, 5], [5, 7], .none, 210), ([2, 3, 5], [2, 5, 7], .none, 210),
      ([2, 3, 5], [7, 5], .right, 210), ([2, 3, 5], [2, 3, 7], .left, 210), ([0, 5], [5, 7], .none, 0),
    ]
    for product in products {
      let (a, b) = (Tensor(ones: product.a), Tensor(ones: product.b))
      let entry = work("matrixProduct") {
        _ = profiling.matrixProduct(a, b, transposing: product.transposing)
      }
      #expect(entry?.operations == Double(2 * product.multiplications), "\(product)")
      #expect(entry?.calls == 1)
    }
  }

  @Test func countsConvolutions() {
    let x = Tensor(ones: [2, 6, 5, 4]), weight = Tensor(ones: [3, 3, 2, 8])
    var geometry = ConvolutionGeometry()
    geometry.groups = 2
    let y = profiling.convolution(x, weight, bias: nil, geometry)
    let operations = 2.0 * Double(y.elementCount) * 3 * 3 * 2
    for (name, body) in [
      ("convolution", { _ = profiling.convolution(x, weight, bias: nil, geometry) }),
      (
        "convolutionInputGradient",
        { _ = profiling.convolutionInputGradient(y, weight, shape: x.shape, geometry) }
      ),
      (
        "convolutionWeightGradient",
        { _ = profiling.convolutionWeightGradient(x, y, shape: weight.shape, geometry) }
      ),
    ] {
      let entry = work(name, body)
      #expect(entry?.operations == operations, "\(name)")
      #expect(entry?.bytes == Double(4 * (x.elementCount + y.elementCount + weight.elementCount)), "\(name)")
    }
  }

  @Test func countsBytesOnceWhereElementsAreBroadcast() {
    let x = Tensor(ones: [4, 5]), row = Tensor(ones: [5]).broadcast(to: [4, 5])
    let entry = work("add") { _ = profiling.binary(.add, x, row) }
    #expect(entry?.bytes == Double(4 * (20 + 5 + 20)))
    #expect(entry?.operations == 0)
  }

  @Test func measuresOnlyWhileItRuns() {
    profiling.profile.clear()
    _ = profiling.unary(.relu, Tensor(ones: [3]))
    #expect(profiling.profile.entries.isEmpty)
  }

  @Test func tellsShapesApartWhereAsked() {
    let profiling = ProfilingEngine(base: CPUEngine(), profile: Profile(keepsShapes: true))
    profiling.profile.start()
    for shape in [[3], [4], [3]] as [Shape] { _ = profiling.unary(.relu, Tensor(ones: shape)) }
    profiling.profile.stop()
    #expect(
      profiling.profile.entries.map { "\($0.key.shapes) \($0.value.calls)" }.sorted() == ["[3] 2", "[4] 1"])
  }

  /// A primitive that is not handed on would be composed of others where the engine has one of its own.
  @Test func handsEveryPrimitiveOn() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Sources/Kasane/Engine")
    func sources(_ folder: URL) throws -> [String] {
      try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        .filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }
    }
    // Requirements stand in protocols, without a body.
    var required: Set<String> = []
    for source in try sources(folder) {
      for part in source.components(separatedBy: "protocol ").dropFirst() {
        required.formUnion(Self.signatures(of: part.components(separatedBy: "\n}")[0]))
      }
    }
    let offered = Set(try sources(folder.appending(path: "Profiling")).flatMap(Self.signatures))
    #expect(required.count > 30)
    #expect(required.subtracting(offered).sorted() == [])
  }

  /// The functions of a source, as `name(label:label:)`.
  private static func signatures(of source: String) -> Set<String> {
    var found: Set<String> = []
    for part in source.components(separatedBy: "func ").dropFirst() {
      guard let open = part.firstIndex(of: "(") else { continue }
      var (depth, isLabel, label, labels) = (0, true, "", "")
      for character in part[open...] {
        switch character {
        case "(", "[", "<":
          depth += 1
        case ")", "]":
          depth -= 1
        case ">" where depth > 1:
          depth -= 1
        case ":" where depth == 1 && isLabel:
          labels += "\(label.split(separator: " ").first ?? ""):"
          (label, isLabel) = ("", false)
        case "," where depth == 1:
          isLabel = true
        case "\n": break
        default: if isLabel { label.append(character) }
        }
        if depth == 0 { break }
      }
      let name = part[..<open].prefix { $0 != "<" }
      found.insert("\(name)(\(labels))")
    }
    return found
  }
}
