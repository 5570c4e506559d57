// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum NormalizationRows {
  static var all: [OperationRow] { batch + others }

  private static var batch: [OperationRow] {
    let covers = ["batchNormalization"]
    return [
      OperationRow("batchNormalization", covers: covers, [Input([3, 4, 2, 5]), Input([5]), Input([5])]) {
        batchNormalization($0[0], scale: $0[1], shift: $0[2]).value
      },
      OperationRow("batchNormalization without scale", covers: covers, [Input([6, 3], .distinct)]) {
        batchNormalization($0[0]).value
      },
      OperationRow("batchNormalization's statistics", covers: covers, [Input([3, 4, 5])]) {
        let statistics = batchNormalization($0[0]).statistics
        return Tensor.stack([statistics.mean, statistics.variance]).reshaped(to: [-1]).cast(to: $0[0].dtype)
      },
      OperationRow(
        "batchNormalization by given statistics", covers: covers,
        [Input([3, 4, 2, 5]), Input([5]), Input([5], .positive), Input([5]), Input([5])]
      ) {
        batchNormalization($0[0], mean: $0[1], variance: $0[2], scale: $0[3], shift: $0[4])
      },
    ]
  }

  static var layer: [OperationRow] {
    let covers = ["layerNormalization"]
    return [
      OperationRow("layerNormalization", covers: covers, [Input([3, 4, 5]), Input([5]), Input([5])]) {
        layerNormalization($0[0], scale: $0[1], shift: $0[2])
      },
      OperationRow(
        "layerNormalization over two axes", covers: covers,
        [Input([3, 4, 5]), Input([4, 5]), Input([4, 5])]
      ) {
        layerNormalization($0[0], axisCount: 2, scale: $0[1], shift: $0[2])
      },
      OperationRow("layerNormalization without scale", covers: covers, [Input([3, 5])]) {
        layerNormalization($0[0])
      },
      OperationRow(
        "layerNormalization of a sum", covers: covers,
        [Input([3, 4, 5]), Input([3, 4, 5]), Input([5]), Input([5])],
        isInPyTorch: false
      ) {
        layerNormalization($0[0], adding: $0[1], scale: $0[2], shift: $0[3])
      },
      OperationRow(
        "layerNormalization with a shift only", covers: covers, [Input([3, 5]), Input([5])],
        isInPyTorch: false
      ) {
        layerNormalization($0[0], shift: $0[1])
      },
      OperationRow("rmsNormalization", covers: ["rmsNormalization"], [Input([3, 4, 5]), Input([5])]) {
        rmsNormalization($0[0], scale: $0[1])
      },
      OperationRow(
        "rmsNormalization of a sum", covers: ["rmsNormalization"], [Input([3, 5]), Input([3, 5])],
        isInPyTorch: false
      ) {
        rmsNormalization($0[0], adding: $0[1])
      },
    ]
  }

  private static var others: [OperationRow] {
    [
      OperationRow(
        "instanceNormalization", covers: ["instanceNormalization"],
        [Input([2, 4, 3, 5]), Input([5]), Input([5])]
      ) {
        instanceNormalization($0[0], scale: $0[1], shift: $0[2])
      },
      OperationRow(
        "instanceNormalization of sequences", covers: ["instanceNormalization"],
        [Input([2, 6, 3]), Input([3]), Input([3])]
      ) {
        instanceNormalization($0[0], scale: $0[1], shift: $0[2])
      },
      OperationRow(
        "groupNormalization", covers: ["groupNormalization"], [Input([2, 4, 3, 6]), Input([6]), Input([6])]
      ) {
        groupNormalization($0[0], groups: 3, scale: $0[1], shift: $0[2])
      },
      OperationRow(
        "groupNormalization of features", covers: ["groupNormalization"],
        [Input([3, 8]), Input([8]), Input([8])]
      ) {
        groupNormalization($0[0], groups: 2, scale: $0[1], shift: $0[2])
      },
    ]
  }
}
