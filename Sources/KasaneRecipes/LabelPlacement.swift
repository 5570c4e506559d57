// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Places for the labels of points in a picture: near their points, where none covers another label or a point as long as
/// there is room.
package struct LabelPlacement {
  /// A rectangle of the picture, whose y grows downward.
  package struct Box: Sendable {
    /// The edges.
    package let left, top, right, bottom: Double

    func overlap(with other: Box) -> Double {
      max(0, min(right, other.right) - max(left, other.left))
        * max(0, min(bottom, other.bottom) - max(top, other.top))
    }
  }

  /// Where each label stands.
  package let boxes: [Box]
  /// Whether it stands so far from its point that a line must join them.
  package let isFar: [Bool]

  /// Places labels one after another: the first ones stand next to their points.
  ///
  /// - Parameters:
  ///   - size: of the letters, in pixels
  ///   - width: of the picture, which labels stay within
  ///   - height: of the picture
  package init(
    of labels: [String], at points: [(x: Double, y: Double)], size: Double, radius: Double,
    width: Double, height: Double
  ) {
    var taken = points.map {
      Box(left: $0.x - radius, top: $0.y - radius, right: $0.x + radius, bottom: $0.y + radius)
    }
    var (boxes, isFar): ([Box], [Bool]) = ([], [])
    // To the right first, then around the point.
    let directions: [(x: Double, y: Double)] = [
      (1, 0), (-1, 0), (0, -1), (0, 1), (0.7, -0.7), (0.7, 0.7), (-0.7, -0.7), (-0.7, 0.7),
    ]
    for (label, point) in zip(labels, points) {
      let length = SVG.width(of: label, size: size)
      var best: (box: Box, distance: Double, cost: Double)?
      search: for distance in [2, 8, 16, 26, 38, 52, 68, 86, 106].map({ radius + $0 }) {
        for direction in directions {
          let x = point.x + direction.x * (distance + length / 2)
          let y = point.y + direction.y * (distance + size / 2)
          let box = Box(left: x - length / 2, top: y - size / 2, right: x + length / 2, bottom: y + size / 2)
          guard box.left >= 0, box.right <= width, box.top >= 0, box.bottom <= height else { continue }
          let cost = taken.reduce(0) { $0 + $1.overlap(with: box) }
          if cost < best?.cost ?? .infinity { best = (box, distance, cost) }
          if cost == 0 { break search }
        }
      }
      // A label wider than the picture has no place within it.
      let right = point.x + radius + 2
      let chosen =
        best?.box
        ?? Box(left: right, top: point.y - size / 2, right: right + length, bottom: point.y + size / 2)
      taken.append(chosen)
      boxes.append(chosen)
      isFar.append(best.map { $0.distance > radius + 10 } ?? false)
    }
    (self.boxes, self.isFar) = (boxes, isFar)
  }
}
