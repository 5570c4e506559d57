// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Grey images of one size, each with its class.
public struct ImageDataset: Sendable {
  /// The images, uint8, `[count, height, width]`.
  public let images: Tensor
  /// The classes, int64, `[count]`, each from 0 to below `classCount`.
  public let labels: Tensor
  /// How many classes there are.
  public let classCount: Int

  /// How many images there are.
  public var count: Int { images.shape[0] }
  /// Rows of an image.
  public var height: Int { images.shape[1] }
  /// Columns of an image.
  public var width: Int { images.shape[2] }

  /// Images with their labels. The types and shapes must be those of the properties.
  public init(images: Tensor, labels: Tensor, classCount: Int) {
    precondition(
      images.rank == 3 && images.dtype == .uint8,
      "ImageDataset: images of shape \(images.shape), \(images.dtype), [count, height, width], uint8 expected"
    )
    precondition(
      labels.shape == [images.shape[0]] && labels.dtype == .int64,
      "ImageDataset: labels of shape \(labels.shape), \(labels.dtype), for \(images.shape[0]) images")
    labels.withElements(of: Int64.self) { labels in
      precondition(
        labels.allSatisfy { $0 >= 0 && $0 < classCount }, "ImageDataset: a label outside 0..<\(classCount)")
    }
    self.images = images
    self.labels = labels
    self.classCount = classCount
  }

  // MARK: Files

  /// Reads images and their labels from two IDX files of bytes. Throws one line where a file is damaged, the images have
  /// another size than expected, a label is none of the classes, or the files do not belong together.
  public init(imagesPath: String, labelsPath: String, height: Int, width: Int, classCount: Int) throws {
    try self.init(
      images: try ByteReader(path: imagesPath), labels: try ByteReader(path: labelsPath), height: height,
      width: width, classCount: classCount)
  }

  init(images: ByteReader, labels: ByteReader, height: Int, width: Int, classCount: Int) throws {
    let pixels = try Self.readImages(images, height: height, width: width)
    let classes = try Self.readLabels(labels, classCount: classCount)
    guard classes.count == pixels.shape[0] else {
      throw KasaneError(
        "\(labels.name): \(classes.count) labels for the \(pixels.shape[0]) images of \(images.name)")
    }
    self.init(images: pixels, labels: Tensor(classes), classCount: classCount)
  }

  /// Reads images alone from an IDX file of bytes: uint8, `[count, height, width]`. Throws one line where it is damaged,
  /// or the images have another size.
  public static func readImages(_ path: String, height: Int, width: Int) throws -> Tensor {
    try readImages(try ByteReader(path: path), height: height, width: width)
  }

  static func readImages(_ file: ByteReader, height: Int, width: Int) throws -> Tensor {
    let images = try IDX(file) { header in
      guard header.elementType == .uint8, header.dimensions.count == 3 else {
        throw KasaneError(
          "\(file.name): no images: it holds \(header), [count, \(height), \(width)] uint8 expected")
      }
      guard header.dimensions[1...] == [height, width] else {
        throw KasaneError(
          "\(file.name): images of \(header.dimensions[1]) by \(header.dimensions[2]) pixels, \(height) by \(width) "
            + "expected")
      }
      guard header.dimensions[0] > 0 else { throw KasaneError("\(file.name): no images: it holds \(header)") }
    }
    return try images.tensor()
  }

  /// Reads labels alone from an IDX file of bytes. Throws one line where it is damaged, or a label is none of the
  /// classes.
  public static func readLabels(_ path: String, classCount: Int) throws -> [Int] {
    try readLabels(try ByteReader(path: path), classCount: classCount)
  }

  static func readLabels(_ file: ByteReader, classCount: Int) throws -> [Int] {
    let labels = try IDX(file) { header in
      guard header.elementType == .uint8, header.dimensions.count == 1 else {
        throw KasaneError("\(file.name): no labels: it holds \(header), [count] uint8 expected")
      }
    }
    if let index = labels.bytes.firstIndex(where: { $0 >= classCount }) {
      throw KasaneError(
        "\(file.name): label \(labels.bytes[index]) at index \(index), 0 to \(classCount - 1) expected")
    }
    return labels.bytes.map { Int($0) }
  }

  // MARK: Batches

  /// How pixels become numbers.
  public enum Scaling: Hashable, Sendable {
    /// From 0 to 1.
    case unit
    /// From 0 to 1, less a mean, over a standard deviation.
    case standardised(mean: Double, deviation: Double)

    fileprivate var table: [Float] {
      (0..<256).map { pixel in
        let value = Double(pixel) / 255
        switch self {
        case .unit: return Float(value)
        case .standardised(let mean, let deviation): return Float((value - mean) / deviation)
        }
      }
    }
  }

  /// The images at the indices, float32, `[batch, height, width, 1]`, and their labels, int64, `[batch]`.
  public func batch(
    _ indices: some RandomAccessCollection<Int>, scaling: Scaling = .unit
  ) -> (images: Tensor, labels: Tensor) {
    batch(indices, scaling: scaling) { _ in (0, 0) }
  }

  /// The same, each image moved by up to `distance` pixels along each axis at random; what comes in from outside is
  /// black. Draws two numbers for each image.
  public func batch(
    _ indices: some RandomAccessCollection<Int>, scaling: Scaling = .unit, shiftedBy distance: Int,
    using random: inout RandomGenerator
  ) -> (images: Tensor, labels: Tensor) {
    precondition(distance >= 0, "batch: shifted by \(distance) pixels")
    let shifts = indices.map { _ in
      (random.integer(below: 2 * distance + 1) - distance, random.integer(below: 2 * distance + 1) - distance)
    }
    return batch(indices, scaling: scaling) { shifts[$0] }
  }

  private func batch(
    _ indices: some RandomAccessCollection<Int>, scaling: Scaling, shift: (Int) -> (rows: Int, columns: Int)
  ) -> (images: Tensor, labels: Tensor) {
    let (height, width) = (self.height, self.width)
    let table = scaling.table
    let batch = images.withElements(of: UInt8.self) { pixels in
      Tensor(shape: [indices.count, height, width, 1], of: Float.self) { result in
        var target = 0
        for (place, index) in indices.enumerated() {
          let (down, right) = shift(place)
          for row in 0..<height {
            let sourceRow = row - down
            let isInside = sourceRow >= 0 && sourceRow < height
            let base = (index * height + sourceRow) * width
            for column in 0..<width {
              let sourceColumn = column - right
              let shows = isInside && sourceColumn >= 0 && sourceColumn < width
              result[target] = table[shows ? Int(pixels[base + sourceColumn]) : 0]
              target += 1
            }
          }
        }
      }
    }
    let classes = labels.withElements(of: Int64.self) { labels in indices.map { labels[$0] } }
    return (batch, Tensor(classes))
  }

  /// A checksum of images and labels: with another one the data are others.
  public var fingerprint: String {
    let checksum = Checksum.of(labels, after: Checksum.of(images))
    return "\(images.shape) \(String(checksum, radix: 16))"
  }
}
