// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What the rows of the reductions leave out: no elements, equal elements, zeros, infinities, and types of whole numbers.
@Suite struct ReductionTests {
  private func numbers(_ x: Tensor) -> [Double] { x.cast(to: .float64).elements() }

  @Test func overNoElements() {
    let none = Tensor(zeros: [0, 3], dtype: .float64)
    #expect(numbers(none.sum(axes: [0])) == [0, 0, 0])
    #expect(numbers(none.product(axes: [0])) == [1, 1, 1])
    #expect(numbers(none.logSumExp(axes: [0])) == [-.infinity, -.infinity, -.infinity])
    #expect(numbers(none.norm(axes: [0])) == [0, 0, 0])
    #expect(none.mean().scalar.isNaN && none.variance().scalar.isNaN)
    #expect(none.any(axes: [0]).elements() == [false, false, false])
    #expect(none.all(axes: [0]).elements() == [true, true, true])
    #expect(none.max(axes: [1]).shape == [0])
    #expect(none.max(axes: [1], keepingAxes: true).shape == [0, 1])
    #expect(none.argmin(axis: 1).shape == [0])
    #expect(none.argmin(axis: 1, keepingAxis: true).shape == [0, 1])
    #expect(none.cumulativeSum(axis: 0).shape == [0, 3])
    #expect(none.cumulativeProduct(axis: 0).shape == [0, 3])
    #expect(softmax(none, axis: 0).shape == [0, 3] && logSoftmax(none).shape == [0, 3])
  }

  @Test func overNoAxes() {
    let x = Tensor([3.0, -2], shape: [2, 1])
    for result in [x.sum(axes: []), x.mean(axes: []), x.max(axes: []), x.product(axes: [])] {
      #expect(result.shape == [2, 1] && numbers(result) == [3, -2])
    }
    let scalar = Tensor(5.0)
    #expect(scalar.sum().scalar == 5 && scalar.max().scalar == 5 && scalar.argmax().scalar == 0)
    #expect(scalar.argmax(keepingAxis: true).shape == [])
    #expect(Tensor([1.0, 7, 3], shape: [3, 1]).argmax(keepingAxis: true).shape == [1, 1])
  }

  @Test func equalExtremesShareTheGradient() {
    let x = Tensor([1.0, 3, 3, 0, 0, 0], shape: [2, 3])
    let third = 1.0 / 3
    #expect(numbers(gradient(at: x) { $0.max(axes: [1]).sum() }) == [0, 0.5, 0.5, third, third, third])
    #expect(numbers(gradient(at: x) { $0.min() }) == [0, 0, 0, third, third, third])
    #expect(x.argmax(axis: 1).elements() == [1, 0])
    #expect(x.argmin().elements() == [3])
  }

  @Test func extremesWithNaN() {
    let elements: [Double] = [1, .nan, 3, -.infinity, 2, .infinity]
    let x = Tensor(elements, shape: [2, 3])
    #expect(isNaN(x.max(axes: [1])).elements() == [true, false])
    #expect(isNaN(x.min(axes: [1])).elements() == [true, false])
    #expect(x.argmax(axis: 1).elements() == [1, 2] && x.argmin(axis: 1).elements() == [1, 0])
  }

  /// The derivatives of a product are right where one or several factors are zero.
  @Test(arguments: [[2.0, 0, 3, 5, 4], [0, 2, 0, 5, 1], [0, 0, 0, 1, 2], [2, 3, 4, 5, 6], [0], [0, 0]])
  func productsWithZeros(_ elements: [Double]) {
    let x = Tensor(elements)
    let expected = elements.indices.map { place in
      elements.indices.reduce(1) { $1 == place ? $0 : $0 * elements[$1] }
    }
    #expect(numbers(gradient(at: x) { $0.product() }) == expected)
    checkGradients("product of \(elements)", at: [x]) { $0[0].product() }
    checkGradients("cumulative product of \(elements)", at: [x]) { $0[0].cumulativeProduct(axis: 0) }
    let matrix = Tensor((elements + elements.reversed()).map { $0 / 4 }, shape: [2, elements.count])
    checkGradients("product of columns of \(elements)", at: [matrix]) { $0[0].product(axes: [0]) }
    checkGradients("product of all of \(elements)", at: [matrix]) { $0[0].product(axes: [1, 0]) }
  }

  @Test func wholeNumbers() {
    let bytes = Tensor([Int8](repeating: 100, count: 4))
    #expect(bytes.sum().dtype == .int64 && bytes.sum().elements() == [400])
    #expect(bytes.product().elements() == [100_000_000])
    #expect(bytes.cumulativeSum(axis: 0).elements() == [100, 200, 300, 400])
    #expect(bytes.max().dtype == .int8 && bytes.argmax().dtype == .int64)
    #expect(Tensor([true, false, true]).sum().elements() == [2])
    #expect(Tensor([0, 3, -1]).countNonzero().elements() == [2])
    #expect(Tensor([0.0, .nan]).any().elements() == [true])
    #expect(Tensor([1, 2, 0]).all().elements() == [false])
    let large = Tensor([Int64.max - 1, Int64.max, Int64.min])
    #expect(large.max().elements() == [Int64.max] && large.argmin().elements() == [2])
  }

  /// float16 ends at 65504.
  @Test func halvesHaveRoomOnTheWay() {
    let x = Tensor(repeating: 1000, shape: [300], dtype: .float16)
    #expect(x.mean().scalar == 1000 && x.mean().dtype == .float16)
    #expect(x.variance().scalar == 0)
    #expect(abs(x.norm().scalar - 17320) <= 16)
    #expect(gradient(at: x) { $0.mean() }.dtype == .float16)
    #expect(abs(x.logSumExp().scalar - 1005.5) < 1)
  }

  @Test func statisticsAtCorners() {
    let equal = Tensor([2.0, 2, 2])
    let (deviation, slope) = valueWithGradient(at: equal) { $0.standardDeviation() }
    #expect(deviation.scalar == 0 && numbers(slope) == [0, 0, 0])
    for p in [0, 0.5, 1, 1.5, 2, 3, .infinity] {
      let (norm, slope) = valueWithGradient(at: Tensor([0.0, 0])) { $0.norm(p) }
      #expect(norm.scalar == 0 && numbers(slope) == [0, 0], "norm \(p)")
    }
    let (_, mixed) = valueWithGradient(at: Tensor([0.0, 3])) { $0.norm() }
    #expect(numbers(mixed) == [0, 1])
    #expect(Tensor([3.0]).variance().scalar.isNaN && Tensor([3.0]).variance(correction: 0).scalar == 0)
  }

  @Test func softmaxOfInfinities() {
    let elements: [Double] = [0, -.infinity, 0, 1e4, -1e4, 9e3]
    let x = Tensor(elements, shape: [2, 3])
    let weights = Tensor([1.0, 2, 3])
    let (_, slope) = valueWithGradient(at: x) { (softmax($0) * weights).sum() }
    #expect(numbers(softmax(x)) == [0.5, 0, 0.5, 1, 0, 0])
    #expect(numbers(slope) == [-0.5, 0, 0.5, 0, 0, 0])
    #expect(numbers(logSoftmax(x).select(1)) == [0, -2e4, -1e3])
    #expect(Tensor(repeating: -.infinity, shape: [2]).logSumExp().scalar == -.infinity)
    #expect(Tensor([1.0, .infinity]).logSumExp().scalar == .infinity)
    #expect(Tensor([1000.0, 1000]).logSumExp().scalar == 1000.6931471805599)
  }
}
