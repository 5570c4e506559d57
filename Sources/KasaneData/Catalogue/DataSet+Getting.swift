// SPDX-License-Identifier: Apache-2.0

import Kasane

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension DataSet {
  /// What getting a data set came to.
  public enum Outcome: Sendable {
    /// All of it was there.
    case found
    /// It is there now.
    case placed
  }

  /// Sees to it that all files of the set lie in its folder, whole and verified: a file has its name there only when it
  /// is as it must be. What has come of a file that could not be had stays beside it, under a name that ends in
  /// `.download`, and is gone on with the next time. Several processes may do this at once.
  ///
  /// - Parameters:
  ///   - folder: the set's folder; the one of its name in `DataFolder.path` unless told otherwise
  ///   - sources: where the files are taken from instead of the catalogue's addresses: files, the set's archive, folders,
  ///     or addresses of these
  ///   - options: how patient downloads are
  ///   - waiting: called before another process is waited for that is getting the same set
  ///   - progress: called while something is downloaded
  ///
  /// Throws one line where a file cannot be had, is not what it must be, or cannot be written.
  public func get(
    into folder: String? = nil, from sources: [String] = [], options: TransferOptions = TransferOptions(),
    waiting: () -> Void = {}, progress: @escaping (TransferProgress) -> Void = { _ in }
  ) throws -> Outcome {
    let folder = folder ?? self.folder
    if (try? verify(in: folder)) != nil { return .found }
    guard !sources.isEmpty || !addresses.isEmpty else {
      throw KasaneError(
        "\(name): no public address holds these files: kasane data get \(name) --from FILE... takes them from elsewhere"
      )
    }
    let wasThere = Files.exists(folder)
    try Files.makeFolder(folder)
    // Does nothing where the folder is not empty.
    defer { if !wasThere { rmdir(folder) } }
    let lock = FolderLock(folder, waiting: waiting)
    defer { lock.release() }

    let missing = files.filter { (try? verify($0, in: folder)) == nil }
    if missing.isEmpty { return .found }
    try Acquisition(dataSet: self, folder: folder, wanted: missing, options: options, progress: progress)
      .take(from: sources)
    let rest = missing.filter { (try? verify($0, in: folder)) == nil }.map(\.name)
    guard rest.isEmpty else { throw KasaneError("\(name): still missing: \(rest.joined(separator: ", "))") }
    return .placed
  }
}

/// How the files that are missing are brought into a set's folder.
private struct Acquisition {
  let dataSet: DataSet
  let folder: String
  let wanted: [DataSet.File]
  let options: TransferOptions
  let progress: (TransferProgress) -> Void

  func take(from sources: [String]) throws {
    for source in sources {
      if source.hasPrefix("http://") || source.hasPrefix("https://") {
        try take(fromAddress: source)
      } else if Files.isFolder(source) {
        try take(fromFolder: source)
      } else {
        try take(fromFile: source)
      }
    }
    guard sources.isEmpty else { return }
    if let archive = dataSet.archive {
      try withArchive(at: archive.addresses, sha256: archive.sha256) { try take(fromArchive: $0) }
    } else {
      for file in wanted { try download(file, from: file.addresses) }
    }
  }

  private func take(fromAddress source: String) throws {
    if source.hasSuffix(".zip") && !dataSet.files.contains(where: { source.hasSuffix("/" + $0.name) }) {
      return try withArchive(at: [source], sha256: nil) { try take(fromArchive: $0) }
    }
    for file in wanted {
      let isFile = dataSet.files.count == 1 && !source.hasSuffix("/")
      let base = source.hasSuffix("/") ? source : source + "/"
      try download(file, from: [isFile ? source : base + file.name])
    }
  }

  private func take(fromFolder source: String) throws {
    for file in wanted {
      let folders = [source, "\(source)/\(dataSet.name)"]
      guard let path = folders.lazy.compactMap({ dataSet.path(of: file, in: $0) }).first else {
        throw KasaneError("\(source): \(file.name) is missing")
      }
      if let problem = try put(file, fromFile: path) { throw KasaneError("\(path): \(problem)") }
    }
  }

  private func take(fromFile path: String) throws {
    let content = try Content(of: path, limit: dataSet.files.map(\.size).max() ?? 0)
    if let file = dataSet.files.first(where: { $0.problem(with: content) == nil }) {
      if wanted.contains(file) { _ = try put(file, fromFile: path) }
    } else if ZipArchive.isOne(path) {
      try take(fromArchive: path)
    } else if dataSet.files.count == 1 {
      throw KasaneError("\(path): \(dataSet.files[0].problem(with: content)!)")
    } else {
      let name = dataSet.name
      throw KasaneError("\(path): none of the files of \(name), whose sums kasane data list \(name) tells")
    }
  }

