// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Kasane
import KasaneData

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif
#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `kasane data ...`
struct DataSets: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "List, get and verify the data sets that recipes learn from.",
    discussion: """
      A data set lies in a folder of its name in \(DataFolder.path), or in the folder that the environment variable \
      KASANE_DATA names.
      """,
    subcommands: [List.self, Get.self, Path.self, Verify.self])

  /// The data sets of names. Throws where one is unknown.
  fileprivate static func named(_ names: [String]) throws -> [DataSet] {
    try names.map { name in
      if let found = DataSet.named(name) { return found }
      let near = DataSet.names(near: name)
      let hint =
        near.isEmpty
        ? "known: \(DataSet.all.map(\.name).sorted().joined(separator: ", "))"
        : "near it: \(near.joined(separator: ", "))"
      throw ValidationError("NAME: unknown data set \(name); \(hint)")
    }
  }

  /// Megabytes of 10^6 bytes.
  fileprivate static func megabytes(_ bytes: Int) -> String {
    let megabytes = Double(bytes) / 1e6
    return "\(fixed(megabytes, megabytes < 10 ? 2 : megabytes < 100 ? 1 : 0)) MB"
  }
}

extension DataSets {
  /// `kasane data list`
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the data sets; with names, all that is known of these.")

    @Argument(help: "Data sets to tell more of.", completion: .list(DataSet.all.map(\.name)))
    var names: [String] = []
    @Flag(help: "Print one JSON object a line, with files, addresses and sums.") var json = false

    func validate() throws { _ = try named(names) }

    func run() throws {
      let chosen = names.isEmpty ? DataSet.all : try named(names)
      if json {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for dataSet in chosen {
          try output(String(decoding: try encoder.encode(Line(dataSet)), as: UTF8.self))
        }
      } else if names.isEmpty {
        try output(
          "The data sets in \(DataFolder.path) are marked with *, those of which a part is there with +.")
        let (width, taskWidth) = (chosen.map(\.name.count).max() ?? 0, chosen.map(\.task.count).max() ?? 0)
        for dataSet in chosen {
          let mark = [.whole: "*", .partial: "+", .absent: " "][dataSet.presence()]!
          let size = megabytes(dataSet.size)
          let from = dataSet.addresses.isEmpty ? "  (no public address)" : ""
          try output(
            "\(mark) \(padded(dataSet.name, width))  \(String(repeating: " ", count: max(0, 8 - size.count)))\(size)"
              + "  \(padded(dataSet.task, taskWidth))  \(dataSet.licence)\(from)")
        }
      } else {
        for dataSet in chosen { try describe(dataSet) }
      }
    }

    private func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func describe(_ dataSet: DataSet) throws {
      try output("\(dataSet.name): \(dataSet.about)")
      try output("task      \(dataSet.task)")
      try output("licence   \(dataSet.licence)")
      if let home = dataSet.home { try output("home      \(home)") }
      if let made = dataSet.made { try output("made      \(made)") }
      if let archive = dataSet.archive {
        for address in archive.addresses { try output("address   \(address)") }
        try output("sha256    \(archive.sha256)")
      } else if dataSet.addresses.isEmpty {
        try output("address   no public address: use --from")
      }
      let state = [.whole: "there", .partial: "a part is there", .absent: "not there"][dataSet.presence()]!
      try output("folder    \(dataSet.folder) (\(state))")
      for file in dataSet.files {
        try output("file      \(file.name), content of \(file.size) bytes")
        try output("  sha256  \(file.sha256)")
        for address in file.addresses { try output("  address \(address)") }
      }
    }

    /// What is printed of a data set as JSON.
    private struct Line: Encodable {
      struct Packed: Encodable { let addresses: [String], sha256: String }
      struct File: Encodable { let name: String, bytes: Int, sha256: String, addresses: [String] }
      let name, task, about, licence, folder, state: String
      let home, made: String?
      let bytes: Int
      let addresses: [String]
      let archive: Packed?
      let files: [File]

