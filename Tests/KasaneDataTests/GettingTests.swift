// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import LocalServer
import Synchronization
import Testing

@testable import KasaneData

/// Data sets from servers, good and bad, and from files.
@Suite struct GettingTests {
  private typealias Reply = LocalServer.Reply

  let files: TemporaryFiles
  /// Bytes that do not pack well.
  let bytes: [UInt8]

  init() throws {
    files = try TemporaryFiles()
    var random = RandomGenerator(seed: 1)
    bytes = (0..<20_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    // A proxy that is set for the machine has no part in this.
    setenv("no_proxy", "127.0.0.1", 1)
  }

  private var folder: String { files.path("made") }
  private var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }
  private func content(_ name: String) throws -> [UInt8] { try files.bytes("made/\(name)") }

  private var options: TransferOptions {
    var options = TransferOptions()
    options.attempts = 3
    options.pause = .milliseconds(1)
    options.stallTimeout = .milliseconds(300)
    return options
  }

  /// Gets a single file of the bytes from a server.
  @discardableResult
  private func get(
    _ name: String = "a.bin", from server: LocalServer, addresses: [String] = ["/a.bin"],
    progress: @escaping (TransferProgress) -> Void = { _ in }
  ) throws -> DataSet.Outcome {
    let dataSet = try made([name: bytes], addresses: { _ in addresses.map { server.address + $0 } })
    return try dataSet.get(into: folder, options: options, progress: progress)
  }

  /// Expects that getting fails, by a line that says all of the parts and names the address, and leaves nothing.
  private func expectRefusal(
    _ parts: String..., leaving rest: [String] = [], location: SourceLocation = #_sourceLocation,
    answer: @escaping @Sendable (LocalServer.Request) -> LocalServer.Reply
  ) throws {
    let server = try LocalServer(answer)
    do {
      try get(from: server)
      Issue.record("no error", sourceLocation: location)
    } catch let error as KasaneError {
      let line = error.description
      #expect(
        line.hasPrefix("\(server.address)/a.bin: ") && !line.contains("\n"), "\(line)",
        sourceLocation: location)
      for part in parts + ["--from"] { #expect(line.contains(part), "\(line)", sourceLocation: location) }
    }
    #expect(names == rest, sourceLocation: location)
    #expect(rest.isEmpty != FileManager.default.fileExists(atPath: folder), sourceLocation: location)
  }

  // MARK: Good servers

