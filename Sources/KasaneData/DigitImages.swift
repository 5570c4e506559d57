// SPDX-License-Identifier: Apache-2.0

import Kasane

/// Images of handwritten digits, 28 by 28 pixels: MNIST (LeCun, Cortes and Burges 1998), or others in its four files.
public enum DigitImages {
  /// Rows, and columns, of an image.
  public static let size = 28
  /// How many digits there are.
  public static let classCount = 10
  /// The name by which the sample that is part of the program stands for a folder: 500 images to train on and 200 others.
  public static let sample = "sample"

  /// Which half of the data.
  public enum Split: String, CaseIterable, Sendable {
    /// The images to learn from.
    case train
    /// The images to judge by.
    case test

    /// How the names of its files begin.
    var prefix: String { self == .train ? "train" : "t10k" }
  }

  private enum Kind: String {
    case images, labels
    var suffix: String { self == .images ? "idx3-ubyte" : "idx1-ubyte" }
  }

  /// MNIST's folder among the full data sets.
  public static var defaultFolder: String { DataFolder.folder(of: "mnist") }

  /// The names that a folder is expected to have.
  public static var expectedNames: [String] {
    Split.allCases.flatMap { split in
      [Kind.images, .labels].map { "\(split.prefix)-\($0)-\($0.suffix).gz" }
    }
  }

  /// Reads a half of the data from a folder, or from the sample. Throws one line where a file is missing or not as it
  /// must be.
  public static func load(_ split: Split, from folder: String) throws -> ImageDataset {
    if folder == sample {
      return try ImageDataset(
        images: try ByteReader(sample: "digits/\(split.prefix)-images-idx3-ubyte.gz"),
        labels: try ByteReader(sample: "digits/\(split.prefix)-labels-idx1-ubyte.gz"), height: size,
        width: size, classCount: classCount)
    }
    return try ImageDataset(
      imagesPath: try file(.images, of: split, in: folder),
      labelsPath: try file(.labels, of: split, in: folder),
      height: size, width: size, classCount: classCount)
  }

  /// Whether a folder has all the files of a half.
  public static func has(_ split: Split, in folder: String) -> Bool {
    (try? file(.images, of: split, in: folder)) != nil && (try? file(.labels, of: split, in: folder)) != nil
  }

  /// A file under its usual name, `train-images-idx3-ubyte` or `train-images.idx3-ubyte`, with `.gz` or without.
  private static func file(_ kind: Kind, of split: Split, in folder: String) throws -> String {
    let usual = "\(split.prefix)-\(kind)-\(kind.suffix)"
    for name in [usual, "\(split.prefix)-\(kind).\(kind.suffix)"] {
      for ending in ["", ".gz"] where Files.exists("\(folder)/\(name)\(ending)") {
        return "\(folder)/\(name)\(ending)"
      }
    }
    let hint = DataFolder.hint(for: folder)
    guard Files.exists(folder) else { throw KasaneError("\(folder): no such folder of digits\(hint)") }
    throw KasaneError("\(folder): \(usual) is missing (or \(usual).gz)\(hint)")
  }

  /// The file of a folder that holds the images of a half of the data. Throws one line where there is none.
  static func imagesPath(of split: Split, in folder: String) throws -> String {
    try file(.images, of: split, in: folder)
  }

  /// The file of labels that lies beside a file of images under the corresponding name, or nil.
  public static func labelsPath(beside imagesPath: String) -> String? {
    let folder = Files.parent(of: imagesPath)
    let name = imagesPath.split(separator: "/").last.map(String.init) ?? imagesPath
    let stem = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    let other = stem.replacing("images", with: "labels").replacing("idx3", with: "idx1")
    guard other != stem else { return nil }
    return ["", ".gz"].map { "\(folder)/\(other)\($0)" }.first(where: Files.exists)
  }
}
