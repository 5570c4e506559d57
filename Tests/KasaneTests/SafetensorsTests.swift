// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

@Suite struct SafetensorsTests {
  private func inFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.path + "/kasane-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func everyTypeComesBack() throws {
    try inFolder { folder in
      var tensors: [String: Tensor] = [:]
      for dtype in DType.allCases { tensors["a.\(dtype)"] = Tensor([1.0, 0, 3]).cast(to: dtype) }
      tensors["empty"] = Tensor(zeros: [0, 4])
      tensors["turned"] = Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3]).transposed()
      for checksummed in [true, false] {
        try Safetensors(tensors, metadata: ["note": "ü \"quoted\""]).write(
          to: folder + "/x", checksummed: checksummed)
        let back = try Safetensors(contentsOf: folder + "/x")
        #expect(back.metadata == ["note": "ü \"quoted\""])
        #expect(back.tensors.keys.sorted() == tensors.keys.sorted())
        for (name, tensor) in tensors {
          #expect(back.tensors[name]!.description == tensor.description)
        }
      }
    }
  }

  @Test func damageIsFoundWhereverItIs() throws {
    try inFolder { folder in
      let path = folder + "/x"
      try Safetensors(["w": Tensor(ones: [40]), "b": Tensor(ones: [3])]).write(to: path, checksummed: true)
      let whole = try Files.read(path)
      func expectError(_ bytes: [UInt8], _ what: String) throws {
        try Files.write([bytes], to: path)
        #expect(throws: KasaneError.self, "\(what)") { try Safetensors(contentsOf: path) }
      }
      for length in 0..<whole.count { try expectError(Array(whole[..<length]), "cut to \(length)") }
      try expectError(whole + [0], "longer")
      for place in stride(from: whole.count - 172, to: whole.count, by: 7) {
        var bytes = whole
        bytes[place] ^= 4
        try expectError(bytes, "flipped at \(place)")
      }
      // A damaged header never traps, whatever it says.
      for place in 0..<(whole.count - 172) {
        for flip in [1, 2, 16, 128] as [UInt8] {
          var bytes = whole
          bytes[place] ^= flip
          try Files.write([bytes], to: path)
          _ = try? Safetensors(contentsOf: path)
        }
      }
    }
  }
}
