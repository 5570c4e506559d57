// SPDX-License-Identifier: Apache-2.0

import Kasane
package import KasaneData

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Words' vectors in two dimensions.
package struct WordMap {
  /// How dimensions become two.
  package enum Method: String, CaseIterable, Sendable {
    /// Along the two directions in which vectors differ most (principal components).
    case components = "pca"
    /// So that neighbors stay neighbors (van der Maaten and Hinton 2008, t-SNE).
    case neighbors = "tsne"
  }

  /// The words on the map.
  package let words: [String]
  /// Where each lies.
  package let places: [(x: Double, y: Double)]

  /// The map of some words, of which there must be one or more. `seed` is of the places that t-SNE begins with.
  package init(_ vectors: WordVectors, words: [Int], by method: Method, seed: UInt64) {
    precondition(!words.isEmpty, "WordMap: no words")
    self.words = words.map { vectors.words[$0] }
    let size = vectors.featureCount
    let values = vectors.vectors.gathered(Tensor(words.map { Int64($0) })).elements(as: Float.self)
    // Directions are what is compared.
    let rows = words.indices.map { place in
      let row = values[place * size..<(place + 1) * size].map { Double($0) }
      let length = max(row.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
      return row.map { $0 / length }
    }
    var random = RandomGenerator(seed: seed)
    places =
      method == .components
      ? Self.components(rows, using: &random) : Self.neighbors(rows, using: &random)
  }

  // MARK: Principal components

  private static func components(
    _ rows: [[Double]], using random: inout RandomGenerator
  ) -> [(x: Double, y: Double)] {
    let size = rows[0].count
    let mean = (0..<size).map { k in rows.reduce(0) { $0 + $1[k] } / Double(rows.count) }
    var rest = rows.map { row in zip(row, mean).map { $0 - $1 } }
    let axes = (0..<2).map { _ in
      // The direction in which what is left differs most, by the power method.
      var axis = (0..<size).map { _ in random.normal() }
      for _ in 0..<200 {
        var next = [Double](repeating: 0, count: size)
        for row in rest {
          let length = zip(row, axis).reduce(0) { $0 + $1.0 * $1.1 }
          for k in 0..<size { next[k] += length * row[k] }
        }
        let length = max(next.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-300)
        axis = next.map { $0 / length }
      }
      let lengths = rest.map { row in zip(row, axis).reduce(0) { $0 + $1.0 * $1.1 } }
      for (row, length) in lengths.enumerated() {
        for k in 0..<size { rest[row][k] -= length * axis[k] }
      }
      return lengths
    }
    return zip(axes[0], axes[1]).map { ($0, $1) }
  }

  // MARK: t-SNE

  private static func neighbors(
    _ rows: [[Double]], using random: inout RandomGenerator
  ) -> [(x: Double, y: Double)] {
    let count = rows.count
    let wanted = affinities(rows)
    var (x, y) = (
      (0..<count).map { _ in 1e-2 * random.normal() }, (0..<count).map { _ in 1e-2 * random.normal() }
    )
    var (dx, dy) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    var (gainX, gainY) = ([Double](repeating: 1, count: count), [Double](repeating: 1, count: count))
    var near = [Double](repeating: 0, count: count * count)
    let rate = max(Double(count) / 12, 20)
    for iteration in 0..<600 {
      var total = 0.0
      for i in 0..<count {
        for j in 0..<i {
          let value = 1 / (1 + (x[i] - x[j]) * (x[i] - x[j]) + (y[i] - y[j]) * (y[i] - y[j]))
          near[i * count + j] = value
          near[j * count + i] = value
          total += 2 * value
        }
      }
      // Clusters form first.
      let (pull, momentum) = iteration < 150 ? (12.0, 0.5) : (1.0, 0.8)
      for i in 0..<count {
        var (gx, gy) = (0.0, 0.0)
        for j in 0..<count where j != i {
          let q = near[i * count + j]
          let force = 4 * (pull * wanted[i * count + j] - q / max(total, 1e-300)) * q
          gx += force * (x[i] - x[j])
          gy += force * (y[i] - y[j])
        }
        gainX[i] = max((gx > 0) != (dx[i] > 0) ? gainX[i] + 0.2 : gainX[i] * 0.8, 0.01)
        gainY[i] = max((gy > 0) != (dy[i] > 0) ? gainY[i] + 0.2 : gainY[i] * 0.8, 0.01)
        dx[i] = momentum * dx[i] - rate * gainX[i] * gx
        dy[i] = momentum * dy[i] - rate * gainY[i] * gy
      }
      for i in 0..<count {
        x[i] += dx[i]
        y[i] += dy[i]
      }
    }
    return zip(x, y).map { ($0, $1) }
  }

  /// How near each pair is, which sum to 1: every point's bell is as wide as gives it about 30 neighbors, or fewer where there
  /// are few points.
  private static func affinities(_ rows: [[Double]]) -> [Double] {
    let count = rows.count
    let entropy = log(max(min(30, Double(count - 1) / 3), 1.01))
    var result = [Double](repeating: 0, count: count * count)
    for i in 0..<count {
      let distances = rows.map { row in
        zip(row, rows[i]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      var (low, high, sharpness) = (0.0, Double.infinity, 1.0)
      var shares = [Double](repeating: 0, count: count)
      for _ in 0..<60 where count > 1 {
        let least = distances.enumerated().filter { $0.offset != i }.map(\.element).min() ?? 0
        for j in 0..<count { shares[j] = j == i ? 0 : exp(-sharpness * (distances[j] - least)) }
        let sum = shares.reduce(0, +)
        for j in 0..<count { shares[j] /= sum }
        let found = shares.reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
        if abs(found - entropy) < 1e-5 { break }
        if found > entropy {
          (low, sharpness) = (sharpness, high.isInfinite ? 2 * sharpness : (sharpness + high) / 2)
        } else {
          (high, sharpness) = (sharpness, (low + sharpness) / 2)
        }
      }
      for j in 0..<count {
        result[i * count + j] += shares[j] / Double(2 * count)
        result[j * count + i] += shares[j] / Double(2 * count)
      }
    }
    return result
  }

  // MARK: The figure

  /// The map as an SVG image: a point for each word, and its text beside it.
  package var figure: String {
    let (width, height, margin) = (960.0, 720.0, 48.0)
    var image = SVG(width: width, height: height)
    func range(_ values: [Double]) -> (Double, Double) {
      let (low, high) = (values.min()!, values.max()!)
      return (low, max(high - low, 1e-12))
    }
    let (left, across) = range(places.map(\.x))
    let (bottom, up) = range(places.map(\.y))
    let points = places.map { place in
      (
        x: margin + (place.x - left) / across * (width - 2 * margin - 40),
        y: height - margin - (place.y - bottom) / up * (height - 2 * margin)
      )
    }
    let (size, radius) = (11.0, 2.5)
    let labels = LabelPlacement(
      of: words, at: points, size: size, radius: radius, width: width, height: height)
    for (place, point) in points.enumerated() where labels.isFar[place] {
      let box = labels.boxes[place]
      // To the edge that is nearest.
      image.line(
        from: point,
        to: (min(max(point.x, box.left), box.right), min(max(point.y, box.top), box.bottom)))
    }
    for (place, point) in points.enumerated() {
      image.add(
        "circle",
        [
          "cx": SVG.at(point.x), "cy": SVG.at(point.y), "r": SVG.at(radius), "class": Colours.name(0),
          "fill": Colours.colour(0),
        ], title: words[place])
      // The middle of the letters is that of the box.
      image.text(
        words[place], x: labels.boxes[place].left, y: labels.boxes[place].bottom - size / 8, size: size)
    }
    return image.document
  }
}
