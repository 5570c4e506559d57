// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// Tensors as values: making, slicing, changing and reading them back.
@Suite struct TensorValueTests {
  @Test func literalsHaveTheTypeOfTheirNumbers() {
    let numbers: Tensor = [[1, -2.5], [3, 4]]
    #expect(numbers.shape == [2, 2] && numbers.dtype == .float32)
    #expect(numbers.elements(as: Float.self) == [1, -2.5, 3, 4])
    let integers: Tensor = [1, 2, 3]
    #expect(integers.isEqual(to: Tensor([1, 2, 3])))
    let truths: Tensor = [[true], [false]]
    #expect(truths.shape == [2, 1] && truths.dtype == .bool)
    let empty: Tensor = []
    #expect(empty.shape == [0] && empty.dtype == .float32)
  }

  @Test func arraysGoInAndOut() {
    let rows: [[Float]] = [[1, 2, 3], [4, 5, 6]]
    let x = Tensor(rows)
    #expect(x.shape == [2, 3])
    #expect([[Float]](x) == rows)
    #expect([[Int]](x.transposed()) == [[1, 4], [2, 5], [3, 6]])
    #expect([Int32](x) == [1, 2, 3, 4, 5, 6])
    #expect(x.scalars == [1, 2, 3, 4, 5, 6])
    let cube = Tensor([[[1.0], [2]], [[3], [4]], [[5], [6]]])
    #expect(cube.shape == [3, 2, 1] && cube.dtype == .float64)
    #expect(Tensor([[Float]]()).shape == [0, 0])
    let half = Tensor([1.5, -0.25] as [Float16])
    #expect(half.dtype == .float16 && half.elements(as: Float16.self) == [1.5, -0.25])
    #expect(half.scalars == [1.5, -0.25])
  }

  @Test func sequencesOfNumbers() {
    #expect(Tensor.arange(4).isEqual(to: Tensor([0, 1, 2, 3])))
    #expect(Tensor.arange(from: 5, to: 0, step: -2).isEqual(to: Tensor([5, 3, 1])))
    #expect(Tensor.arange(from: 0, to: 3, dtype: .float32).isEqual(to: Tensor([0, 1, 2] as [Float])))
    #expect(Tensor.arange(from: 0.0, to: 1, step: 0.25).isEqual(to: Tensor([0, 0.25, 0.5, 0.75] as [Float])))
    #expect(Tensor.arange(from: 3, to: 3).shape == [0] && Tensor.arange(from: 1.0, to: 0).shape == [0])
    #expect(Tensor.linspace(from: -1, to: 1, count: 5).scalars == [-1, -0.5, 0, 0.5, 1])
    #expect(Tensor.linspace(from: 2, to: 3, count: 1).scalars == [2])
    #expect([[Int]](Tensor.eye(2, 3)) == [[1, 0, 0], [0, 1, 0]])
    #expect(Tensor.full(7, shape: [2], dtype: .uint8).elements(as: UInt8.self) == [7, 7])
    #expect(Tensor.eye(0).shape == [0, 0])
  }

  @Test func subscriptsSelect() {
    let x = Tensor(Array(0..<24), shape: [2, 3, 4])
    #expect([Int](x[1, 2]) == [20, 21, 22, 23])
    #expect(x[1, 2, 3].shape == [] && x[1, 2, 3].scalar == 23)
    #expect([Int](x[..., -1]) == [3, 7, 11, 15, 19, 23])
    #expect([Int](x[0, (0...).stride(by: -1), 0]) == [8, 4, 0])
    #expect([Int](x[0, 0, (1..<4).stride(by: -2)]) == [3, 1])
    #expect([Int](x[0, 0, (-2)...]) == [2, 3])
    #expect([Int](x[0, 0, -3..<0]) == [1, 2, 3])
    #expect([Int](x[0, 0, (-3)...(-2)]) == [1, 2])
    #expect([Int](x[0, 0, ...1]) == [0, 1] && [Int](x[0, 0, ...(-3)]) == [0, 1])
    #expect([Int](x[0, stride(from: 2, through: 0, by: -2), 1]) == [9, 1])
    #expect(x[.newAxis, 0..., .ellipsis, .newAxis].shape == [1, 2, 3, 4, 1])
    #expect(x[2...].shape == [0, 3, 4] && x[..., 1, 4..<4].shape == [2, 0])
    #expect(x[...].isEqual(to: x))
  }

