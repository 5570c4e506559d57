// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum PoolingRows {
  private static func maximum(
    _ name: String, _ shape: Shape, _ size: Size2D, stride: Size2D? = nil, padding: Padding = .valid,
    roundsUp: Bool = false
  ) -> OperationRow {
    OperationRow(name, covers: ["maxPool2D"], [Input(shape, .distinct)], isInPyTorch: shape[0] > 0) {
      maxPool2D($0[0], size: size, stride: stride, padding: padding, roundsUp: roundsUp)
    }
  }

  private static func average(
    _ name: String, _ shape: Shape, _ size: Size2D, stride: Size2D? = nil, padding: Padding = .valid,
    roundsUp: Bool = false, countsPadding: Bool = false
  ) -> OperationRow {
    OperationRow(name, covers: ["averagePool2D"], [Input(shape)], isInPyTorch: shape[0] > 0) {
      averagePool2D(
        $0[0], size: size, stride: stride, padding: padding, roundsUp: roundsUp, countsPadding: countsPadding)
    }
  }

  private static func row(
    _ name: String, covers: String, _ shape: Shape, _ domain: Domain = .real,
    function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationRow {
    OperationRow(name, covers: [covers], [Input(shape, domain)]) { function($0[0]) }
  }

  static var maxima: [OperationRow] {
    [
      maximum("maxPool2D", [2, 5, 6, 3], 2),
      maximum("maxPool2D overlapping", [1, 7, 6, 2], Size2D(3, 2), stride: Size2D(2, 1)),
      maximum("maxPool2D same", [1, 5, 6, 2], Size2D(3, 2), stride: 2, padding: .same),
      maximum("maxPool2D explicit", [1, 4, 5, 2], 3, stride: 2, padding: .explicit(1)),
      maximum("maxPool2D rounding up", [1, 6, 5, 2], 3, stride: 2, padding: .explicit(1), roundsUp: true),
      maximum("maxPool2D many channels", [1, 4, 4, 70], 2),
      maximum("maxPool2D no images", [0, 4, 4, 2], 2),
      row("maxPool1D", covers: "maxPool1D", [2, 8, 3], .distinct) {
        maxPool1D($0, size: 3, stride: 2, padding: .explicit(1))
      },
    ]
  }

  static var adaptiveMaxima: [OperationRow] {
    [
      row("globalMaxPool2D", covers: "globalMaxPool2D", [2, 3, 4, 3], .distinct) { globalMaxPool2D($0) },
      row("adaptiveMaxPool2D", covers: "adaptiveMaxPool2D", [1, 7, 9, 2], .distinct) {
        adaptiveMaxPool2D($0, outputSize: Size2D(3, 4))
      },
      row("adaptiveMaxPool1D", covers: "adaptiveMaxPool1D", [2, 7, 2], .distinct) {
        adaptiveMaxPool1D($0, outputSize: 3)
      },
    ]
  }

  static var averages: [OperationRow] {
    [
      average("averagePool2D", [2, 5, 6, 3], 2),
      average("averagePool2D overlapping", [1, 7, 6, 2], Size2D(3, 2), stride: Size2D(2, 1)),
      average("averagePool2D same", [1, 5, 6, 2], Size2D(3, 2), stride: 2, padding: .same),
      average(
        "averagePool2D margins counted", [1, 4, 5, 2], 3, stride: 2, padding: .explicit(1),
        countsPadding: true),
      average("averagePool2D margins not counted", [1, 4, 5, 2], 3, stride: 2, padding: .explicit(1)),
      average(
        "averagePool2D rounding up", [1, 6, 5, 2], 3, stride: 2, padding: .explicit(1), roundsUp: true,
        countsPadding: true),
      average(
        "averagePool2D rounding up, not counted", [1, 6, 5, 2], 3, stride: 2, padding: .explicit(1),
        roundsUp: true),
      average("averagePool2D no images", [0, 4, 4, 2], 2),
      row("averagePool1D", covers: "averagePool1D", [2, 8, 3]) {
        averagePool1D($0, size: 3, stride: 2, padding: .explicit(1), countsPadding: true)
      },
    ]
  }

  static var adaptiveAverages: [OperationRow] {
    [
      row("globalAveragePool2D", covers: "globalAveragePool2D", [2, 3, 4, 3]) { globalAveragePool2D($0) },
      row("globalAveragePool2D keeping axes", covers: "globalAveragePool2D", [2, 3, 4, 3]) {
        globalAveragePool2D($0, keepingAxes: true)
      },
      row("adaptiveAveragePool2D", covers: "adaptiveAveragePool2D", [1, 7, 9, 2]) {
        adaptiveAveragePool2D($0, outputSize: Size2D(3, 4))
      },
      row("adaptiveAveragePool2D more than there are", covers: "adaptiveAveragePool2D", [1, 2, 3, 2]) {
        adaptiveAveragePool2D($0, outputSize: Size2D(3, 5))
      },
      row("adaptiveAveragePool1D", covers: "adaptiveAveragePool1D", [2, 7, 2]) {
        adaptiveAveragePool1D($0, outputSize: 3)
      },
    ]
  }

  static var maximumGradients: [OperationRow] {
    [
      OperationRow(
        "max pool gradient", covers: [], [Input([2, 2, 3, 2]), Input([2, 4, 5, 2], .distinct)],
        isInPyTorch: false
      ) {
        let windows = PoolingWindows(rows: [0..<2, 1..<4], columns: [0..<2, 2..<4, 3..<5])
        let indices = engine.maximumPool($0[1], windows).indices
        return maximumPoolGradient($0[0], at: indices, shape: [2, 4, 5, 2], windows)
      }
    ]
  }

  static var averageGradients: [OperationRow] {
    [
      OperationRow("average pool gradient", covers: [], [Input([2, 2, 3, 2])], isInPyTorch: false) {
        averagePoolGradient(
          $0[0], shape: [2, 4, 5, 2], PoolingWindows(rows: [0..<2, 1..<4], columns: [0..<2, 2..<4, 3..<5]))
      }
    ]
  }
}