      init(_ dataSet: DataSet) {
        (name, task, about) = (dataSet.name, dataSet.task, dataSet.about)
        (licence, home, made) = (dataSet.licence, dataSet.home, dataSet.made)
        (folder, state) = (dataSet.folder, dataSet.presence().rawValue)
        (bytes, addresses) = (dataSet.size, dataSet.addresses)
        archive = dataSet.archive.map { Packed(addresses: $0.addresses, sha256: $0.sha256) }
        files = dataSet.files.map {
          File(name: $0.name, bytes: $0.size, sha256: $0.sha256, addresses: $0.addresses)
        }
      }
    }
  }

  /// `kasane data get NAME`
  struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Get data sets and verify them.",
      discussion: """
        Downloads go on where they were cut, also by the same command another time. What is there already is verified and \
        left as it is.
        """)

    @Argument(help: "The data sets.", completion: .list(DataSet.all.map(\.name))) var names: [String]
    @Option(
      parsing: .upToNextOption,
      help: ArgumentHelp(
        "Take the files from here instead: files, a folder, the original's zip file, or an address of these.",
        valueName: "source"),
      completion: .file()) var from: [String] = []

    func validate() throws {
      _ = try named(names)
      guard from.isEmpty || names.count == 1 else {
        throw ValidationError("--from: goes with one data set, not \(names.count)")
      }
      guard !from.contains("") else {
        throw ValidationError("--from: nothing found, a file, folder or address expected")
      }
    }

    func run() throws {
      for dataSet in try named(names) {
        let line = ProgressLine(dataSet.name)
        defer { line.clear() }
        let outcome = try dataSet.get(
          from: from,
          waiting: { writeError("Waiting for another process that is getting \(dataSet.name)") },
          progress: { line.show($0) })
        line.clear()
        let files = dataSet.files.count == 1 ? "1 file" : "\(dataSet.files.count) files"
        try output(
          "\(dataSet.name): \(outcome == .found ? "there already, " : "")verified, \(files) in \(dataSet.folder)"
        )
        if outcome == .placed {
          try output("Licence: \(dataSet.licence)\(dataSet.home.map { "; see \($0)" } ?? "")")
        }
      }
    }
  }

  /// `kasane data path NAME`
  struct Path: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the folder of a data set that is there.")

    @Argument(help: "The data set.", completion: .list(DataSet.all.map(\.name))) var name: String

    func validate() throws { _ = try named([name]) }

    func run() throws {
      let dataSet = try named([name])[0]
      guard dataSet.presence() == .whole else {
        throw KasaneError("\(dataSet.folder): not all files are there; to get them: kasane data get \(name)")
      }
      try output(dataSet.folder)
    }
  }

  /// `kasane data verify`
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read data sets and compare them with the catalogue's sums; all that are there without names."
    )

    @Argument(help: "The data sets.", completion: .list(DataSet.all.map(\.name))) var names: [String] = []

    func validate() throws { _ = try named(names) }

    func run() throws {
      let chosen = names.isEmpty ? DataSet.all.filter { $0.presence() != .absent } : try named(names)
      guard !chosen.isEmpty else {
        throw KasaneError("\(DataFolder.path): no data set is there; to get one: kasane data get NAME")
      }
      var failed = false
      for dataSet in chosen {
        do {
          try dataSet.verify()
          try output("\(dataSet.name): verified, \(megabytes(dataSet.size))")
        } catch let error as KasaneError where chosen.count > 1 {
          writeError("Error: \(error)")
          failed = true
        }
      }
      if failed { throw ExitCode(1) }
    }
  }
}

/// A line on standard error that tells how far a download is, where that is a terminal.
private final class ProgressLine {
  private let name: String
  private let isLive = isatty(STDERR_FILENO) == 1
  private let clock = ContinuousClock()
  private var lastShown: ContinuousClock.Instant?

  init(_ name: String) { self.name = name }

  func show(_ progress: TransferProgress) {
    guard isLive, lastShown.map({ clock.now - $0 > .milliseconds(100) }) ?? true else { return }
    lastShown = clock.now
    var text = "\(name): \(progress.file)  \(DataSets.megabytes(progress.received))"
    if let total = progress.total { text += " of \(DataSets.megabytes(total))" }
    text += "  \(DataSets.megabytes(Int(progress.rate)))/s"
    if let remaining = progress.remaining { text += "  \(fixed(remaining, 0)) s left" }
    writeText("\r\u{1B}[K\(text)", to: STDERR_FILENO)
  }

  /// Takes the line away so that another can be printed.
  func clear() {
    if lastShown != nil { writeText("\r\u{1B}[K", to: STDERR_FILENO) }
    lastShown = nil
  }
}
