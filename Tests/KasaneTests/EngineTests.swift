// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The CPU's engine against the reference: memory, and what goes element by element.
@Suite struct EngineTests {
  private let cpu = CPUEngine(), reference = ReferenceEngine()

  private static let shapes: [Shape] = [[], [1], [0, 3], [5, 1, 3], [2, 3, 4, 3], [300], [7, 33]]
  private static let pairs: [(Shape, Shape)] = [
    ([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1], [1, 3]), ([], [2, 2]), ([4], []), ([2, 1, 3], [5, 1]),
    ([0, 3], [3]), ([3, 100], [3, 1]),
  ]

  @Test(arguments: UnaryPrimitive.allCases) func unary(_ primitive: UnaryPrimitive) {
    let domain: Domain =
      switch primitive {
      case .squareRoot, .reciprocalSquareRoot, .logarithm, .logarithmOnePlus: .positive
      case .arcSine, .arcCosine, .inverseHyperbolicTangent: .insideOne
      case .inverseHyperbolicCosine: .between(1.1, 4)
      default: .between(-5, 5)
      }
    let admitsWholes = [.negate, .absolute, .sign, .square, .relu].contains(primitive)
    for shape in Self.shapes {
      compareEngines("\(primitive) \(shape)", [DType].floatingPoint, [Input(shape, domain)], tolerance: 4e-7)
      {
        [$0.unary(primitive, $1[0])]
      }
      if admitsWholes {
        compareEngines("\(primitive) \(shape)", [DType].wholes, [Input(shape)]) {
          [$0.unary(primitive, $1[0])]
        }
      }
    }
  }

  @Test(arguments: BinaryPrimitive.allCases) func binary(_ primitive: BinaryPrimitive) {
    let wholes: [DType] =
      switch primitive {
      case .add, .subtract, .multiply, .divide, .remainder: [DType].wholes
      case .maximum, .minimum: [DType].wholes + [.bool]
      default: []
      }
    let domain: Domain = primitive == .power ? .positive : .real
    for (a, b) in Self.pairs {
      compareEngines(
        "\(primitive) \(a) \(b)", [DType].floatingPoint + wholes, [Input(a, domain), Input(b, domain)],
        tolerance: 4e-7
      ) { [$0.binary(primitive, $1[0], $1[1])] }
    }
  }

  @Test(arguments: ComparisonPrimitive.allCases) func comparison(_ primitive: ComparisonPrimitive) {
    for (a, b) in Self.pairs {
      compareEngines("\(primitive) \(a) \(b)", DType.allCases, [Input(a), Input(b)]) {
        [$0.compare(primitive, $1[0], $1[1])]
      }
    }
  }

  @Test func select() {
    for (a, b) in Self.pairs {
      compareEngines("select \(a) \(b)", DType.allCases, [Input([2, 1, 1], .bool), Input(a), Input(b)]) {
        guard a.elementCount > 0, a.broadcast(with: b)!.broadcast(with: [2, 1, 1]) != nil else { return [] }
        return [$0.select($1[0], $1[1], $1[2])]
      }
    }
  }

  /// Also what lies outside the type that it is converted to.
  @Test(arguments: DType.allCases) func copies(_ to: DType) {
    let special: [Double] = [
      0, -0.0, 1, -1, 2.5, -2.5, 3.5, 127, 128, -129, 255, 256, -1e-3, 65504, 65520, 1e-5, 6e-8, 1e5, 3e9,
      -3e9,
      1e19, -1e19, 1e39, .infinity, -.infinity, .nan,
    ]
    for from in DType.allCases {
      let x = Tensor(unsetWithShape: [special.count], dtype: from)
      reference.copy(Tensor(special), into: x)
      for layout in Layout.allCases where layout != .broadcast {
        let view = x.laidOut(layout)
        let (found, expected) = (
          Tensor(zeros: [3, special.count], dtype: to), Tensor(zeros: [3, special.count], dtype: to)
        )
        cpu.copy(view, into: found)
        reference.copy(view, into: expected)
        expectClose(found, expected, 0, "\(from) to \(to), \(layout)")
      }
    }
    for value in special {
      let (found, expected) = (Tensor(zeros: [2, 3], dtype: to), Tensor(zeros: [2, 3], dtype: to))
      cpu.fill(found, with: value)
      reference.fill(expected, with: value)
      expectClose(found, expected, 0, "filled \(to) with \(value)")
      #expect(
        cpu.scalar(found.select(1).select(2)) == reference.scalar(expected.select(1).select(2)) || value.isNaN
      )
      if to.isFloatingPoint {
        #expect(cpu.isFinite(found) == reference.isFinite(expected), "isFinite of \(value), \(to)")
      }
    }
  }

  @Test func specialNumbers() {
    let special: [Double] = [
      0, -0.0, 1, -1, 0.5, 1e-30, 88, 104, -104, 1e4, -1e4, .infinity, -.infinity, .nan,
    ]
    for dtype in [DType].floatingPoint {
      let x = Tensor(special).cast(to: dtype)
      for primitive in UnaryPrimitive.allCases where ![.sine, .cosine, .tangent].contains(primitive) {
        let (found, expected) = (cpu.unary(primitive, x), reference.unary(primitive, x))
        expectEachClose(found, expected, dtype.spacing(4e-7), "\(primitive), \(dtype)")
      }
      let (a, b) = (x.reshaped(to: [special.count, 1]), x)
      for primitive in BinaryPrimitive.allCases
      where primitive.rawValue <= BinaryPrimitive.arcTangent2.rawValue {
        let (found, expected) = (cpu.binary(primitive, a, b), reference.binary(primitive, a, b))
        expectEachClose(found, expected, dtype.spacing(4e-7), "\(primitive), \(dtype)")
      }
      for primitive in ComparisonPrimitive.allCases {
        expectClose(
          cpu.compare(primitive, a, b), reference.compare(primitive, a, b), 0, "\(primitive), \(dtype)")
      }
    }
  }

  /// Compares element by element, relative to each.
  private func expectEachClose(_ found: Tensor, _ expected: Tensor, _ tolerance: Double, _ name: String) {
    let a = found.cast(to: .float64).elements(as: Double.self)
    let b = expected.cast(to: .float64).elements(as: Double.self)
    for (place, (a, b)) in zip(a, b).enumerated() {
      let isClose = a == b || a.isNaN && b.isNaN || abs(a - b) <= tolerance * abs(b) + 1e-37
      #expect(isClose, "\(name): element \(place) is \(a), not \(b)")
    }
  }
}
