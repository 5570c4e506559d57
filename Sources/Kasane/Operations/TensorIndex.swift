// SPDX-License-Identifier: Apache-2.0

/// What may stand in a tensor's subscript: an integer, a range, a range with steps, `.newAxis`, `.ellipsis`.
public protocol TensorIndex: Sendable {
  /// What it selects.
  var selection: AxisSelection { get }
}

/// What one index of a subscript selects. Indices and ends of ranges count from the axis's end where they are
/// negative.
public enum AxisSelection: Sendable, Hashable {
  /// One index; the axis is taken away.
  case index(Int)
  /// The indices from `from` (the first where nil) up to and without `to` (the end where nil), every `step`th of
  /// them, beginning with the last where the step is negative.
  case range(from: Int?, to: Int?, step: Int)
  /// `count` indices from `first` on.
  case progression(first: Int, step: Int, count: Int)
  /// A new axis of size 1.
  case newAxis
  /// All of as many axes as the subscript's other indices leave.
  case ellipsis
}

/// A range in a tensor's subscript.
public protocol TensorRange: TensorIndex {}

extension TensorRange {
  /// Every `step`th index of the range; with a negative step in opposite order, beginning with the last.
  ///
  ///     x[(0..<10).stride(by: 2)]   // 0, 2, 4, 6, 8
  ///     x[(0...).stride(by: -1)]    // all, the last first
  public func stride(by step: Int) -> SteppedRange {
    precondition(step != 0, "stride: a step of 0")
    guard case .range(let from, let to, let inner) = selection else {
      preconditionFailure("stride: \(self) is no range")
    }
    return SteppedRange(selection: .range(from: from, to: to, step: inner * step))
  }
}

/// A range of which every so many indices are taken.
public struct SteppedRange: TensorIndex {
  /// What it selects.
  public let selection: AxisSelection
}

extension Int: TensorIndex {
  /// One index of an axis.
  public var selection: AxisSelection { .index(self) }
}

extension Range: TensorIndex, TensorRange where Bound == Int {
  /// The indices of the range. After a negative lower end, an upper end of 0 is the axis's end.
  public var selection: AxisSelection {
    .range(from: lowerBound, to: lowerBound < 0 && upperBound == 0 ? nil : upperBound, step: 1)
  }
}

extension ClosedRange: TensorIndex, TensorRange where Bound == Int {
  /// The indices of the range.
  public var selection: AxisSelection {
    .range(from: lowerBound, to: upperBound == -1 ? nil : upperBound + 1, step: 1)
  }
}

extension PartialRangeFrom: TensorIndex, TensorRange where Bound == Int {
  /// The indices from one on.
  public var selection: AxisSelection { .range(from: lowerBound, to: nil, step: 1) }
}

extension PartialRangeUpTo: TensorIndex, TensorRange where Bound == Int {
  /// The indices before one.
  public var selection: AxisSelection { .range(from: nil, to: upperBound, step: 1) }
}

extension PartialRangeThrough: TensorIndex, TensorRange where Bound == Int {
  /// The indices up to one.
  public var selection: AxisSelection {
    .range(from: nil, to: upperBound == -1 ? nil : upperBound + 1, step: 1)
  }
}

extension StrideTo: TensorIndex where Element == Int {
  /// The indices of the progression.
  public var selection: AxisSelection { progression(self) }
}

extension StrideThrough: TensorIndex where Element == Int {
  /// The indices of the progression.
  public var selection: AxisSelection { progression(self) }
}

private func progression(_ indices: some Sequence<Int>) -> AxisSelection {
  let all = Array(indices)
  return .progression(first: all.first ?? 0, step: all.count > 1 ? all[1] - all[0] : 1, count: all.count)
}

/// An index that selects no elements but shapes the result: `.newAxis` or `.ellipsis`.
public struct ShapingIndex: TensorIndex {
  /// What it selects.
  public let selection: AxisSelection
}

extension TensorIndex where Self == ShapingIndex {
  /// A new axis of size 1.
  public static var newAxis: ShapingIndex { ShapingIndex(selection: .newAxis) }
  /// All of as many axes as the subscript's other indices leave; `...` says the same.
  public static var ellipsis: ShapingIndex { ShapingIndex(selection: .ellipsis) }
}
