// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import KasaneData
import LocalServer
import Testing

/// `kasane data`.
@Suite struct DataSetTests {
  let folder: TemporaryFolder
  private let environment = ["KASANE_DATA": "data", "no_proxy": "127.0.0.1"]

  init() throws { folder = try TemporaryFolder() }

  private func data(_ arguments: String...) throws -> Outcome {
    try folder.run(["data"] + arguments, environment: environment)
  }

  private func expectError(_ arguments: String..., says parts: String...) throws {
    let outcome = try folder.run(["data"] + arguments, environment: environment)
    #expect(outcome.status == 1 && outcome.stdout.isEmpty, "\(arguments): \(outcome.stderr)")
    #expect(outcome.errorLines.count == 1 && outcome.stderr.hasPrefix("Error: "), "\(outcome.stderr)")
    for part in parts { #expect(outcome.stderr.contains(part), "\(outcome.stderr)") }
  }

  /// The folder of the full data sets, where it has the set that is got below.
  private static let full: String? = DataSet.named("names")?.presence() == .whole ? DataFolder.path : nil

  // MARK: What is known

  @Test func list() throws {
    let lines = try data("list").lines
    #expect(lines.count == DataSet.all.count + 1 && lines[0].contains("data"))
    for (line, dataSet) in zip(lines.dropFirst(), DataSet.all) {
      #expect(line.hasPrefix("  \(dataSet.name) ") && line.contains(dataSet.licence), "\(line)")
    }
    let told = try data("list", "mnist").stdout
    for part in [
      "CC BY-SA 3.0", "t10k-images-idx3-ubyte.gz", "https://", "sha256", "not there", "classification",
    ] {
      #expect(told.contains(part), "\(told)")
    }
    #expect(try data("list", "english_novels").stdout.contains("no public address: use --from"))
    #expect(!folder.has("data"))
  }

  @Test func listForPrograms() throws {
    struct Line: Decodable {
      struct File: Decodable { let name, sha256: String, bytes: Int, addresses: [String] }
      let name, task, licence, state, folder: String
      let bytes: Int
      let addresses: [String]
      let files: [File]
    }
    let lines = try data("list", "--json").lines.map {
      try JSONDecoder().decode(Line.self, from: Data($0.utf8))
    }
    #expect(lines.map(\.name) == DataSet.all.map(\.name))
    #expect(lines.allSatisfy { $0.state == "absent" && $0.folder == "data/\($0.name)" })
    #expect(lines.allSatisfy { $0.bytes == $0.files.reduce(0) { $0 + $1.bytes } })
    #expect(try data("list", "names", "--json").lines.count == 1)
  }

  @Test(arguments: [
    (["get"], "names"), (["get", "mnits"], "mnits; near it: mnist"), (["path", "mnits"], "mnist"),
    (["verify", "names", "x_y_z"], "x_y_z; known: bccd, "), (["list", "shakespeare"], "tinyshakespeare"),
    (["get", "names", "mnist", "--from", "x"], "--from: goes with one data set"),
    (["get", "names", "--from", ""], "--from: nothing found"), (["get", "names", "--from"], "--from"),
    (["get", "names", "--foo"], "--foo"), (["path"], "name"), (["load"], "load"),
  ]) func wrongUsage(_ arguments: [String], _ what: String) throws {
    let outcome = try folder.run(["data"] + arguments, environment: environment)
    #expect(outcome.status == 64 && outcome.stdout.isEmpty, "\(arguments): \(outcome.stderr)")
    let first = outcome.errorLines.first ?? ""
    #expect(first.hasPrefix("Error: ") && first.contains(what), "\(arguments): \(outcome.stderr)")
    #expect(folder.names() == [])
  }

  @Test func help() throws {
    for (command, parts) in [
      ([], ["list", "get", "path", "verify", "KASANE_DATA"]), (["get"], ["--from"]), (["list"], ["--json"]),
    ] {
      let page = try folder.run(["data"] + command + ["--help"], environment: environment).stdout
      for part in parts { #expect(page.contains(part), "\(page)") }
    }
  }

  // MARK: What is not there

  @Test func nothingThere() throws {
    try expectError("verify", says: "data: no data set is there", "kasane data get")
    try expectError("verify", "names", says: "data/names/names.txt.gz: missing", "kasane data get names")
    try expectError("path", "names", says: "data/names: ", "kasane data get names")
    try expectError("get", "english_novels", says: "english_novels: no public address", "--from")
    try expectError("get", "names", "--from", "none", says: "none: cannot be read: No such file")
    try folder.write("emma\n", to: "wrong.txt")
    try expectError(
      "get", "names", "--from", "wrong.txt", says: "wrong.txt: 5 bytes of content, 228145 expected")
    try expectError("get", "mnist", "--from", "wrong.txt", says: "wrong.txt: none of the files of mnist")
    #expect(!folder.has("data/names") && !folder.has("data/mnist"))
    try folder.write("in the way", to: "file")
    let outcome = try folder.run(
      ["data", "get", "names", "--from", "wrong.txt"], environment: ["KASANE_DATA": "file"])
    #expect(
      outcome.status == 1 && outcome.errorLines == ["Error: file/names: cannot be made: Not a directory"])
  }

  @Test func recipesSayHowToGetIt() throws {
    for (recipe, dataSet) in [
      ("next-word", "english_novels"), ("names", "names"), ("sentiment-tree", "sst_trees"),
      ("digits", "mnist"),
    ] {
      let outcome = try folder.run(
        ["train", recipe, "--preset", "full", "--output", "r"], environment: environment)
      #expect(outcome.status == 1 && outcome.errorLines.count == 1, "\(outcome.stderr)")
      #expect(outcome.stderr.hasPrefix("Error: data/\(dataSet): "), "\(outcome.stderr)")
      #expect(outcome.stderr.contains("kasane data get \(dataSet)"), "\(outcome.stderr)")
    }
    let outcome = try folder.run(
      ["train", "next-word", "--corpus", "wiki_mini", "--output", "r"], environment: environment)
    #expect(outcome.stderr.contains("kasane data get wiki_mini"), "\(outcome.stderr)")
    #expect(folder.names() == [])
  }

  // MARK: Servers

  @Test func serversThatHaveSomethingElse() throws {
    let server = try LocalServer { request in
      switch request.path {
      case "/moved": LocalServer.Reply(status: 302, headers: ["Location: /names.txt"])
      case "/names.txt": LocalServer.Reply(Array("emma\nolivia\n".utf8), for: request)
      default: LocalServer.Reply(status: 404)
      }
    }
    for address in ["\(server.address)/moved", "\(server.address)/names.txt"] {
      try expectError(
        "get", "names", "--from", address, says: "\(address): 12 bytes of content, 228145 expected")
    }
    try expectError(
      "get", "names", "--from", "\(server.address)/x", says: "\(server.address)/x: HTTP status 404")
    #expect(!folder.has("data/names"))
  }

  @Test(.enabled(if: DataSetTests.full != nil, "the full data set names is not here"))
  func fromServerToRecipe() throws {
    let path = Self.full! + "/names/names.txt.gz"
    let bytes = Array(try Data(contentsOf: URL(filePath: path)))
    let server = try LocalServer { request in
      var reply = LocalServer.Reply(bytes, for: request)
      if request.number == 1 { reply.cut = bytes.count / 2 }
      return reply
    }
    let source = "\(server.address)/names.txt.gz"
    // Two at once: one downloads, the other waits for it or finds it.
    let commands = try (0..<2).map { _ in
      try folder.start(["data", "get", "names", "--from", source], environment: environment)
    }
    let outcomes = commands.map { $0.finish() }
    #expect(outcomes.allSatisfy { $0.status == 0 }, "\(outcomes.map(\.stderr))")
    #expect(server.requests.map(\.start) == [nil, bytes.count / 2])
    #expect(folder.names("data/names") == ["names.txt.gz"])
    #expect(try data("verify").lines == ["names: verified, 0.23 MB"])
    #expect(try data("path", "names").lines == ["data/names"])
    #expect(try data("list").lines.contains { $0.hasPrefix("* names ") })
    #expect(try data("get", "names").lines == ["names: there already, verified, 1 file in data/names"])

    try folder.write("emma\n", to: "data/names/names.txt.gz")
    try expectError(
      "verify", "names", says: "data/names/names.txt.gz: 5 bytes of content", "kasane data get names")
    let outcome = try data("get", "names", "--from", path)
    #expect(outcome.lines.first == "names: verified, 1 file in data/names" && outcome.stderr.isEmpty)
    #expect(outcome.lines.last?.hasPrefix("Licence: public domain") == true)
    #expect(try folder.data("data/names/names.txt.gz") == Data(bytes))
  }
}
