// SPDX-License-Identifier: Apache-2.0

public import ArgumentParser
import Kasane
import KasaneData
import KasaneModels

/// The pictures that show what a network with latent variables has learned.
enum LatentPicture: String, CaseIterable {
  /// Images and, below them, what comes back.
  case reconstructions
  /// Images of codes that are drawn from the standard normal distribution.
  case samples
  /// Images on the way from one image's code to another's.
  case interpolations
  /// Where the images' codes lie, in two dimensions.
  case map
  /// What two latent variables stand for, over the whole range.
  case manifold

  static let usage = "the name of a picture: \(allCases.map(\.rawValue).joined(separator: ", "))"
}

/// Which images a network that was trained is shown, as options.
public struct ImageChoice: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder with MNIST's files, an IDX file, or sample (default: that of the training).", valueName: "path"),
    completion: .file(), transform: imagesLocation("--data"))
  public var data: String?
  @Option(help: "Which images: test (t10k-..., or each tenth of a file) or train (the others).")
  public var split = DigitImages.Split.test

  /// The images that the run was judged by.
  public init() {}
}

/// What a picture can be told.
public struct PictureOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The PNG file to write (default: the picture's name).", valueName: "file"),
    completion: .file(extensions: ["png"]))
  public var output: String?
  @Option(help: "Images, or pairs of images, or points of the map (1 to 100000; default: by the picture).")
  public var count: Int?
  @OptionGroup public var images: ImageChoice
  @Option(help: "Seed of what is drawn (default: the run's).")
  public var seed: UInt64?
  @Flag(help: "Draw samples' codes with the mean and the deviation that the images' codes have.")
  public var likeCodes = false
  @Option(
    help: ArgumentHelp("Run of the recipe digits that says how sure it is of each sample.", valueName: "run"),
    completion: .directory)
  public var classifier: String?

  /// The defaults.
  public init() {}

  /// Checks the ranges.
  public func validate() throws {
    if let count { try require("--count", count, in: 1...100_000) }
    if let output, output.isEmpty { throw ValidationError("--output: empty, a file's path expected") }
  }
}

extension LatentRecipe {
  /// Writes the picture that the words name and says what is on it.
  func picture(_ words: [String], _ options: PictureOptions) throws -> [String] {
    guard words.count == 1, let kind = LatentPicture(rawValue: words[0]) else {
      let found = words.isEmpty ? "nothing" : words.joined(separator: " ")
      throw KasaneError("predict: \(found) found, \(LatentPicture.usage) expected")
    }
    guard options.classifier == nil || kind == .samples else {
      throw KasaneError("--classifier: only samples are classified, not \(kind.rawValue)")
    }
    var random = RandomGenerator(seed: options.seed ?? seed, stream: LatentStream.pictures)
    let (picture, lines) =
      switch kind {
      case .reconstructions: try reconstructions(options, using: &random)
      case .samples: try samples(options, using: &random)
      case .interpolations: try interpolations(options, using: &random)
      case .map: try map(options)
      case .manifold: try manifold(options)
      }
    let path = options.output ?? "\(kind.rawValue).png"
    try Files.write([picture.png], to: path)
    return lines + ["The picture is \(path) (\(picture.width) by \(picture.height) pixels)"]
  }

  /// Rows of images as one picture. Images are `[count, height * width]`, from 0 to 1.
  private func grid(_ images: Tensor, columns: Int) -> Picture {
    let (height, width) = (network!.size.height, network!.size.width)
    let gap = 2
    let rows = (images.shape[0] + columns - 1) / columns
    var picture = Picture(
      width: columns * (width + gap) + gap, height: rows * (height + gap) + gap, background: .init(grey: 0.35)
    )
    images.withElements(of: Float.self) { values in
      for image in 0..<images.shape[0] {
        let top = gap + image / columns * (height + gap)
        let left = gap + image % columns * (width + gap)
        for row in 0..<height {
          for column in 0..<width {
            picture[top + row, left + column] = .init(grey: values[(image * height + row) * width + column])
          }
        }
      }
    }
    return picture
  }

  private func drawn(_ count: Int, of images: GreyImages, using random: inout RandomGenerator) -> [Int] {
    Array(random.permutation(of: images.count).prefix(count))
  }

