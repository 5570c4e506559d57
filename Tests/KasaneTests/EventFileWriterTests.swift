// SPDX-License-Identifier: Apache-2.0

import CKernels
import Foundation
import Testing

@testable import Kasane

/// The event files of TensorBoard. `Tests/Fixtures/check_events.py` reads one with TensorBoard itself.
@Suite struct EventFileWriterTests {
  @Test func checkOfKnownBytes() {
    // The check value of CRC-32C in the catalogue of parametrised CRC algorithms, and RFC 3720, section B.4.
    #expect(check(Array("123456789".utf8)) == 0xE306_9283)
    #expect(check([]) == 0)
    #expect(check(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(check(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(check(Array(0..<32)) == 0x46DD_794E)
  }

  @Test func checkOfPartsIsTheCheckOfAll() {
    let bytes = (0..<61).map { UInt8($0 * 37 % 251) }
    for cut in 0...bytes.count {
      let rest = Array(bytes[cut...])
      #expect(ks_crc32c(check(Array(bytes[..<cut])), rest, rest.count) == bitwiseCheck(bytes))
    }
  }

  @Test func recordsAreFramed() throws {
    try inFolder { folder in
      let path = folder + "/" + EventFileWriter.fileName(wallTime: 1_700_000_000.75)
      #expect(path.hasSuffix("/events.out.tfevents.1700000000.kasane"))
      let writer = try EventFileWriter(creatingAt: path, wallTime: 2)
      try writer.addScalar("a", 0, step: 0, wallTime: 2)
      try writer.addScalar("loss", 1.5, step: 300, wallTime: 0)
      let length = writer.length
      try writer.close()
      let file = try read(path)
      #expect(UInt64(file.count) == length)

      // Every byte by hand: key (field number << 3 | wire type), then the value. A step of zero is left out,
      // as proto3 has it; a scalar of zero is not.
      let two: [UInt8] = [0x09, 0, 0, 0, 0, 0, 0, 0, 0x40]
      let expected: [[UInt8]] = [
        two + [0x1A, 13] + Array("brain.Event:2".utf8),
        two + [0x2A, 10, 0x0A, 8, 0x0A, 1, 0x61, 0x15, 0, 0, 0, 0],
        [0x10, 0xAC, 0x02, 0x2A, 13, 0x0A, 11, 0x0A, 4] + Array("loss".utf8) + [0x15, 0, 0, 0xC0, 0x3F],
      ]
      #expect(try records(of: file) == expected)
    }
  }

  @Test func manyEventsAreWrittenWithoutBeingAskedTo() throws {
    try inFolder { folder in
      let path = folder + "/events"
      let writer = try EventFileWriter(creatingAt: path, wallTime: 1)
      for step in 0..<2000 { try writer.addScalar("loss", Float(step), step: step, wallTime: 1) }
      let early = try read(path).count
      #expect(early > 64 << 10 && UInt64(early) < writer.length)
      try writer.flush()
      let file = try read(path)
      #expect(UInt64(file.count) == writer.length)
      #expect(try records(of: file).count == 2001)
    }
  }

  @Test func whatWaitsIsWrittenWhenTheWriterGoes() throws {
    try inFolder { folder in
      let path = folder + "/events"
      do {
        let writer = try EventFileWriter(creatingAt: path, wallTime: 1)
        try writer.addScalar("loss", 1, step: 1, wallTime: 1)
      }
      #expect(try records(of: read(path)).count == 2)
    }
  }

  @Test func continuingDropsWhatCameLater() throws {
    try inFolder { folder in
      let path = folder + "/events"
      let first = try EventFileWriter(creatingAt: path, wallTime: 1)
      try first.addScalar("loss", 4, step: 1, wallTime: 1)
      let saved = first.length
      try first.addScalar("loss", 3, step: 2, wallTime: 1)
      try first.addScalar("accuracy", 0.5, step: 2, wallTime: 1)
      try first.close()

      let second = try EventFileWriter(continuing: path, from: saved)
      #expect(second.length == saved)
      #expect(try UInt64(read(path).count) == saved)
      try second.addScalar("loss", 2, step: 2, wallTime: 1)
      try second.close()

      let events = try records(of: read(path)).map { try TensorBoardEvent(serializedBytes: $0) }
      #expect(events.map(\.fileVersion) == ["brain.Event:2", "", ""])
      #expect(events.map(\.step) == [0, 1, 2])
      #expect(events.flatMap(\.summary.value).map(\.simpleValue) == [4, 2])
    }
  }

