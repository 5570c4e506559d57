// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@Suite struct ModelExamples {
  @Test func models() throws {
    // example
    var random = RandomGenerator(seed: 1)
    let network = Sequential {
      Convolution2D(1, 8, kernelSize: 3, padding: .same, using: &random)
      relu
      MaxPool2D(2)
      Flatten()
      for _ in 0..<2 {
        Residual {
          Linear(8 * 14 * 14, 8 * 14 * 14, using: &random)
          Activation.gelu
        }
      }
      Linear(8 * 14 * 14, 10, using: &random)
    }
    print(network.parameters.map(\.name))
    // end
    #expect(
      network.parameters.map(\.name) == [
        "0.weight", "0.bias", "4.body.0.weight", "4.body.0.bias", "5.body.0.weight", "5.body.0.bias",
        "6.weight", "6.bias",
      ])

    // example
    let summary = network.summary(input: [32, 28, 28, 1])
    print(summary)
    print(summary.parameterCount, network.parameterCount)
    // end
    #expect(summary.parameterCount == network.parameterCount)
    #expect(summary.rows[1].output == [32, 28, 28, 8] && summary.rows[3].type == "MaxPool2D")

    let path = FileManager.default.temporaryDirectory.path + "/kasane-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    // example
    try network.save(to: path, as: .bfloat16)
    let copy = network.copy()
    try copy.load(contentsOf: path)

    // The first layer alone, from a file that calls it otherwise.
    try network.save(to: path, prefix: "encoder.") { $0.hasPrefix("0.") }
    let report = try copy.load(
      contentsOf: path, prefix: "encoder.", where: { $0.hasPrefix("0.") }, renaming: { $0 })
    print(report)  // 2 parameters loaded

    // What fits, and a report of the rest.
    let partial = try copy.load(contentsOf: path, strict: false, prefix: "encoder.")
    print(partial.missing.count)  // 6
    // end
    #expect(report.description == "2 parameters loaded" && partial.missing.count == 6)

    // example
    network.freeze { !$0.hasPrefix("6.") }
    print(network.trainableParameterCount)  // 15690
    network.unfreeze()
    // end
    network.freeze { !$0.hasPrefix("6.") }
    #expect(network.trainableParameterCount == 15690)
  }
}