  @Test func wholeAndThenNothing() throws {
    let bytes = bytes
    let server = try LocalServer { Reply(bytes, for: $0) }
    var seen: [TransferProgress] = []
    #expect(try get(from: server) { seen.append($0) } == .placed)
    #expect(try names == ["a.bin"] && content("a.bin") == bytes)
    let last = try #require(seen.last)
    #expect(
      last.file == "a.bin" && last.received == bytes.count && last.total == bytes.count && last.rate > 0)
    #expect(last.remaining == 0)
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.received < $1.received })
    #expect(try get(from: server) == .found)
    #expect(server.requests.count == 1)
  }

  @Test func packedAsItsNameSays() throws {
    let bytes = bytes
    let packed = Gzip.compress(bytes)
    let server = try LocalServer { Reply($0.path.hasSuffix("gz") ? packed : bytes, for: $0) }
    for (name, address) in [("a.bin.gz", "/a.bin"), ("a.bin.gz", "/a.bin.gz"), ("a.bin", "/a.bin.gz")] {
      try get(name, from: server, addresses: [address])
      #expect(try names == [name] && content(name) == (name.hasSuffix("gz") ? packed : bytes))
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  @Test func redirections() throws {
    let bytes = bytes
    let server = try LocalServer { request in
      switch request.path {
      case "/a.bin": Reply(status: 302, headers: ["Location: /b"])
      case "/b": Reply(status: 301, headers: ["Location: /c"])
      default: Reply(bytes, for: request)
      }
    }
    try get(from: server)
    #expect(try content("a.bin") == bytes)
    #expect(server.requests.map(\.path) == ["/a.bin", "/b", "/c"])
    try FileManager.default.removeItem(atPath: folder)
    try expectRefusal("redirect") { _ in Reply(status: 302, headers: ["Location: /a.bin"]) }
    try expectRefusal("Protocol") { _ in Reply(status: 302, headers: ["Location: file:///etc/passwd"]) }
  }

  // MARK: Connections that are cut

  @Test(arguments: [true, false]) func cuts(ranges: Bool) throws {
    let bytes = bytes
    let server = try LocalServer { request in
      var reply = Reply(bytes, for: request, ranges: ranges)
      // Without ranges each attempt begins anew, so the last must hold.
      reply.cut = ranges ? 3000 : request.number < 3 ? 3000 : .max
      return reply
    }
    try get(from: server)
    #expect(try content("a.bin") == bytes && names == ["a.bin"])
    let starts = server.requests.map { $0.start ?? 0 }
    #expect(starts == (ranges ? [0, 3000, 6000, 9000, 12000, 15000, 18000] : [0, 3000, 3000]))
  }

  @Test func goesOnAnotherTime() throws {
    let bytes = bytes
    let server = try LocalServer { request in
      if request.number == 2 || request.number == 3 { return Reply(status: 503) }
      var reply = Reply(bytes, for: request)
      if request.number == 1 { reply.cut = 5000 }
      return reply
    }
    expectError("\(server.address)/a.bin", "HTTP status 503", "3 attempts") { try get(from: server) }
    #expect(names == ["a.bin.download"])
    try get(from: server)
    #expect(server.requests.map(\.start) == [nil, 5000, 5000, 5000])
    #expect(try content("a.bin") == bytes && names == ["a.bin"])
  }

  @Test func partsOfOtherFiles() throws {
    let bytes = bytes
    let server = try LocalServer { Reply(bytes, for: $0) }
    // Shorter than the file, as long, longer, and the file itself, which needs no server.
    for part in [Array(bytes[1..<5000]), bytes.reversed(), bytes + bytes, []] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try files.write(part, to: "made/a.bin.download")
      try get(from: server)
      #expect(try content("a.bin") == bytes && names == ["a.bin"])
      try FileManager.default.removeItem(atPath: folder)
    }
    let before = server.requests.count
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try files.write(bytes, to: "made/a.bin.download")
    try get(from: server)
    #expect(try content("a.bin") == bytes && names == ["a.bin"] && server.requests.count == before)
  }

  @Test func wrongRanges() throws {
    let bytes = bytes
    let server = try LocalServer { request in
      var reply = Reply(bytes, for: request)
      if request.number == 1 { reply.cut = 5000 }
      if request.start == 5000 {
        reply.headers = ["Content-Range: bytes 0-\(bytes.count - 1)/\(bytes.count)"]
      }
      return reply
    }
    try get(from: server)
    #expect(try content("a.bin") == bytes)
    #expect(server.requests.map(\.start) == [nil, 5000, nil])
  }

  @Test func slowAndSilentServers() throws {
    let bytes = bytes
    // Slower in all than a stall may last, but never silent for so long.
    let slow = try LocalServer { request in
      var reply = Reply(bytes, for: request)
      reply.pause = .milliseconds(20)
      return reply
    }
    try get(from: slow)
    #expect(try content("a.bin") == bytes && slow.requests.count == 1)
    try FileManager.default.removeItem(atPath: folder)
    // Silent in the middle, then good.
    let silent = try LocalServer { request in
      var reply = Reply(bytes, for: request)
      if request.number == 1 { reply.stall = 4096 }
      return reply
    }
    try get(from: silent)
    #expect(try content("a.bin") == bytes)
    #expect(silent.requests.map(\.start) == [nil, 4096])
  }

  // MARK: Servers that have something else

  @Test func refusals() throws {
    let bytes = bytes
    try expectRefusal("HTTP status 404") { _ in Reply(status: 404) }
    try expectRefusal("HTTP status 403") { _ in Reply(status: 403) }
    try expectRefusal("HTTP status 500", "3 attempts") { _ in Reply(status: 500) }
    try expectRefusal("SHA-256 ", " expected") { Reply(bytes.reversed(), for: $0) }
    try expectRefusal("6 bytes of content, 20000 expected") { Reply(Array("<html>".utf8), for: $0) }
    try expectRefusal("0 bytes of content") { Reply([], for: $0) }
    try expectRefusal("longer than the file that is expected") { Reply(bytes + bytes, for: $0) }
    try expectRefusal("cut off") { Reply(Gzip.compress(bytes).dropLast(9), for: $0) }
    // Cut each time before the first byte.
    try expectRefusal("3 attempts") { request in
      var reply = Reply(bytes, for: request)
      reply.cut = 0
      return reply
    }
  }

  @Test func everyMirrorIsTried() throws {
    let bytes = bytes
    let server = try LocalServer { request in
      switch request.path {
      case "/none": Reply(status: 404)
      case "/wrong": Reply(bytes.reversed(), for: request)
      default: Reply(bytes, for: request)
      }
    }
    let addresses = ["/none", "/wrong", "/good"]
    try get(from: server, addresses: addresses)
    #expect(try content("a.bin") == bytes && names == ["a.bin"])
    #expect(server.requests.map(\.path) == addresses)
  }

  @Test func noServer() throws {
    var address = ""
    do { address = try LocalServer { _ in Reply(status: 404) }.address }
    let dataSet = try made(["a.bin": bytes], addresses: { _ in [address + "/a.bin"] })
    expectError("\(address)/a.bin", "3 attempts", "--from") {
      try dataSet.get(into: folder, options: options)
    }
    #expect(!FileManager.default.fileExists(atPath: folder))
    let nowhere = try made(["a.bin": bytes])
    expectError("made", "no public address", "--from") { try nowhere.get(into: folder) }
  }

  // MARK: From files

  @Test func fromFilesAndFolders() throws {
    let (first, second) = (bytes, Array("second".utf8))
    let dataSet = try made(["a.bin.gz": first, "b.txt": second])
    try FileManager.default.createDirectory(atPath: files.path("got/made"), withIntermediateDirectories: true)
    try files.write(first, to: "got/made/a.bin")
    expectError(files.path("got"), "b.txt is missing") {
      try dataSet.get(into: folder, from: [files.path("got")])
    }
    // What was there is kept; the other file completes it, whatever its name.
    #expect(names == ["a.bin.gz"])
    let other = try files.write(Gzip.compress(second), to: "other")
    #expect(try dataSet.get(into: folder, from: [other]) == .placed)
    #expect(try content("a.bin.gz") == Gzip.compress(first) && content("b.txt") == second)
    #expect(names == ["a.bin.gz", "b.txt"])
    try FileManager.default.removeItem(atPath: folder)

    expectError("made", "still missing: a.bin.gz") { try dataSet.get(into: folder, from: [other]) }
    try FileManager.default.removeItem(atPath: folder)
    let wrong = try files.write(Array("wrong".utf8), to: "wrong")
    expectError(wrong, "none of the files of made") { try dataSet.get(into: folder, from: [wrong]) }
    expectError(files.path("none"), "No such file") {
      try dataSet.get(into: folder, from: [files.path("none")])
    }
    let single = try made(["a.bin": bytes])
    expectError(wrong, "5 bytes of content, 20000 expected") { try single.get(into: folder, from: [wrong]) }
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test func damagedFilesAreReplaced() throws {
    let dataSet = try made(["a.txt.gz": bytes])
    let good = try files.write(bytes, to: "good")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Under the name that it has, so that no folder holds a text twice.
    try files.write([1, 2, 3], to: "made/a.txt")
    #expect(try dataSet.get(into: folder, from: [good]) == .placed)
    #expect(try names == ["a.txt"] && content("a.txt") == bytes)
    #expect(try dataSet.get(into: folder, from: [good]) == .found)
  }

  @Test func fromOtherAddresses() throws {
    let (first, second) = (bytes, Array("second".utf8))
    let server = try LocalServer { request in
      switch request.path {
      case "/base/a.bin.gz": Reply(first, for: request)
      case "/base/b.txt", "/single": Reply(second, for: request)
      default: Reply(status: 404)
      }
    }
    let dataSet = try made(["a.bin.gz": first, "b.txt": second])
    #expect(try dataSet.get(into: folder, from: [server.address + "/base"], options: options) == .placed)
    #expect(names == ["a.bin.gz", "b.txt"])
    try FileManager.default.removeItem(atPath: folder)
    let single = try made(["c.txt": second])
    #expect(try single.get(into: folder, from: [server.address + "/single"], options: options) == .placed)
    #expect(try content("c.txt") == second)
  }

  @Test func severalAtOnce() throws {
    let bytes = bytes
    let server = try LocalServer { request in
      var reply = Reply(bytes, for: request)
      reply.pause = .milliseconds(5)
      return reply
    }
    let dataSet = try made(["a.bin": bytes], addresses: { _ in [server.address + "/a.bin"] })
    let (folder, options) = (folder, options)
    let outcomes = Mutex<[DataSet.Outcome]>([])
    DispatchQueue.concurrentPerform(iterations: 3) { _ in
      guard let outcome = try? dataSet.get(into: folder, options: options) else { return }
      outcomes.withLock { $0.append(outcome) }
    }
    let found = outcomes.withLock { $0 }
    #expect(found.count == 3 && found.count { $0 == .placed } == 1)
    #expect(server.requests.count == 1)
    #expect(try content("a.bin") == bytes && names == ["a.bin"])
  }
}
