// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// The CPU's engine against the reference, primitive by primitive, over all types that each admits and over views.
@Suite struct EngineTests {
  private let cpu = CPUEngine()
  private let reference = ReferenceEngine()

  private static let floats: [DType] = [.float64, .float32, .bfloat16, .float16]
  private static let wholes: [DType] = [.int8, .uint8, .int32, .int64]
  private static let numbers = floats + wholes

  /// Runs a primitive in both engines on inputs of each type in each layout, and compares the results.
  private func compare(
    _ name: String, _ dtypes: [DType], _ inputs: [Input], tolerance: Double = 0x1p-24,
    layouts: [Layout] = Layout.allCases, _ run: (any Engine, [Tensor]) -> [Tensor]
  ) {
    for dtype in dtypes {
      var maker = RowInputs(seed: 7)
      for layout in layouts {
        let tensors = inputs.map { maker.tensor($0, dtype: dtype).laidOut(layout) }
        let (found, expected) = (run(cpu, tensors), run(reference, tensors))
        for (found, expected) in zip(found, expected) {
          let label = "\(name), \(dtype), \(layout)"
          #expect(found.dtype == expected.dtype && found.isContiguous, "\(label)")
          expectClose(found, expected, dtype.spacing(tolerance), label)
        }
      }
    }
  }

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
      compare("\(primitive) \(shape)", Self.floats, [Input(shape, domain)], tolerance: 4e-7) {
        [$0.unary(primitive, $1[0])]
      }
      if admitsWholes {
        compare("\(primitive) \(shape)", Self.wholes, [Input(shape)]) { [$0.unary(primitive, $1[0])] }
      }
    }
  }

  @Test(arguments: BinaryPrimitive.allCases) func binary(_ primitive: BinaryPrimitive) {
    let wholes: [DType] =
      switch primitive {
      case .add, .subtract, .multiply, .divide, .remainder: Self.wholes
      case .maximum, .minimum: Self.wholes + [.bool]
      default: []
      }
    let domain: Domain = primitive == .power ? .positive : .real
    for (a, b) in Self.pairs {
      compare(
        "\(primitive) \(a) \(b)", Self.floats + wholes, [Input(a, domain), Input(b, domain)], tolerance: 4e-7
      ) { [$0.binary(primitive, $1[0], $1[1])] }
    }
  }

  @Test(arguments: ComparisonPrimitive.allCases) func comparison(_ primitive: ComparisonPrimitive) {
    for (a, b) in Self.pairs {
      compare("\(primitive) \(a) \(b)", DType.allCases, [Input(a), Input(b)]) {
        [$0.compare(primitive, $1[0], $1[1])]
      }
    }
  }

  @Test func select() {
    for (a, b) in Self.pairs {
      compare("select \(a) \(b)", DType.allCases, [Input([2, 1, 1], .bool), Input(a), Input(b)]) {
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
    for dtype in Self.floats {
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

  @Test(arguments: [Transposition.none, .left, .right]) func matrixProduct(_ transposing: Transposition) {
    let shapes: [(Shape, Shape)] =
      switch transposing {
      case .none:
        [
          ([2, 3], [3, 4]), ([0, 3], [3, 2]), ([2, 0], [0, 3]), ([2, 3, 4], [4, 5]), ([3, 4], [2, 4, 5]),
          ([2, 1, 3, 2], [5, 2, 3]), ([40, 33], [33, 17]), ([1, 70], [70, 1]),
        ]
      case .left: [([3, 2], [3, 4]), ([2, 5, 3], [2, 5, 4]), ([0, 3], [0, 2]), ([65, 3], [65, 40])]
      case .right: [([2, 3], [4, 3]), ([2, 5, 3], [4, 3]), ([2, 0], [3, 0]), ([20, 65], [33, 65])]
      }
    for (a, b) in shapes {
      compare("\(transposing) \(a) \(b)", [.float64, .float32], [Input(a), Input(b)], tolerance: 4e-6) {
        [$0.matrixProduct($1[0], $1[1], transposing: transposing)]
      }
    }
  }

  @Test func sums() {
    for (shape, kept) in Self.reductions {
      compare("sum of \(shape) to \(kept)", [.float64, .float32], [Input(shape)], tolerance: 1e-5) {
        [$0.reduce(.sum, $1[0], to: kept)]
      }
    }
  }

  private static let reductions: [(Shape, Shape)] = [
    ([], []), ([5], [1]), ([2, 3], [1, 3]), ([2, 3], [2, 1]), ([2, 3, 4], [2, 1, 4]),
    ([2, 3, 4], [1, 3, 1]),
    ([0, 3], [1, 3]), ([3, 0], [3, 1]), ([2, 300], [2, 1]), ([300, 2], [1, 2]), ([1, 4, 1], [1, 1, 1]),
    ([2, 3], [2, 3]),
  ]

  @Test func convolutions() {
    for (number, (image, kernel, groups)) in [
      (Shape([2, 6, 5, 4]), Shape([3, 2, 4, 3]), 1), ([1, 7, 7, 4], [2, 3, 2, 6], 2),
      ([3, 4, 5, 3], [3, 3, 1, 6], 3),
      ([1, 1, 9, 2], [1, 3, 2, 2], 1), ([0, 4, 4, 2], [3, 3, 2, 1], 1),
    ].enumerated() {
      var geometry = ConvolutionGeometry()
      geometry.stride = Size2D(1 + number % 2, 1 + number / 2 % 2)
      geometry.dilation = Size2D(1 + number / 3 % 2, 1)
      geometry.margins = Margins(top: number, bottom: 1, left: 2, right: number % 3)
      geometry.groups = groups
      let size = geometry.outputSize(
        image: Size2D(image[1], image[2]), kernel: Size2D(kernel[0], kernel[1]))
      let result: Shape = [image[0], size.height, size.width, kernel[3]]
      let inputs = [Input(image), Input(kernel), Input([kernel[3]]), Input(result)]
      compare("convolution \(number)", [.float64, .float32], inputs, tolerance: 4e-6) {
        [geometry] engine, x in
        [
          engine.convolution(x[0], x[1], bias: x[2], geometry),
          engine.convolution(x[0], x[1], bias: nil, geometry),
          engine.convolutionInputGradient(x[3], x[1], shape: image, geometry),
          engine.convolutionWeightGradient(x[0], x[3], shape: kernel, geometry),
        ]
      }
    }
  }
}

extension DType {
  /// A tolerance for float32 and wider as it is for this type: a half's last digit, nothing for whole numbers.
  fileprivate func spacing(_ tolerance: Double) -> Double {
    switch self {
    case .bfloat16: 0x1.1p-7
    case .float16: 0x1.1p-10
    case .float64: min(tolerance, 1e-13)
    case .float32: tolerance
    default: 0
    }
  }
}
