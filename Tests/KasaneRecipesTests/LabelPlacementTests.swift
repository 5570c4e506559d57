// SPDX-License-Identifier: Apache-2.0

import Kasane
import KasaneRecipes
import Testing

/// Labels of points in pictures.
@Suite struct LabelPlacementTests {
  private func isOver(_ a: LabelPlacement.Box, _ b: LabelPlacement.Box) -> Bool {
    a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
  }

  @Test(arguments: 1...8) func noneCoversAnother(_ seed: UInt64) {
    var random = RandomGenerator(seed: seed)
    // Some stand in heaps.
    let points = (0..<60).map { place in
      place % 3 == 0
        ? (x: 300 + 8 * random.normal(), y: 200 + 8 * random.normal())
        : (x: 600 * random.uniform(), y: 400 * random.uniform())
    }
    let labels = points.indices.map { String(repeating: "x", count: 3 + $0 % 6) }
    let found = LabelPlacement(of: labels, at: points, size: 11, radius: 2.5, width: 600, height: 400)
    for (place, box) in found.boxes.enumerated() {
      #expect(box.left >= 0 && box.top >= 0 && box.right <= 600 && box.bottom <= 400)
      #expect(abs(box.right - box.left - SVG.width(of: labels[place], size: 11)) < 1e-9)
      for other in found.boxes[..<place] { #expect(!isOver(box, other)) }
      for (x, y) in points where x > box.left && x < box.right { #expect(!(y > box.top && y < box.bottom)) }
    }
    #expect(found.isFar.contains(true) && found.isFar.contains(false))
  }

  @Test func whatHasRoomStandsBesideItsPoint() {
    let found = LabelPlacement(
      of: ["one", "two", String(repeating: "wide", count: 60)], at: [(100, 100), (590, 100), (5, 300)],
      size: 10,
      radius: 2, width: 600, height: 400)
    #expect(found.boxes[0].left == 104 && found.boxes[0].top == 95)
    // On the other side where the picture ends.
    #expect(found.boxes[1].right == 586)
    // A label wider than the picture stands where it would.
    #expect(found.boxes[2].left == 9 && found.isFar == [false, false, false])
  }
}
