// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A grey image in a terminal, two rows of pixels in one of text, so that it keeps its proportions.
func drawing(of pixels: [UInt8], height: Int, width: Int) -> [String] {
  func isOn(_ row: Int, _ column: Int) -> Bool { row < height && pixels[row * width + column] >= 96 }
  return stride(from: 0, to: height, by: 2).map { row in
    let line = (0..<width).map { column -> Character in
      switch (isOn(row, column), isOn(row + 1, column)) {
      case (true, true): "█"
      case (true, false): "▀"
      case (false, true): "▄"
      case (false, false): " "
      }
    }
    return String(line)
  }
}

/// A bar as long as a share of `width` characters, to an eighth of one.
func bar(_ share: Double, width: Int) -> String {
  let eighths = Int((share * Double(width) * 8).rounded())
  let whole = String(repeating: "█", count: eighths / 8)
  return eighths % 8 == 0 ? whole : whole + String(Unicode.Scalar(0x2590 - UInt32(eighths % 8))!)
}