  @Test func errorsNameTheFileAndTheReason() throws {
    try inFolder { folder in
      let path = folder + "/events"
      let absent = folder + "/absent/events"
      expectError("cannot create \(absent): No such file or directory") {
        _ = try EventFileWriter(creatingAt: absent, wallTime: 1)
      }
      expectError("cannot continue \(absent): No such file or directory") {
        _ = try EventFileWriter(continuing: absent, from: 0)
      }

      let writer = try EventFileWriter(creatingAt: path, wallTime: 1)
      let length = writer.length
      expectError("cannot create \(path): File exists") {
        _ = try EventFileWriter(creatingAt: path, wallTime: 1)
      }
      expectError("cannot continue \(path): expected at least \(length + 1) bytes, found \(length)") {
        _ = try EventFileWriter(continuing: path, from: length + 1)
      }
      try writer.close()
      try writer.close()
      expectError("cannot write \(path): it was closed") {
        try writer.addScalar("loss", 1, step: 1, wallTime: 1)
      }
      #expect(try UInt64(read(path).count) == length)
    }
  }

  #if os(Linux)
    @Test func whatCouldNotBeWrittenWaits() throws {
      // Every write to this device finds it full, and it cannot be cut back.
      let descriptor = open("/dev/full", O_WRONLY)
      try #require(descriptor >= 0)
      let writer = EventFileWriter(descriptor: descriptor, path: "full", length: 0)
      try writer.addScalar("loss", 1, step: 1, wallTime: 1)
      let length = writer.length
      let reason = "No space left on device; nor cut it back to 0 bytes: Invalid argument"
      expectError("cannot write full: \(reason)") { try writer.flush() }
      #expect(writer.length == length)
      expectError("cannot write full: \(reason)") { try writer.close() }
    }
  #endif
}

private struct Damaged: Error {}

/// The data of every record, with all lengths and checks verified.
private func records(of file: [UInt8]) throws -> [[UInt8]] {
  var rest = file[...]
  func take(_ count: Int) throws -> [UInt8] {
    guard rest.count >= count else { throw Damaged() }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
  func number(_ bytes: [UInt8]) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
  func masked(_ bytes: [UInt8]) -> UInt64 {
    let check = bitwiseCheck(bytes)
    return UInt64((check >> 15 | check << 17) &+ 0xA282_EAD8)
  }
  var found: [[UInt8]] = []
  while !rest.isEmpty {
    let length = try take(8)
    guard number(try take(4)) == masked(length) else { throw Damaged() }
    let data = try take(Int(number(length)))
    guard number(try take(4)) == masked(data) else { throw Damaged() }
    found.append(data)
  }
  return found
}

private func check(_ bytes: [UInt8]) -> UInt32 { ks_crc32c(0, bytes, bytes.count) }

/// CRC-32C by its definition, a bit at a time.
private func bitwiseCheck(_ bytes: [UInt8]) -> UInt32 {
  var check = UInt32.max
  for byte in bytes {
    check ^= UInt32(byte)
    for _ in 0..<8 { check = check >> 1 ^ (check & 1 == 1 ? 0x82F6_3B78 : 0) }
  }
  return ~check
}

private func read(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

private func expectError(
  _ line: String, _ body: () throws -> Void, at location: SourceLocation = #_sourceLocation
) {
  let error = #expect(throws: KasaneError.self, sourceLocation: location, performing: body)
  #expect(error?.description == line, sourceLocation: location)
}

private func inFolder(_ body: (String) throws -> Void) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("kasane-" + UUID().uuidString)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(at: folder) }
  try body(folder.path)
}