  private func take(fromArchive path: String) throws {
    let archive = try ZipArchive(path)
    for file in wanted {
      let names = [file.member].compactMap(\.self) + file.names
      let member = names.lazy.compactMap { name in
        archive.members.first { $0.name == name || $0.name.hasSuffix("/" + name) }
      }.first
      guard let member else { throw KasaneError("\(path): holds no \(names[0])") }
      if let problem = try put(file, from: try archive.reader(of: member)) {
        throw KasaneError("\(path): \(member.name): \(problem)")
      }
    }
  }

  // MARK: Into its place

  /// Puts a file that is as it must be into its place, or says what is wrong with it.
  private func put(_ file: DataSet.File, fromFile path: String) throws -> String? {
    let reader = try ByteReader(path: path)
    let place = place(of: file)
    guard reader.isCompressed == place.hasSuffix(".gz") else { return try put(file, from: reader) }
    if let problem = file.problem(with: try Content(of: reader, limit: file.size)) { return problem }
    try Files.write([try Files.read(path)], to: place)
    return nil
  }

  /// The same for what a reader gives, which is packed as the name of its place says.
  private func put(_ file: DataSet.File, from reader: ByteReader) throws -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(file.size)
    let content = try Content(of: reader, limit: file.size) { bytes += $0 }
    if let problem = file.problem(with: content) { return problem }
    let place = place(of: file)
    try Files.write([place.hasSuffix(".gz") ? Gzip.compress(bytes) : bytes], to: place)
    return nil
  }

  /// Where a file is to lie: under its name, or in the place of the damaged one that it replaces.
  private func place(of file: DataSet.File) -> String {
    dataSet.path(of: file, in: folder) ?? "\(folder)/\(file.name)"
  }

  // MARK: Downloads

  /// Downloads a file into its place.
  private func download(_ file: DataSet.File, from addresses: [String]) throws {
    let path = "\(folder)/\(file.name).download"
    // Deflate makes nothing longer by more than this.
    let limit = file.size + file.size / 1000 + 4096
    try fetch(from: addresses, to: path, limit: limit) {
      file.problem(with: try Content(of: path, limit: file.size))
    }
    let place = place(of: file)
    if try ByteReader(path: path).isCompressed == place.hasSuffix(".gz") {
      try Files.move(path, to: place)
    } else {
      _ = try put(file, from: try ByteReader(path: path))
      unlink(path)
    }
  }

  /// Downloads an archive for as long as something is taken from it.
  private func withArchive(at addresses: [String], sha256: String?, _ body: (String) throws -> Void) throws {
    let path = "\(folder)/archive.download"
    try fetch(from: addresses, to: path, limit: .max) {
      let found = try Content(of: path).sha256
      if let sha256, sha256 != found { return "SHA-256 \(found), \(sha256) expected" }
      return ZipArchive.isOne(path) ? nil : "not a zip file"
    }
    defer { unlink(path) }
    do {
      try body(path)
    } catch let error as KasaneError {
      // The address says more than the place where the archive lay for a moment.
      throw KasaneError(error.description.replacing(path, with: addresses[0]))
    }
  }

  /// Downloads from the first address that has it. `problem` says what is wrong with what has come, or nil.
  private func fetch(
    from addresses: [String], to path: String, limit: Int, problem: () throws -> String?
  ) throws {
    func found() -> String? {
      do { return try problem() } catch { return "\(error)".replacing("\(path): ", with: "") }
    }
    // Whole, when the program ended before it could be put into its place.
    if Files.exists(path) && found() == nil { return }
    var last = Transfer.Failure(line: "\(dataSet.name): no address")
    for address in addresses {
      let transfer = Transfer(
        address: address, path: path, limit: limit, options: options, progress: progress)
      do {
        for _ in 0..<2 {
          let cameAtOnce = try transfer.run()
          guard let problem = found() else { return }
          last = Transfer.Failure(line: "\(address): \(problem)")
          unlink(path)
          // A part from elsewhere may have been gone on with; from the beginning it may be right.
          if cameAtOnce { break }
        }
      } catch let failure as Transfer.Failure {
        last = failure
        if Transfer.size(of: path) == 0 { unlink(path) }
        if failure.isOurs { break }
      }
    }
    throw KasaneError(last.line + (last.isOurs ? "" : " (--from FILE takes it from a file)"))
  }
}

/// The lock on a folder by which processes take turns.
private struct FolderLock {
  private let descriptor: Int32

  init(_ folder: String, waiting: () -> Void) {
    descriptor = open(folder, O_RDONLY | O_CLOEXEC)
    // Some file systems have no locks; there each process does without.
    guard descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK else { return }
    waiting()
    while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
  }

  func release() { if descriptor >= 0 { close(descriptor) } }
}
