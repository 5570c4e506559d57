// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Grey images of one size, with or without classes.
public struct GreyImages: Sendable {
  /// The images, uint8, `[count, height, width]`.
  public let pixels: Tensor
  /// The class of each image, where classes are known.
  public let labels: [Int]?

  /// How many images there are.
  public var count: Int { pixels.shape[0] }
  /// Rows of an image.
  public var height: Int { pixels.shape[1] }
  /// Columns of an image.
  public var width: Int { pixels.shape[2] }

  /// Images that are at hand.
  ///
  /// - Parameters:
  ///   - pixels: uint8, `[count, height, width]`
  ///   - labels: the class of each image, where classes are known
  public init(pixels: Tensor, labels: [Int]? = nil) {
    precondition(
      pixels.rank == 3 && pixels.dtype == .uint8,
      "GreyImages: images of shape \(pixels.shape), \(pixels.dtype), [count, height, width], uint8 expected")
    precondition(
      labels.map { $0.count == pixels.shape[0] } ?? true,
      "GreyImages: \(labels?.count ?? 0) labels for \(pixels.shape[0]) images")
    self.pixels = pixels
    self.labels = labels
  }

  /// Reads an IDX file of bytes `[count, height, width]`, plain or gzip. Throws one line where it is something else.
  public init(contentsOf path: String) throws { try self.init(try ByteReader(path: path)) }

  private init(_ file: ByteReader) throws {
    let images = try IDX(file) { header in
      guard header.elementType == .uint8, header.dimensions.count == 3,
        header.dimensions.allSatisfy({ $0 > 0 })
      else {
        throw KasaneError(
          "\(file.name): no images: it holds \(header), [count, height, width] uint8 expected")
      }
    }
    self.init(pixels: try images.tensor())
  }

  /// The images to learn from and others to judge by: those of the sample, of a folder with MNIST's four files (whose
  /// images may have another size), of one IDX file, or of a folder with PNG and JPEG files; of these every tenth image is kept
  /// to judge by.
  ///
  /// - Parameter size: the height and width that the images of PNG and JPEG files get; their own, which must be the same,
  ///   without
  public static func load(
    _ place: String, size: (height: Int, width: Int)? = nil
  ) throws -> (training: GreyImages, validation: GreyImages) {
    if let files = imageFiles(at: place) {
      return try GreyImages(files: files, size: size).divided(every: 10, name: place)
    }
    guard place == DigitImages.sample || Files.isFolder(place) else {
      return try GreyImages(contentsOf: place).divided(every: 10, name: place)
    }
    let training = try load(.train, from: place)
    let validation = try load(.test, from: place)
    guard training.height == validation.height, training.width == validation.width else {
      throw KasaneError(
        "\(place): images of \(training.height) by \(training.width) pixels to learn from and of \(validation.height) by "
          + "\(validation.width) to judge by")
    }
    return (training, validation)
  }

  /// The PNG and JPEG files of a folder that has none of MNIST's; nil for everything else.
  private static func imageFiles(at place: String) -> [String]? {
    guard place != DigitImages.sample, Files.isFolder(place),
      DigitImages.Split.allCases.allSatisfy({ (try? DigitImages.imagesPath(of: $0, in: place)) == nil })
    else { return nil }
    let found = files(in: place)
    return found.isEmpty ? nil : found
  }

  /// A half of the images at a place; see `load(_:size:)`.
  public static func load(
    _ split: DigitImages.Split, of place: String, size: (height: Int, width: Int)
  ) throws -> GreyImages {
    if imageFiles(at: place) == nil, place == DigitImages.sample || Files.isFolder(place) {
      return try load(split, from: place)
    }
    let (training, validation) = try load(place, size: size)
    return split == .train ? training : validation
  }

  /// A half of the sample's images, or of those in a folder with MNIST's files.
  public static func load(_ split: DigitImages.Split, from folder: String) throws -> GreyImages {
    if folder == DigitImages.sample {
      let digits = try DigitImages.load(split, from: folder)
      return GreyImages(pixels: digits.images, labels: digits.labels.elements(as: Int.self))
    }
    let path = try DigitImages.imagesPath(of: split, in: folder)
    let images = try GreyImages(contentsOf: path)
    guard let labelsPath = DigitImages.labelsPath(beside: path) else { return images }
    let labels = try ImageDataset.readLabels(labelsPath, classCount: 256)
    guard labels.count == images.count else {
      throw KasaneError("\(labelsPath): \(labels.count) labels for the \(images.count) images of \(path)")
    }
    return GreyImages(pixels: images.pixels, labels: labels)
  }

  private func divided(every step: Int, name: String) throws -> (training: GreyImages, validation: GreyImages)
  {
    guard count >= step else {
      throw KasaneError("\(name): \(count) images, \(step) or more expected: every tenth is kept to judge by")
    }
    let kept = Array(stride(from: 0, to: count, by: step))
    let others = (0..<count).filter { $0 % step != 0 }
    func part(_ places: [Int]) -> GreyImages {
      GreyImages(
        pixels: pixels.gathered(Tensor(places.map(Int64.init)), axis: 0),
        labels: labels.map { all in places.map { all[$0] } })
    }
    return (part(others), part(kept))
  }

  /// The images at the indices as numbers from 0 to 1, float32, `[batch, height * width]`.
  public func batch(_ indices: some Collection<Int>) -> Tensor {
    let size = height * width
    return pixels.withElements(of: UInt8.self) { pixels in
      Tensor(shape: [indices.count, size], of: Float.self) { result in
        var target = 0
        for index in indices {
          let image = index * size
          for place in image..<image + size {
            result[target] = Self.share[Int(pixels[place])]
            target += 1
          }
        }
      }
    }
  }

  private static let share = (0..<256).map { Float($0) / 255 }

  /// What tells the images from others.
  public var fingerprint: String { "\(pixels.shape) \(String(Checksum.of(pixels), radix: 16))" }
}
