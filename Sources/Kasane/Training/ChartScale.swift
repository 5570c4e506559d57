// SPDX-License-Identifier: Apache-2.0

/// How numbers lie along an axis, evenly or by their logarithm.
package struct ChartScale: Sendable {
  /// The ends of the axis.
  package let low: Double
  package let high: Double
  package let isLogarithmic: Bool

  /// The axis that finite values need. It begins at 0 where that is asked for, unless it is logarithmic: then it holds those
  /// above 0, and is an even one where there are none.
  package init(_ values: some Sequence<Double>, fromZero: Bool = false, isLogarithmic: Bool = false) {
    let finite = values.filter(\.isFinite)
    let positive = isLogarithmic ? finite.filter { $0 > 0 } : []
    self.isLogarithmic = !positive.isEmpty
    if let low = positive.min(), let high = positive.max() {
      self.low = low
      self.high = high > low ? high : low * 10
    } else {
      low = fromZero ? min(0, finite.min() ?? 0) : finite.min() ?? 0
      let high = finite.max() ?? 1
      self.high = high > low ? high : low + max(1, abs(low) / 8)
    }
  }

  /// Where a value lies, from 0 at the low end to 1 at the high one; nil where it has no place.
  package func position(_ value: Double) -> Double? {
    guard value.isFinite else { return nil }
    guard isLogarithmic else { return (value - low) / (high - low) }
    return value > 0 ? logarithm(value / low) / logarithm(high / low) : nil
  }

  /// Round numbers along the axis, about five.
  package var ticks: [Double] {
    guard isLogarithmic else { return evenTicks }
    let first = (logarithm(low) / logarithm(10)).rounded(.down)
    let last = (logarithm(high) / logarithm(10)).rounded(.up)
    let steps: [Double] = last - first > 3 ? [1] : [1, 2, 5]
    var ticks: [Double] = []
    for decade in stride(from: first, through: last, by: max(1, ((last - first) / 6).rounded(.down))) {
      ticks += steps.map { $0 * raised(10, to: decade) }
    }
    let margin = 1e-9
    ticks = ticks.filter { $0 >= low * (1 - margin) && $0 <= high * (1 + margin) }
    // Within less than a decade the even ones are round enough.
    return ticks.count > 1 ? ticks : evenTicks.filter { $0 > 0 }
  }

  private var evenTicks: [Double] {
    let span = high - low
    var step = 1.0
    while step * 5 < span { step *= 10 }
    while step * 5 > span { step /= 10 }
    // Now 5 step <= span < 50 step.
    if span / step > 25 {
      step *= 10
    } else if span / step > 10 {
      step *= 5
    } else if span / step > 6 {
      step *= 2
    }
    var ticks: [Double] = []
    var index = (low / step).rounded(.up)
    while index * step <= high + step * 1e-9, ticks.count < 20 {
      ticks.append(index * step)
      index += 1
    }
    return ticks
  }
}
