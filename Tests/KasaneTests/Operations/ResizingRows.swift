// SPDX-License-Identifier: Apache-2.0

@testable import Kasane

enum ResizingRows {
  static var resizing: [OperationRow] {
    let sizes = [(3, 4, 6, 8), (5, 4, 2, 3), (3, 2, 7, 5), (4, 5, 1, 1), (2, 3, 2, 3)]
    return sizes.flatMap { height, width, newHeight, newWidth in
      let (input, size) = (Input([2, height, width, 3]), Size2D(newHeight, newWidth))
      let name = "interpolated \(height) \(width) to \(newHeight) \(newWidth)"
      return [
        OperationRow("\(name) nearest", covers: ["interpolated"], [input]) {
          square($0[0].interpolated(to: size, mode: .nearest))
        },
        OperationRow("\(name) bilinear", covers: ["interpolated"], [input]) {
          square($0[0].interpolated(to: size))
        },
        OperationRow("\(name) corners", covers: ["interpolated"], [input]) {
          square($0[0].interpolated(to: size, mode: .bilinear, alignCorners: true))
        },
      ]
    } + [
      OperationRow("interpolated sequence", covers: ["interpolated"], [Input([2, 5, 3])]) {
        square($0[0].interpolated(to: 8))
      },
      OperationRow("interpolated sequence nearest", covers: ["interpolated"], [Input([2, 5, 3])]) {
        square($0[0].interpolated(to: 3, mode: .nearest))
      },
    ]
  }
}
