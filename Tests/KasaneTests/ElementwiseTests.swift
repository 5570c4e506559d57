// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Kasane

/// What the rows of the operations leave out: corners, and types that differ from each other.
@Suite struct ElementwiseTests {
  private func slope(at x: [Double], _ function: (Tensor) -> Tensor) -> [Double] {
    gradient(at: Tensor(x)) { function($0).sum() }.elements()
  }

  private func numbers(_ x: Tensor) -> [Double] { x.cast(to: .float64).elements() }

  @Test func numbersOnEitherSideAndAssignments() {
    #expect(slope(at: [2, 4]) { 1 / $0 } == [-0.25, -0.0625])
    #expect(slope(at: [2, 4]) { 1 + $0 } == [1, 1])
    let slopes = slope(at: [2, 4]) { x in
      var y = x
      y += x
      y *= x
      y -= 1
      y /= Tensor([2.0])
      return y
    }
    #expect(slopes == [4, 8])
    var x = Tensor([1, 2, 3] as [Int32])
    x += 1
    x *= x
    #expect(x.elements(as: Int32.self) == [4, 9, 16])
  }

  @Test func derivativesAtCorners() {
    #expect(slope(at: [0], abs) == [0])
    #expect(slope(at: [-1.5, 0, 2.5]) { sign($0) + floor($0) + ceil($0) + round($0) } == [0, 0, 0])
    #expect(slope(at: [-1, 0, 1, 2, 3]) { $0.clipped(min: 0, max: 2) } == [0, 1, 1, 1, 0])
    #expect(slope(at: [-1, 0, 3, 6, 7], relu6) == [0, 0, 1, 0, 0])
    #expect(slope(at: [-1, 0, 1]) { leakyReLU($0, slope: 0.5) } == [0.5, 0.5, 1])
    #expect(slope(at: [0]) { elu($0, alpha: 2) } == [2])
    #expect(slope(at: [-3, 3], hardSigmoid) == [0, 0])
    #expect(slope(at: [-4, -3, 3, 4], hardSwish) == [0, 0, 1, 1])
    #expect(slope(at: [0], softsign) == [1])
  }

  @Test func equalElementsShareTheGradient() {
    let (a, b) = (Tensor([1.0, 2, 3]), Tensor([2.0, 2, 2]))
    let (_, (ofA, ofB)) = valueWithGradient(at: a, b) { maximum($0, $1).sum() }
    #expect(numbers(ofA) == [0, 0.5, 1])
    #expect(numbers(ofB) == [1, 0.5, 0])
    let (_, (least, others)) = valueWithGradient(at: a, b) { minimum($0, $1).sum() }
    #expect(numbers(least) == [1, 0.5, 0])
    #expect(numbers(others) == [0, 0.5, 1])
    let same = gradient(at: a) { (maximum($0, $0) + minimum($0, $0)).sum() }
    #expect(numbers(same) == [2, 2, 2])
  }

  @Test func numbersThatAreNone() {
    let x = Tensor([Double.nan, .infinity, -.infinity, 1])
    #expect(isNaN(x).elements() == [true, false, false, false])
    #expect(isInfinite(x).elements() == [false, true, true, false])
    #expect(isFinite(x).elements() == [false, false, false, true])
    #expect(isFinite(Tensor([1, 2])).elements() == [true, true])
    #expect(isNaN(Tensor([1, 2])).elements() == [false, false])
    let (largest, least) = (maximum(x, Tensor(0.0)), minimum(Tensor(0.0), x))
    #expect(isNaN(largest).elements() == [true, false, false, false])
    #expect(isNaN(least).elements() == [true, false, false, false])
    #expect(isNaN(x.clipped(min: 0, max: 1)).elements() == [true, false, false, false])
    #expect((x .== x).elements() == [false, true, true, true])
  }

  /// The functions that would overflow on the way have finite values and gradients.
  @Test func largeNumbers() {
    let x = Tensor([-1e4, -200, -89, 89, 200, 1e4]).cast(to: .float32)
    for activation in Activation.allCases {
      let (value, slope) = valueWithGradient(at: x) { activation($0).sum() }
      #expect(value.isFinite && slope.isFinite, "\(activation): \(activation(x)), \(slope)")
    }
    #expect(silu(x).elements(as: Float.self).suffix(3) == [89, 200, 1e4])
    #expect(softplus(x).elements(as: Float.self).suffix(3) == [89, 200, 1e4])
  }

  @Test func powersAtZero() {
    #expect(slope(at: [0]) { pow($0, 2.5) } == [0])
    #expect(slope(at: [0, 2]) { pow($0, 0) } == [0, 0])
    #expect(slope(at: [0], { pow(0, $0) }) == [0])
    let zero = Tensor([0.0])
    for exponent in [0.0, 1, 3] {
      let (_, (ofBase, ofExponent)) = valueWithGradient(at: zero, Tensor([exponent])) { pow($0, $1).sum() }
      #expect(numbers(ofBase) == [exponent == 1 ? 1.0 : 0])
      #expect(numbers(ofExponent) == [0.0])
    }
    let (_, (ofBase, _)) = valueWithGradient(at: Tensor([-2.0]), Tensor([3.0])) { pow($0, $1).sum() }
    #expect(numbers(ofBase) == [12.0])
    #expect(numbers(pow(Tensor([-2, 0, 3]), 5)) == [-32, 0, 243])
    #expect(numbers(pow(Tensor([-2, 0, 3]), 0)) == [1, 1, 1])
    let origin = valueWithGradient(at: zero, zero) { atan2($0, $1).sum() }.gradients
    #expect(numbers(origin.0) == [0.0] && numbers(origin.1) == [0.0])
  }

  @Test func wholeNumbersAgainstAnyNumber() {
    let x = Tensor([-1, 0, 1])
    #expect((x .> 0.5).elements() == [false, false, true])
    #expect((x .>= 0.5).elements() == [false, false, true])
    #expect((x .< -0.5).elements() == [true, false, false])
    #expect((x .== 0.5).elements() == [false, false, false])
    #expect((x .!= 0.5).elements() == [true, true, true])
    #expect((x .< 1e30).elements() == [true, true, true])
    #expect((x.cast(to: .int8) .< 300).elements() == [true, true, true])
    #expect((x.cast(to: .uint8) .> -1).elements() == [true, true, true])
    #expect((Tensor([true, false]) .== 1).elements() == [true, false])
    #expect(numbers(x.clipped(min: -0.5, max: 0.5)) == [0, 0, 0])
    #expect(numbers(x.clipped(max: 0)) == [-1, 0, 0])
    #expect(numbers(remainder(Tensor([-7, -6, 7]), 3)) == [2, 0, 1])
    #expect(numbers(floor(x)) == [-1, 0, 1])
  }

  @Test func whereOfEveryType() {
    let condition = Tensor([true, false])
    for dtype in DType.allCases {
      let (a, b) = (Tensor(ones: [3, 1], dtype: dtype), Tensor(zeros: [2], dtype: dtype))
      let chosen = Tensor.where(condition, a, b)
      #expect(chosen.dtype == dtype && chosen.shape == [3, 2])
      #expect(numbers(chosen.cast(to: .float64)) == [1.0, 0, 1, 0, 1, 0])
    }
  }

  @Test func activationsByName() {
    let x = Tensor([-1.0, 0.5])
    for activation in Activation.allCases {
      #expect(Activation(rawValue: activation.rawValue) == activation)
      #expect(activation(x).shape == [2])
    }
    #expect(numbers(glu(Tensor([2.0, 0]))) == [1.0])
  }
}
