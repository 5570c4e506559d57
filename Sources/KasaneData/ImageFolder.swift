// SPDX-License-Identifier: Apache-2.0

internal import CImages
import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension GreyImages {
  /// The endings of the files that are images.
  static let endings = [".png", ".jpg", ".jpeg"]

  /// The image files of a folder and of those in it, in the order of their names.
  static func files(in folder: String) -> [String] {
    Files.names(in: folder).filter { !$0.hasPrefix(".") }.flatMap { name in
      let path = "\(folder)/\(name)"
      if Files.isFolder(path) { return files(in: path) }
      return endings.contains { name.lowercased().hasSuffix($0) } ? [path] : []
    }
  }

  /// Reads PNG and JPEG files in grey. Throws one line that names the first that is no whole image, or has another size than
  /// the first file where they keep theirs.
  ///
  /// - Parameter size: the height and width that all get; their own without
  init(files: [String], size: (height: Int, width: Int)?) throws {
    var pixels: [UInt8] = []
    var (height, width) = size ?? (0, 0)
    for (place, path) in files.enumerated() {
      let image = try Self.pixels(of: path)
      if place == 0, size == nil { (height, width) = (image.height, image.width) }
      if (image.height, image.width) == (height, width) {
        pixels += image.pixels
        continue
      }
      guard size != nil else {
        throw KasaneError(
          "\(path): \(image.height) by \(image.width) pixels, \(height) by \(width) as in \(files[0]) expected; --side "
            + "makes them equal")
      }
      pixels += Self.resized(image, height, width)
    }
    self.init(pixels: Tensor(pixels, shape: [files.count, height, width]))
  }

  private static func pixels(of path: String) throws -> (pixels: [UInt8], height: Int, width: Int) {
    let bytes = try Files.read(path)
    var (width, height): (Int32, Int32) = (0, 0)
    guard !bytes.isEmpty else { throw KasaneError("\(path): empty, an image expected") }
    let (rows, reason) = withReason { ks_image_read(bytes, bytes.count, &width, &height, $0, $1) }
    guard let rows else { throw KasaneError("\(path): \(reason)") }
    defer { free(rows) }
    let pixels = Array(UnsafeBufferPointer(start: rows, count: Int(width) * Int(height)))
    return (pixels, Int(height), Int(width))
  }

  /// The mean over what each new pixel covers where an image shrinks, between neighbors where it grows.
  private static func resized(
    _ image: (pixels: [UInt8], height: Int, width: Int), _ height: Int, _ width: Int
  ) -> [UInt8] {
    withoutGradient {
      let x = Tensor(image.pixels, shape: [1, image.height, image.width, 1]).cast(to: .float32)
      let size = Size2D(height, width)
      let y =
        image.height >= height && image.width >= width
        ? adaptiveAveragePool2D(x, outputSize: size) : x.interpolated(to: size)
      return y.elements(as: Float.self).map { UInt8(min(max($0.rounded(), 0), 255)) }
    }
  }
}