  @Test func settingChangesOneValueAlone() {
    // Small tensors and large ones keep their memory differently.
    for size in [4, 5000] {
      var x = Tensor(zeros: [size, 2])
      let before = x, row = x[1]
      x[1] = Tensor([1, 2])
      x[0..., 0] = x[0..., 1]
      #expect(before.scalars.allSatisfy { $0 == 0 } && row.scalars == [0, 0])
      #expect(x[1].scalars == [2, 2] && x[2].scalars == [0, 0])
      x[..<2] = Tensor([[5, 6], [7, 8]] as [[Float]])
      let view = x[(0...).stride(by: -1)]
      x[-1, 0] = Tensor(9)
      #expect(x[-1].scalars == [9, 0] && view[0].scalars == [0, 0] && x[0].scalars == [5, 6])
      #expect(x.dtype == .float32)
    }
  }

  @Test func settingALargeValueThatNobodyElseHoldsCopiesNothing() {
    var x = Tensor(zeros: [1000, 100])
    let one = Tensor(ones: [100])
    let memory = x.object.pointee.data
    for index in 0..<1000 { x[index] = one }
    #expect(x.sum().scalar == 100_000)
    #expect(x.object.pointee.data == memory)
  }

  @Test func constantsCanBeSetWithinAGradient() {
    let (value, gradient) = valueWithGradient(at: Tensor([1.0, 2, 3])) { x in
      var total = Tensor(zeros: [2000], dtype: .float64)
      for index in 0..<3 { total[index] = square(x[index]) }
      var fixed = x
      withoutGradient { fixed[0] = Tensor(10.0) }
      return total.sum() + fixed.sum()
    }
    #expect(value.scalar == 14 + 15)
    #expect(gradient.scalars == [2, 4, 6])
  }

  @Test func manySlicesOfOneTensorCostTheirElements() {
    // Each slice's gradient as a whole tensor would take 4000 times 4000 * 64 elements.
    let x = Tensor(ones: [4000, 64])
    let gradient = gradient(at: x) { x in
      var total = x[0]
      for index in 1..<4000 { total = total + x[index] * Double(index) }
      return total.sum()
    }
    #expect(gradient[3999].scalars.allSatisfy { $0 == 3999 })
    #expect(gradient[0].scalars.allSatisfy { $0 == 1 })
  }

  @Test func reshapingKeepsViewsWhereItCan() {
    let x = Tensor(Array(0..<24), shape: [2, 3, 4])
    let part = x[..., 1..<3]
    #expect(part.reshaped(to: [6, 2]).box.owner === x.box)
    #expect(part.reshaped(to: [1, 2, 1, 3, 2, 1]).box.owner === x.box)
    #expect(part.reshaped(to: [12]).box.owner !== x.box)
    #expect(x.transposed().reshaped(to: [2, 2, 2, 3]).box.owner === x.box)
    #expect(x.flipped().reshaped(to: [24]).box.owner === x.box)
    for shape in [[12], [4, 3], [6, 2], [1, 12, 1], [2, 3, 1, 2], [-1]] {
      #expect([Int](part.reshaped(to: Shape(shape))) == [Int](part))
    }
    #expect([Int](x.flipped().reshaped(to: [4, 6])) == Array((0..<24).reversed()))
    #expect(Tensor(zeros: [0, 3]).transposed().reshaped(to: [0]).shape == [0])
    #expect(Tensor(1.0).reshaped(to: [1, 1]).squeezed().shape == [])
    #expect(!x.flipped(axes: [0]).isContiguous && !x.flipped(axes: [2]).isContiguous)
    #expect(x[..<1].flipped(axes: [0]).isContiguous)
  }

  @Test func closeness() {
    let x = Tensor([1.0, .infinity, .nan])
    #expect(!x.isClose(to: x) && x.isClose(to: x, equalNaN: true))
    #expect(Tensor([1.0]).isClose(to: Tensor([1 + 1e-6])) && !Tensor([1.0]).isClose(to: Tensor([1.001])))
    #expect(!Tensor([1.0]).isClose(to: Tensor(1.0)) && !Tensor([1.0]).isClose(to: Tensor([Double.infinity])))
    #expect(!Tensor([1]).isEqual(to: Tensor([1.0])))
  }
}