  private func reconstructions(
    _ options: PictureOptions, using random: inout RandomGenerator
  ) throws -> (Picture, [String]) {
    let images = try images(options.images)
    let x = images.batch(drawn(options.count ?? 10, of: images, using: &random))
    let seen = disturbed(x, using: &random)
    let y = model.inputs(of: model.codes(of: seen ?? x))
    let rows = [x] + (seen.map { [$0] } ?? []) + [y]
    let error = fixed(meanSquaredError(y, x).scalar, 5)
    let names =
      seen == nil ? "images and what comes back" : "images, what the network sees and what comes back"
    return (
      grid(Tensor.concatenate(rows, axis: 0), columns: x.shape[0]),
      ["From the top: \(names); squared error of a pixel \(error)"]
    )
  }

  private func samples(
    _ options: PictureOptions, using random: inout RandomGenerator
  ) throws -> (Picture, [String]) {
    let count = options.count ?? 100
    var codes = Tensor(normal: [count, model.latentCount], using: &random)
    var name = "the standard normal distribution"
    if options.likeCodes {
      let known = model.codes(of: try images(options.images))
      let mean = known.mean(axes: [0], keepingAxes: true)
      codes = mean + codes * sqrt(square(known - mean).mean(axes: [0], keepingAxes: true))
      name = "a normal distribution with the codes' means and deviations"
    }
    let images = model.inputs(of: codes)
    var lines = ["\(count) images of codes drawn from \(name)"]
    if let classifier = options.classifier { lines += try confidence(of: images, by: classifier) }
    let columns = Int(Double(count).squareRoot().rounded(.up))
    return (grid(images, columns: columns), lines)
  }

  /// How sure a classifier of digits is of images.
  private func confidence(of images: Tensor, by path: String) throws -> [String] {
    let size = network!.size
    guard size.height == DigitImages.size, size.width == DigitImages.size else {
      throw KasaneError(
        "--classifier: images of \(size.height) by \(size.width) pixels, \(DigitImages.size) by \(DigitImages.size) "
          + "expected")
    }
    let classifier = try Digits.trained(in: path)
    let probabilities = classifier.probabilities(
      of: images.reshaped(to: [images.shape[0], size.height, size.width, 1]))
    let best = probabilities.max(axes: [1]).elements(as: Float.self)
    let answers = probabilities.argmax(axis: 1).elements(as: Int.self)
    let mean = best.reduce(0) { $0 + Double($1) } / Double(best.count)
    let sure = Double(best.count { $0 >= 0.9 }) / Double(best.count)
    let counts = (0..<DigitImages.classCount).map { digit in "\(digit): \(answers.count { $0 == digit })" }
    return [
      "The classifier is \(fixed(100 * mean, 1)) % sure on average, at least 90 % of \(fixed(100 * sure, 1)) % of them",
      "Its answers: \(counts.joined(separator: ", "))",
    ]
  }

  private func interpolations(
    _ options: PictureOptions, using random: inout RandomGenerator
  ) throws -> (Picture, [String]) {
    let images = try images(options.images)
    let count = options.count ?? 8
    guard images.count >= 2 * count else {
      throw KasaneError("--count: \(count) pairs, \(images.count) images are there")
    }
    let codes = model.codes(of: images.batch(drawn(2 * count, of: images, using: &random)))
    let (first, last) = (codes[0..<count], codes[count..<2 * count])
    let steps = 10
    let rows = (0..<steps).map { first + (last - first) * (Double($0) / Double(steps - 1)) }
    let all = Tensor.stack(rows, axis: 1).reshaped(to: [count * steps, -1])
    return (
      grid(model.inputs(of: all), columns: steps),
      ["Each row leads from one image's code to another's in \(steps) equal steps"]
    )
  }

  private func map(_ options: PictureOptions) throws -> (Picture, [String]) {
    let images = try images(options.images)
    let count = min(options.count ?? images.count, images.count)
    let codes = model.codes(of: images)[0..<count]
    let plane = PrincipalPlane(of: codes)
    let (side, margin) = (800, 20)
    var picture = Picture(width: side, height: side, background: .init(grey: 1))
    let extent = max(plane.points.flatMap { [abs($0.x), abs($0.y)] }.max() ?? 0, 1e-9)
    for (index, point) in plane.points.enumerated() {
      let scale = Double(side / 2 - margin) / extent
      let (row, column) = (Double(side / 2) - point.y * scale, Double(side / 2) + point.x * scale)
      let color = images.labels.map { mapColors[$0[index] % mapColors.count] } ?? .init(grey: 0.2)
      for down in -1...1 {
        for right in -1...1 { picture[Int(row) + down, Int(column) + right] = color }
      }
    }
    let axes =
      model.latentCount <= 2
      ? "the codes as they are"
      : "the first two principal components, with \(fixed(100 * plane.share, 1)) % of the codes' variance"
    return (picture, ["\(count) images' codes: \(axes)"] + (images.labels == nil ? [] : [mapLegend]))
  }

