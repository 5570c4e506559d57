// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import LocalServer
import Testing

@testable import KasaneData

/// Members of zip files, which `Zip` below packs.
@Suite struct ZipArchiveTests {
  let files: TemporaryFiles
  private let text = Array(String(repeating: "As it was, so it is. ", count: 500).utf8)

  init() throws {
    files = try TemporaryFiles()
    setenv("no_proxy", "127.0.0.1", 1)
  }

  private func content(_ name: String, of path: String) throws -> [UInt8] {
    let archive = try ZipArchive(path)
    let member = try #require(archive.members.first { $0.name == name })
    var bytes: [UInt8] = []
    _ = try Content(of: try archive.reader(of: member)) { bytes += $0 }
    return bytes
  }

  @Test func membersStoredAndDeflated() throws {
    let path = try files.write(
      zip([("stored.txt", text, false), ("inner/deflated.txt", text, true), ("empty", [], true)]), to: "a.zip"
    )
    #expect(ZipArchive.isOne(path))
    #expect(try ZipArchive(path).members.map(\.name) == ["stored.txt", "inner/deflated.txt", "empty"])
    #expect(try content("stored.txt", of: path) == text)
    #expect(try content("inner/deflated.txt", of: path) == text)
    #expect(try content("empty", of: path) == [])
  }

  @Test func damage() throws {
    let whole = zip([("a", text, true)])
    for cut in [0, 10, whole.count / 2, whole.count - 1] {
      let path = try files.write(Array(whole[..<cut]), to: "cut.zip")
      expectError(path, "not a whole zip file") { try ZipArchive(path) }
    }
    // Any byte of the member's data: told by inflating, or by the sum.
    for place in stride(from: 31, to: 31 + 40, by: 7) {
      var bytes = whole
      bytes[place] ^= 0x55
      let path = try files.write(bytes, to: "damaged.zip")
      expectError("\(path): a", "") { try content("a", of: path) }
    }
    var encrypted = whole
    encrypted[6] |= 1
    let path = try files.write(encrypted, to: "encrypted.zip")
    expectError("\(path): a", "encrypted") { try content("a", of: path) }
    expectError(files.path("none.zip"), "No such file") { try ZipArchive(files.path("none.zip")) }
  }

  @Test func dataSetsFromArchives() throws {
    let packed = zip([
      ("other.txt", [1], false), ("inner/a.txt", text, true), ("inner/b.txt", [2, 3], false),
    ])
    var sum = SHA256()
    packed.withUnsafeBytes { sum.add($0) }
    let digits = sum.digits()
    let server = try LocalServer { request in
      var reply = LocalServer.Reply(packed, for: request)
      if request.start == nil { reply.cut = 100 }
      return reply
    }
    func dataSet(_ sha256: String) throws -> DataSet {
      try made(
        ["a.txt.gz": text, "b.txt": [2, 3]],
        archive: DataSet.Archive(addresses: [server.address + "/all.zip"], sha256: sha256))
    }
    var options = TransferOptions()
    options.pause = .milliseconds(1)
    let folder = files.path("made")
    let zeros = String(repeating: "0", count: 64)
    expectError("\(server.address)/all.zip", "SHA-256 \(digits), \(zeros) expected") {
      try dataSet(zeros).get(into: folder, options: options)
    }
    #expect(!FileManager.default.fileExists(atPath: folder))
    #expect(try dataSet(digits).get(into: folder, options: options) == .placed)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.txt.gz", "b.txt"])
    #expect(try files.bytes("made/a.txt.gz") == Gzip.compress(text))
    try FileManager.default.removeItem(atPath: folder)

    let path = try files.write(packed, to: "all.zip")
    #expect(try dataSet(zeros).get(into: folder, from: [path]) == .placed)
    try FileManager.default.removeItem(atPath: folder)
    #expect(
      try dataSet(zeros).get(into: folder, from: [server.address + "/all.zip"], options: options) == .placed)
    try FileManager.default.removeItem(atPath: folder)
    let other = try files.write(zip([("inner/a.txt", text, true)]), to: "other.zip")
    expectError(other, "holds no inner/b.txt") { try dataSet(zeros).get(into: folder, from: [other]) }
    let wrong = try files.write(zip([("inner/a.txt", [9], true)]), to: "wrong.zip")
    expectError("\(wrong): inner/a.txt", "1 bytes of content") {
      try FileManager.default.removeItem(atPath: folder)
      return try dataSet(zeros).get(into: folder, from: [wrong])
    }
  }
}

/// A zip file of members with the given names and contents, deflated or stored.
private func zip(_ members: [(name: String, bytes: [UInt8], isDeflated: Bool)]) -> [UInt8] {
  func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
  var (file, directory): ([UInt8], [UInt8]) = ([], [])
  for (name, bytes, isDeflated) in members {
    // A gzip file is a header of 10 bytes, what deflate made, and 8 bytes of sum and size.
    let packed = Gzip.compress(bytes)
    let stored = isDeflated ? Array(packed.dropFirst(10).dropLast(8)) : bytes
    let sum = Array(packed.suffix(8).prefix(4))
    let common =
      number(20, 2) + number(0, 2) + number(isDeflated ? 8 : 0, 2) + number(0, 4) + sum
      + number(stored.count, 4)
      + number(bytes.count, 4) + number(name.utf8.count, 2) + number(0, 2)
    directory += number(0x0201_4B50, 4) + number(20, 2) + common + number(0, 10) + number(file.count, 4)
    directory += Array(name.utf8)
    file += number(0x0403_4B50, 4) + common + Array(name.utf8) + stored
  }
  let start = file.count
  file +=
    directory + number(0x0605_4B50, 4) + number(0, 4) + number(members.count, 2) + number(members.count, 2)
  return file + number(directory.count, 4) + number(start, 4) + number(0, 2)
}
