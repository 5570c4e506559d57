// SPDX-License-Identifier: Apache-2.0

import Kasane

/// A public data set: what it is for, where it comes from, on which terms, and what its files hold.
///
/// The files of a set lie in a folder of its name in `DataFolder.path`. A file that is named `.gz` may also lie there
/// without that ending and uncompressed; its size and its sum are those of its content either way, since the same
/// content can be packed in many ways.
public struct DataSet: Sendable {
  /// A file of a data set.
  public struct File: Sendable, Hashable {
    /// Its name in the set's folder.
    public let name: String
    /// How many bytes its content has.
    public let size: Int
    /// The SHA-256 of its content.
    public let sha256: String
    /// Where its content can be got, tried in this order.
    public let addresses: [String]
    /// Its path in the set's archive, where there is one.
    public let member: String?

    /// A file.
    public init(
      _ name: String, size: Int, sha256: String, addresses: [String] = [], member: String? = nil
    ) {
      (self.name, self.size, self.sha256) = (name, size, sha256)
      (self.addresses, self.member) = (addresses, member)
    }

    /// Whether its name says that it is compressed.
    var isCompressed: Bool { name.hasSuffix(".gz") }
    /// The names under which it may lie in a folder: its own first.
    var names: [String] { isCompressed ? [name, String(name.dropLast(3))] : [name, name + ".gz"] }
  }

  /// A zip file that holds the files of a set.
  public struct Archive: Sendable, Hashable {
    /// Where it can be got, tried in this order.
    public let addresses: [String]
    /// Its SHA-256.
    public let sha256: String

    /// An archive.
    public init(addresses: [String], sha256: String) { (self.addresses, self.sha256) = (addresses, sha256) }
  }

  /// The name, which is also that of its folder.
  public let name: String
  /// What is learned with it.
  public let task: String
  /// What it is, in a line.
  public let about: String
  /// The licence, or in short what is said instead of one.
  public let licence: String
  /// The page on which it and its terms are described, where there is one.
  public let home: String?
  /// How its files came about, where they are not those of the original.
  public let made: String?
  /// Its files.
  public let files: [File]
  /// The archive to take them from, if it is not the files that can be got.
  public let archive: Archive?

  /// A data set.
  public init(
    _ name: String, task: String, about: String, licence: String, home: String? = nil, made: String? = nil,
    files: [File], archive: Archive? = nil
  ) {
    (self.name, self.task, self.about, self.licence) = (name, task, about, licence)
    (self.home, self.made, self.files, self.archive) = (home, made, files, archive)
  }

  /// How many bytes the content of all files has.
  public var size: Int { files.reduce(0) { $0 + $1.size } }

  /// The addresses from which all of it can be got; none where it cannot.
  public var addresses: [String] {
    if let archive { return Array(archive.addresses.prefix(1)) }
    let first = files.compactMap(\.addresses.first)
    return first.count == files.count ? first : []
  }

  /// The folder in which it lies, or would lie.
  public var folder: String { DataFolder.folder(of: name) }

  // MARK: What is there

  /// The path of a file that is there under one of its names, or nil.
  func path(of file: File, in folder: String) -> String? {
    file.names.lazy.map { "\(folder)/\($0)" }.first { Files.exists($0) && !Files.isFolder($0) }
  }

  /// Whether files of it are there; what they hold is not looked at.
  public enum Presence: String, Sendable {
    /// All of them.
    case whole
    /// Some of them.
    case partial
    /// None.
    case absent
  }

  /// Which of its files are there; what they hold is not looked at.
  public func presence(in folder: String? = nil) -> Presence {
    let found = files.count { path(of: $0, in: folder ?? self.folder) != nil }
    return found == files.count ? .whole : found > 0 ? .partial : .absent
  }

  /// Reads all its files and throws one line that names the first that is missing or not as it must be.
  public func verify(in folder: String? = nil) throws {
    for file in files { try verify(file, in: folder ?? self.folder) }
  }

  /// Reads a file and returns its path. Throws where it is missing or not as it must be.
  @discardableResult
  func verify(_ file: File, in folder: String) throws -> String {
    guard let path = path(of: file, in: folder) else {
      throw KasaneError("\(folder)/\(file.name): missing; to get it: kasane data get \(name)")
    }
    if let problem = file.problem(with: try Content(of: path, limit: file.size)) {
      throw KasaneError("\(path): \(problem); to get it anew: kasane data get \(name)")
    }
    return path
  }
}

extension DataSet.File {
  /// What is wrong with a content as this file's, or nil.
  func problem(with content: Content) -> String? {
    if content.size != size {
      let found = content.size > size ? "more than \(size)" : "\(content.size)"
      return "\(found) bytes of content, \(size) expected"
    }
    return content.sha256 == sha256 ? nil : "SHA-256 \(content.sha256), \(sha256) expected"
  }
}
