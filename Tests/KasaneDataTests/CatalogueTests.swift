// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@testable import KasaneData

/// What the catalogue knows, and what of it is there.
@Suite struct CatalogueTests {
  let files: TemporaryFiles

  init() throws { files = try TemporaryFiles() }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ]) func sums(_ text: String, _ expected: String) throws {
    // The examples of FIPS 180-2, appendix B, in one piece and in pieces.
    for pieces in 1...3 {
      var sum = SHA256()
      let bytes = Array(text.utf8)
      let length = (bytes.count + pieces - 1) / pieces
      for start in stride(from: 0, to: bytes.count, by: max(1, length)) {
        bytes[start..<min(bytes.count, start + length)].withUnsafeBytes { sum.add($0) }
      }
      #expect(sum.digits() == expected)
    }
    let path = try files.write(Gzip.compress(Array(text.utf8)), to: "text.gz")
    let content = try Content(of: path)
    #expect(content.size == text.utf8.count && content.sha256 == expected)
  }

  @Test func millionLetters() {
    var sum = SHA256()
    let letters = [UInt8](repeating: 0x61, count: 1000)
    for _ in 0..<1000 { letters.withUnsafeBytes { sum.add($0) } }
    #expect(sum.digits() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func entriesAreWhole() throws {
    #expect(Set(DataSet.all.map(\.name)).count == DataSet.all.count)
    var sums: Set<String> = []
    for dataSet in DataSet.all {
      #expect(
        !dataSet.files.isEmpty && !dataSet.licence.isEmpty && !dataSet.task.isEmpty && !dataSet.about.isEmpty)
      #expect(Set(dataSet.files.flatMap(\.names)).count == 2 * dataSet.files.count, "\(dataSet.name)")
      for file in dataSet.files {
        #expect(file.sha256.wholeMatch(of: /[0-9a-f]{64}/) != nil, "\(file.name)")
        #expect(sums.insert(file.sha256).inserted && file.size > 0, "\(file.name)")
        #expect(
          file.addresses.allSatisfy { $0.wholeMatch(of: /https:\/\/[^ ]+[^\/ ]/) != nil }, "\(file.addresses)"
        )
      }
      // Either all files can be got, or none.
      let counts = Set(dataSet.files.map { $0.addresses.isEmpty })
      #expect(counts.count == 1, "\(dataSet.name)")
      if dataSet.archive != nil { #expect(dataSet.files.allSatisfy { $0.member != nil }) }
    }
  }

  @Test func names() {
    #expect(DataSet.named("mnist")?.files.count == 4)
    #expect(DataSet.named("MNIST") == nil)
    #expect(DataSet.names(near: "mnits").first == "mnist")
    #expect(DataSet.names(near: "MNIST").first == "mnist")
    #expect(DataSet.names(near: "shakespeare").first == "tinyshakespeare")
    #expect(DataSet.names(near: "sst").contains("sst_trees"))
    #expect(DataSet.names(near: "qqqqqq") == [])
    for (first, second, expected) in [
      ("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0),
    ] {
      #expect(DataSet.distance(first, second) == expected && DataSet.distance(second, first) == expected)
    }
  }

  @Test func presenceAndVerification() throws {
    let (first, second) = (Array("one\n".utf8), Array("two, and more\n".utf8))
    let dataSet = try made(["a.txt.gz": first, "b.tsv": second])
    let folder = files.url.path
    #expect(dataSet.presence(in: folder) == .absent)
    expectError("\(folder)/a.txt.gz", "missing", "kasane data get made") { try dataSet.verify(in: folder) }
    // In any packing, under the name that fits it.
    try files.write(first, to: "a.txt")
    #expect(dataSet.presence(in: folder) == .partial)
    try files.write(Gzip.compress(second), to: "b.tsv.gz")
    #expect(dataSet.presence(in: folder) == .whole)
    try dataSet.verify(in: folder)
    try files.write(Array("two, and mare\n".utf8), to: "b.tsv")
    expectError("\(folder)/b.tsv", "SHA-256", dataSet.files[1].sha256) { try dataSet.verify(in: folder) }
    try files.write(Array("two\n".utf8), to: "b.tsv")
    expectError("\(folder)/b.tsv", "4 bytes of content, 14 expected") { try dataSet.verify(in: folder) }
    try files.write(second + [0], to: "b.tsv")
    expectError("\(folder)/b.tsv", "more than 14 bytes") { try dataSet.verify(in: folder) }
    try files.write(Gzip.compress(second).dropLast(6), to: "b.tsv")
    expectError("\(folder)/b.tsv", "cut off") { try dataSet.verify(in: folder) }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: DataFolder.path), "no full data sets here"))
  func fullDataSets() throws {
    // The small ones; `kasane data verify` reads all.
    for dataSet in DataSet.all where dataSet.size < 3_000_000 && dataSet.presence() == .whole {
      try dataSet.verify()
    }
  }
}

/// A data set of files with the given contents.
func made(
  _ contents: [String: [UInt8]], addresses: (String) -> [String] = { _ in [] },
  archive: DataSet.Archive? = nil
) throws -> DataSet {
  let files = contents.sorted { $0.key < $1.key }.map { name, bytes in
    var sum = SHA256()
    bytes.withUnsafeBytes { sum.add($0) }
    return DataSet.File(
      name, size: bytes.count, sha256: sum.digits(), addresses: addresses(name),
      member: archive == nil ? nil : "inner/" + name.replacing(".gz", with: ""))
  }
  return DataSet("made", task: "tests", about: "bytes", licence: "none", files: files, archive: archive)
}
