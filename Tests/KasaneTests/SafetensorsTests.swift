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

  @Test func everyTypeIsReadAsPyTorchWroteIt() throws {
    let path = Bundle.module.path(forResource: "types", ofType: "safetensors", inDirectory: "Fixtures/Layers")
    let file = try Safetensors(contentsOf: try #require(path))
    #expect(file.metadata == ["format": "pt"])
    for dtype in DType.allCases {
      let tensor = try #require(file.tensors["\(dtype)"])
      #expect(tensor.dtype == dtype && tensor.shape == [2, 3])
      let expected = (0..<6).map { place in
        dtype == .bool ? 1 : Double(place) + (dtype.isFloatingPoint ? 0.5 : 0)
      }
      #expect(tensor.cast(to: .float64).elements(as: Double.self) == expected)
    }
    #expect(file.tensors["turned"]!.elements(as: Float.self) == [0.5, 3.5, 1.5, 4.5, 2.5, 5.5])
    #expect(file.tensors["number"]!.shape == [] && file.tensors["number"]!.scalar == 2.5)
    #expect(file.tensors["empty"]!.shape == [0, 3])
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

  @Test func partsAreReadWithoutTheRest() throws {
    try inFolder { folder in
      let path = folder + "/x"
      let tensors = ["a": Tensor([1.0, 2]), "b.c": Tensor(ones: [3, 2]), "d": Tensor(zeros: [0])]
      for checksummed in [false, true] {
        try Safetensors(tensors).write(to: path, checksummed: checksummed)
        let file = try SafetensorsFile(path)
        #expect(file.isChecksummed == checksummed)
        #expect(file.entries.map(\.name) == ["a", "b.c", "d"])
        #expect(file.entries[1].shape == [3, 2] && file.entries[1].dtype == .float32)
        #expect(try file.tensor("a").elements(as: Double.self) == [1, 2])
        #expect(try file.tensors { $0.hasPrefix("b") }.keys.sorted() == ["b.c"])
        #expect(throws: KasaneError.self) { try file.tensor("e") }
      }
      // Damage in a part that nobody wants is found where there is a checksum.
      var bytes = try Files.read(path)
      bytes[bytes.count - 1] ^= 1
      try Files.write([bytes], to: path)
      #expect(throws: KasaneError.self) { try SafetensorsFile(path).tensors { $0 == "a" } }
    }
  }

  private func write(header: String, elements: Int, to path: String) throws {
    let text = Array(header.utf8)
    let length = withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init)
    try Files.write([length, text, [UInt8](repeating: 0, count: elements)], to: path)
  }

  @Test(arguments: [
    (#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#, 0),
    (
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
      12
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
    (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5),
    (#"[1, 2]"#, 0), ("", 0), ("\u{0}\u{1}", 0),
  ])
  func headersThatLieAreRefused(_ header: String, _ elements: Int) throws {
    try inFolder { folder in
      try write(header: header, elements: elements, to: folder + "/x")
      #expect {
        try Safetensors(contentsOf: folder + "/x")
      } throws: { error in
        let text = "\(error)"
        return error is KasaneError && text.contains(folder + "/x") && !text.contains("\n")
      }
    }
  }

  @Test func unknownTypesMatterOnlyWhereTheyAreWanted() throws {
    try inFolder { folder in
      let path = folder + "/x"
      let header =
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[4,6]}}"#
      try write(header: header, elements: 6, to: path)
      #expect(throws: KasaneError.self) { try Safetensors(contentsOf: path) }
      let file = try SafetensorsFile(path)
      #expect(file.unsupported == ["b": "F8_E4M3"])
      #expect(try file.tensors { $0 == "a" }["a"]!.scalar == 0)
    }
  }

  // MARK: Models

  private func makeNetwork(_ seed: UInt64) -> Sequential {
    var random = RandomGenerator(seed: seed)
    return Sequential {
      Linear(3, 4, using: &random)
      relu
      Linear(4, 2, using: &random)
    }
  }

  private func values(_ model: Sequential) -> [[Float]] {
    model.parameters.map { $0.parameter.value.elements(as: Float.self) }
  }

  @Test func modelsComeBack() throws {
    try inFolder { folder in
      let path = folder + "/x"
      let model = makeNetwork(1), other = makeNetwork(2)
      try model.save(to: path, metadata: ["epoch": "3"])
      let report = try other.load(contentsOf: path)
      #expect(values(model) == values(other))
      #expect(report.isComplete && report.loaded == ["0.weight", "0.bias", "2.weight", "2.bias"])
      #expect(try SafetensorsFile(path).metadata == ["epoch": "3"])
    }
  }

  @Test(arguments: [DType.bfloat16, .float16, .float64])
  func otherPrecisionsAreConverted(_ dtype: DType) throws {
    try inFolder { folder in
      let path = folder + "/x"
      let model = makeNetwork(1), other = makeNetwork(2)
      try model.save(to: path, as: dtype)
      #expect(try SafetensorsFile(path).entries.allSatisfy { $0.dtype == dtype })
      try other.load(contentsOf: path)
      for (a, b) in zip(model.parameters, other.parameters) {
        let expected = a.parameter.value.cast(to: dtype).cast(to: .float32)
        #expect(b.parameter.value.dtype == .float32)
        #expect(b.parameter.value.elements(as: Float.self) == expected.elements(as: Float.self))
      }
    }
  }

  @Test func subsetsPrefixesAndOtherNames() throws {
    try inFolder { folder in
      let path = folder + "/x"
      let model = makeNetwork(1), other = makeNetwork(2)
      try model.save(to: path, prefix: "encoder.") { $0.hasPrefix("0.") }
      #expect(try SafetensorsFile(path).entries.map(\.name) == ["encoder.0.bias", "encoder.0.weight"])
      let before = values(other)
      try other.load(contentsOf: path, prefix: "encoder.") { $0.hasPrefix("0.") }
      #expect(Array(values(other)[..<2]) == Array(values(model)[..<2]))
      #expect(Array(values(other)[2...]) == Array(before[2...]))
      // The file's names as another library has them.
      try Safetensors([
        "fc1.kernel": Tensor(ones: [3, 4]), "fc1.offset": Tensor(ones: [4]),
        "fc2.kernel": Tensor(ones: [4, 2]),
        "fc2.offset": Tensor(ones: [2]), "step": Tensor(3),
      ]).write(to: path)
      let report = try other.load(
        contentsOf: path,
        renaming: { name in
          let parts = name.split(separator: ".")
          guard parts.count == 2 else { return nil }
          return (parts[0] == "fc1" ? "0." : "2.") + (parts[1] == "kernel" ? "weight" : "bias")
        })
      #expect(report.isComplete && values(other).allSatisfy { $0.allSatisfy { $0 == 1 } })
      #expect(throws: KasaneError.self, "two names for one parameter") {
        try other.load(contentsOf: path, renaming: { _ in "0.weight" })
      }
    }
  }

  @Test func whatDoesNotFitIsListed() throws {
    try inFolder { folder in
      let path = folder + "/x"
      let model = makeNetwork(1)
      for checksummed in [false, true] {
        try Safetensors([
          "0.weight": Tensor(ones: [4, 3]), "0.bias": Tensor(ones: [4]), "2.weight": Tensor([Int32(1)]),
          "3.weight": Tensor(ones: [1]),
        ]).write(to: path, checksummed: checksummed)
        let before = values(model)
        #expect {
          try model.load(contentsOf: path)
        } throws: { error in
          let text = "\(error)"
          return text.contains(path) && text.contains("2.bias is missing")
            && text.contains("3.weight is unexpected")
            && text.contains("0.weight is [4, 3] float32, not [3, 4] float32")
            && text.contains("2.weight is [1] int32, not [4, 2] float32") && !text.contains("\n")
        }
        #expect(values(model) == before)
        let report = try model.load(contentsOf: path, strict: false)
        #expect(report.loaded == ["0.bias"] && report.missing == ["2.bias"])
        #expect(
          report.unexpected == ["3.weight"] && report.misshapen.keys.sorted() == ["0.weight", "2.weight"])
        #expect(values(model)[1] == [1, 1, 1, 1] && values(model)[0] == before[0])
        model.parameters[1].parameter.assign(Tensor(zeros: [4]))
      }
    }
  }
}