@Suite struct TensorDescriptionTests {
  @Test func columnsAreAligned() {
    #expect(
      "\(Tensor([[1, 20], [-3, 4]]))" == """
        Tensor(shape: [2, 2], int64)
        [[ 1, 20],
         [-3,  4]]
        """)
    #expect(
      "\(Tensor([[[0.5, 1], [2, -3]], [[1, 1], [1, 1]]] as [[[Float]]]))" == """
        Tensor(shape: [2, 2, 2], float32)
        [[[ 0.5,  1.0],
          [ 2.0, -3.0]],

         [[ 1.0,  1.0],
          [ 1.0,  1.0]]]
        """)
  }

  @Test func numbersHaveSensibleDigits() {
    func text(_ values: [Float]) -> String { "\(Tensor(values))" }
    let head = "Tensor(shape: [2], float32) "
    #expect(text([0.1, 0.25]) == head + "[0.10, 0.25]")
    #expect(text([1.0 / 3, 100]) == head + "[0.3333, 100.0000]")
    #expect(text([1e-5, 2]) == head + "[1.0000e-05, 2.0000e+00]")
    #expect(text([.nan, -.infinity]) == head + "[nan, -inf]")
    #expect("\(Tensor([true, false]))" == "Tensor(shape: [2], bool) [true, false]")
    #expect("\(Tensor(Float(0.1)))" == "Tensor(shape: [], float32) 0.1")
    #expect("\(Tensor([Int.max]))" == "Tensor(shape: [1], int64) [9223372036854775807]")
    #expect("\(Tensor([0.1, 2]).cast(to: .bfloat16))" == "Tensor(shape: [2], bfloat16) [0.1, 2.0]")
    #expect("\(Tensor(zeros: [2, 0]))" == "Tensor(shape: [2, 0], float32)\n[[],\n []]")
  }

  @Test func longAxesAreAbbreviated() {
    #expect(
      "\(Tensor(Array(0..<1000), shape: [20, 50]))" == """
        Tensor(shape: [20, 50], int64)
        [[  0,   1,   2, ...,  47,  48,  49],
         [ 50,  51,  52, ...,  97,  98,  99],
         [100, 101, 102, ..., 147, 148, 149],
         ...,
         [850, 851, 852, ..., 897, 898, 899],
         [900, 901, 902, ..., 947, 948, 949],
         [950, 951, 952, ..., 997, 998, 999]]
        """)
    #expect("\(Tensor(zeros: [8, 8, 8, 8]))".count < 10_000)
    #expect(
      "\(Tensor.arange(12))" == "Tensor(shape: [12], int64) [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]")
  }
}

@Suite struct BatchedProductTests {
  /// Products of stacks of matrices in every layout are the products of the matrices.
  @Test(arguments: [DType.float32, .float64])
  func batchesAreTheirMatrices(_ dtype: DType) {
    var random = RandomGenerator(seed: 11)
    for (rows, inner, columns) in [(3, 4, 5), (1, 7, 1), (40, 33, 50), (2, 0, 3), (65, 64, 1)] {
      let a = Tensor(normal: [2, 3, rows, inner], dtype: dtype, using: &random)
      let b = Tensor(normal: [2, 3, inner, columns], dtype: dtype, using: &random)
      let layouts: [(Tensor) -> Tensor] = [
        { $0 }, { $0.transposed().copied().transposed() },
        { $0.swappedAxes(0, 2).copied().swappedAxes(0, 2) },
        { $0.swappedAxes(1, 2).copied().swappedAxes(1, 2) },
        { $0.swappedAxes(1, 3).copied().swappedAxes(1, 3) },
        { $0.flipped().copied().flipped() }, { $0[0..., .newAxis, 0].broadcast(to: $0.shape) },
        { $0[0, ..., .newAxis, 0..., 0...].squeezed(axis: 1) },
      ]
      for left in layouts {
        for right in layouts {
          let (x, y) = (left(a), right(b))
          let found = matmul(x, y)
          let whole = Shape([2, 3])
          let (all, others) = (
            x.broadcast(to: Shape(Array(whole) + [rows, inner])),
            y.broadcast(to: Shape(Array(whole) + [inner, columns]))
          )
          for first in 0..<found.shape[0] where found.rank == 4 {
            for second in 0..<3 {
              expectClose(
                found[first, second], matmul(all[first, second].copied(), others[first, second].copied()),
                1e-5)
            }
          }
          if found.rank == 3 { expectClose(found[1], matmul(x[1].copied(), y[1].copied()), 1e-5) }
        }
      }
    }
  }

  @Test func stacksOfRowsByOneMatrix() {
    var random = RandomGenerator(seed: 12)
    let a = Tensor(normal: [4, 5, 6], using: &random), b = Tensor(normal: [6, 3], using: &random)
    let expected = matmul(a.copied().reshaped(to: [20, 6]), b)
    expectClose(
      matmul(a.swappedAxes(0, 1).copied().swappedAxes(0, 1), b).reshaped(to: [20, 3]), expected, 1e-5)
    expectClose(matmul(a.transposed().copied().transposed(), b).reshaped(to: [20, 3]), expected, 1e-5)
    let wide = Tensor(zeros: [4, 5, 8])
    wide[..., 1..<7].fill(from: a)
    expectClose(matmul(wide[..., 1..<7], b).reshaped(to: [20, 3]), expected, 1e-5)
  }
}