  private func manifold(_ options: PictureOptions) throws -> (Picture, [String]) {
    guard model.latentCount == 2 else {
      throw KasaneError(
        "predict: manifold: the run has \(model.latentCount) latent variables, 2 expected (--latent 2)")
    }
    let side = options.count ?? 20
    guard side <= 200 else { throw KasaneError("--count: \(side) rows of a manifold, 200 at most expected") }
    // Equal shares of the standard normal distribution lie between neighbours.
    let places = (0..<side).map { normalQuantile((Double($0) + 0.5) / Double(side)) }
    let codes = places.reversed().flatMap { y in places.flatMap { x in [Float(x), Float(y)] } }
    return (
      grid(model.inputs(of: Tensor(codes, shape: [side * side, 2])), columns: side),
      [
        "What the two latent variables stand for, from \(fixed(places[0], 2)) to \(fixed(places[side - 1], 2))"
      ]
    )
  }
}

/// Colours that can be told apart, one for each digit.
private let mapColors: [Picture.Color] = [
  .init(31, 119, 180), .init(255, 127, 14), .init(44, 160, 44), .init(214, 39, 40), .init(148, 103, 189),
  .init(140, 86, 75), .init(227, 119, 194), .init(90, 90, 90), .init(160, 160, 0), .init(23, 190, 207),
]

private let mapLegend =
  "Colours: 0 blue, 1 orange, 2 green, 3 red, 4 violet, 5 brown, 6 pink, 7 grey, 8 olive, 9 cyan"

/// Points in the plane of the two directions in which they vary most (Pearson 1901); two coordinates stay as they are.
struct PrincipalPlane {
  /// The points.
  private(set) var points: [(x: Double, y: Double)] = []
  /// The plane's share of the points' variance.
  private(set) var share = 1.0

  /// Of `[count, dimensions]`.
  init(of codes: Tensor) {
    let (count, size) = (codes.shape[0], codes.shape[1])
    guard size > 2 else {
      let values = codes.cast(to: .float64).elements(as: Double.self)
      points = (0..<count).map { (values[$0 * size], size == 2 ? values[$0 * size + 1] : 0) }
      return
    }
    let centred = (codes - codes.mean(axes: [0], keepingAxes: true)).cast(to: .float64)
    var covariance = matmul(centred.transposed(), centred) / Double(count)
    let whole = (0..<size).reduce(0.0) { $0 + covariance[$1][$1].scalar }
    var (axes, found): ([Tensor], Double) = ([], 0)
    for _ in 0..<2 {
      // The power iteration; the direction found is then taken out.
      var axis = covariance.sum(axes: [1], keepingAxes: true) + 1e-9
      for _ in 0..<500 {
        axis = matmul(covariance, axis)
        axis = axis / sqrt(square(axis).sum() + 1e-300)
      }
      let variance = matmul(axis.transposed(), matmul(covariance, axis)).reshaped(to: [1])
      covariance = covariance - variance * matmul(axis, axis.transposed())
      found += variance.elements(as: Double.self)[0]
      axes.append(axis)
    }
    let values = matmul(centred, Tensor.concatenate(axes, axis: 1)).elements(as: Double.self)
    points = (0..<count).map { (values[2 * $0], values[2 * $0 + 1]) }
    share = whole > 0 ? found / whole : 1
  }
}

/// The number below which a share of the standard normal distribution lies, by bisection of its distribution function.
private func normalQuantile(_ share: Double) -> Double {
  var (low, high) = (-10.0, 10.0)
  for _ in 0..<60 {
    let middle = (low + high) / 2
    if normalShare(below: middle) < share { low = middle } else { high = middle }
  }
  return (low + high) / 2
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

private func normalShare(below x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }
