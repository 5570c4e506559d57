// SPDX-License-Identifier: Apache-2.0

import Kasane
import Testing

/// How numbers are laid along an axis, and what is drawn of them.
@Suite struct ChartTests {
  @Test func evenScale() throws {
    let scale = ChartScale([3, 1, .nan, 7, .infinity])
    #expect(scale.low == 1 && scale.high == 7 && !scale.isLogarithmic)
    #expect(scale.position(1) == 0 && scale.position(4) == 0.5 && scale.position(.nan) == nil)
    #expect(scale.ticks == [1, 2, 3, 4, 5, 6, 7])
    #expect(ChartScale([3, 7], fromZero: true).low == 0)
    #expect(ChartScale([-3, 7], fromZero: true).low == -3)
    for values in [[5, 5], [], [1e300, -1e300], [1e15, 1e15 + 1], [0, .leastNonzeroMagnitude], [-4, -4]]
      as [[Double]]
    {
      let scale = ChartScale(values)
      #expect(scale.low < scale.high && scale.ticks.count <= 20, "\(values)")
    }
  }

  @Test func logarithmicScale() throws {
    let scale = ChartScale([0.001, 10, -1, 0], isLogarithmic: true)
    #expect(scale.low == 0.001 && scale.high == 10)
    #expect(abs(try #require(scale.position(0.1)) - 0.5) < 1e-12)
    #expect(scale.position(0) == nil && scale.position(-1) == nil)
    #expect(scale.ticks.count == 5)
    for (tick, expected) in zip(scale.ticks, [0.001, 0.01, 0.1, 1, 10]) {
      #expect(abs(tick / expected - 1) < 1e-9)
    }
    #expect(ChartScale([2, 3], isLogarithmic: true).ticks.count > 1)
    #expect(!ChartScale([0, -3], isLogarithmic: true).isLogarithmic)
    #expect(ChartScale([1e-300, 1e300], isLogarithmic: true).ticks.count < 12)
  }

  @Test func whatIsWrittenIsEscaped() {
    var chart = Chart(
      title: "a < b & \"c\"\u{0}", xLabel: "<x>", yLabel: "y",
      curves: [
        .init(label: "</svg>", points: [(0, 1), (1, 0), (2, .nan), (3, 4)])
      ])
    let even = chart.svg
    #expect(even.contains(">a &lt; b &amp; &quot;c&quot;\u{FFFD}</text>"))
    #expect(even.contains(">&lt;/svg&gt;</text>") && even.components(separatedBy: "</svg>").count == 2)
    #expect(!even.contains("nan"))
    chart.isLogarithmic = true
    #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf") && chart.svg != even)
  }

  @Test func namesOfManyCurvesHaveLinesOfTheirOwn() {
    func height(_ count: Int) -> Substring {
      let curves = (0..<count).map {
        Chart.Curve(label: "hidden 64, learningRate 0.\($0)", points: [(0, 1), (1, Double($0))])
      }
      let svg = Chart(title: "t", xLabel: "x", yLabel: "y", curves: curves).svg
      return svg.firstMatch(of: /height="(\d+)"/)!.1
    }
    #expect(height(1) == "420" && Int(height(40))! > 420)
  }
}
