// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Kasane

/// Weights that PyTorch and Keras have written (Tests/Fixtures/recurrent_exchange.py), and theirs again.
@Suite struct RecurrentExchangeTests {
  private func path(_ name: String) throws -> String {
    try #require(
      Bundle.module.path(forResource: name, ofType: "safetensors", inDirectory: "Fixtures/Exchange"),
      "no fixture \(name)")
  }

  private func tensors(_ name: String) throws -> [String: Tensor] {
    try Safetensors(contentsOf: try path(name)).tensors
  }

  /// Loads a file, compares what the layer then gives, and writes the same file again.
  private func check<Cell: ExchangeableCell>(
    _ name: String, _ layer: Recurrent<Cell>, in layout: RecurrentLayout, prefix: String = "",
    run: (Recurrent<Cell>, Tensor) throws -> [Tensor] = { [$0($1)] }
  ) throws {
    try layer.load(contentsOf: try path(name), in: layout, prefix: prefix)
    let numbers = try tensors(name + "-numbers")
    for (index, output) in try run(layer, numbers["x"]!).enumerated() {
      expectClose(output, numbers["output.\(index)"]!, 2e-6, name)
    }
    let file = FileManager.default.temporaryDirectory.path + "/kasane-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: file) }
    try layer.save(to: file, in: layout, prefix: prefix)
    let written = try Safetensors(contentsOf: file).tensors
    let given = try tensors(name).filter { $0.key.hasPrefix(prefix) && !$0.key.contains("head") }
    if case .keras(let names) = layout, !names.isEmpty {
      #expect(written.count == given.count)
    } else {
      #expect(written.keys.sorted() == given.keys.sorted(), "\(name)")
      for (key, tensor) in written {
        // Where PyTorch has two biases and this library their sum, the second becomes zero.
        let isSum = key.contains("bias_") && layer.layers[0].forward.recurrentBias == nil
        let other = key.replacing("bias_ih", with: "bias_hh")
        let expected =
          !isSum ? given[key]! : key == other ? Tensor(zeros: tensor.shape) : given[key]! + given[other]!
        #expect(tensor.elements(as: Float.self) == expected.elements(as: Float.self), "\(name): \(key)")
      }
    }
    // What was written is what the layer has.
    var random = RandomGenerator(seed: 99)
    let copy = layer.copy()
    for (_, parameter) in copy.parameters {
      parameter.assign(Tensor(normal: parameter.shape, using: &random))
    }
    try copy.load(contentsOf: file, in: layout, prefix: prefix)
    for (a, b) in zip(copy.parameters, layer.parameters) {
      #expect(a.parameter.value.elements(as: Float.self) == b.parameter.value.elements(as: Float.self))
    }
  }

  @Test func pyTorch() throws {
    var random = RandomGenerator(seed: 1)
    try check("torch-rnn", RNN(3, 4, layers: 2, isBidirectional: true, using: &random), in: .pyTorch)
    try check("torch-lstm", LSTM(3, 4, layers: 2, isBidirectional: true, using: &random), in: .pyTorch)
    try check("torch-gru", GRU(3, 4, layers: 2, isBidirectional: true, using: &random), in: .pyTorch)
    try check("torch-lstm-plain", LSTM(3, 4, bias: false, using: &random), in: .pyTorch)
    try check("torch-model", GRU(3, 4, using: &random), in: .pyTorch, prefix: "encoder.")
  }

  @Test func pyTorchCell() throws {
    var random = RandomGenerator(seed: 1)
    let cell = LSTMCell(3, 4, using: &random)
    let weights = try tensors("torch-cell")
    try cell.load(weights, in: .pyTorch, from: "torch-cell")
    let numbers = try tensors("torch-cell-numbers")
    let state = cell(numbers["x"]!.select(0, axis: 1), nil)
    expectClose(state.hidden, numbers["output.0"]!, 2e-6)
    expectClose(state.cell, numbers["output.1"]!, 2e-6)
    #expect(try cell.tensors(in: .pyTorch).keys.sorted() == weights.keys.sorted())
  }

  @Test func keras() throws {
    var random = RandomGenerator(seed: 1)
    let prefix = "sequential/"
    try check("keras-lstm", LSTM(3, 4, layers: 2, using: &random), in: .keras(), prefix: prefix)
    try check("keras-gru", GRU(3, 4, using: &random), in: .keras(), prefix: prefix)
    try check("keras-rnn", RNN(3, 4, using: &random), in: .keras(), prefix: prefix)
    try check("keras-lstm-plain", LSTM(3, 4, bias: false, using: &random), in: .keras(), prefix: prefix)
    try check(
      "keras-bidirectional", GRU(3, 4, layers: 2, isBidirectional: true, using: &random), in: .keras(),
      prefix: prefix)
    for (name, merging) in [("keras-summed", DirectionMerge.summed), ("keras-averaged", .averaged)] {
      let layer = LSTM(3, 4, layers: 2, isBidirectional: true, merging: merging, using: &random)
      try check(name, layer, in: .keras(), prefix: prefix)
    }
    try check(
      "keras-separate", RNN(3, 4, isBidirectional: true, using: &random), in: .keras(), prefix: prefix
    ) {
      let (forward, backward, _) = $0.separately($1)
      return [forward, backward]
    }
  }

  /// Names of the user's own, and the reset gate before the product; the layer on top is loaded by its names.
  @Test func kerasByName() throws {
    var random = RandomGenerator(seed: 1)
    let reader = GRU(3, 4, isBidirectional: true, resetGate: .beforeProduct, using: &random)
    let head = Linear(8, 2, using: &random)
    try head.load(
      contentsOf: try path("keras-named"), prefix: "sequential/head/",
      renaming: { $0 == "kernel" ? "weight" : $0 })
    try check("keras-named", reader, in: .keras(layers: ["reader"]), prefix: "sequential/") { [head($0($1))] }
    let error = #expect(throws: KasaneError.self) { try reader.tensors(in: .pyTorch) }
    #expect(error?.description == "PyTorch has no GRU whose reset gate comes before the product")
  }

  /// Other floating-point types are converted, and the numbers of variables and the state of dropout passed over.
  @Test func kerasInOtherForms() throws {
    var random = RandomGenerator(seed: 1)
    let (layer, other) = (GRU(3, 4, using: &random), GRU(3, 4, using: &random))
    try layer.load(contentsOf: try path("keras-gru"), in: .keras(), prefix: "sequential/")
    var weights: [String: Tensor] = [:]
    for (name, tensor) in try tensors("keras-gru") {
      weights[name.replacing("gru_cell", with: "gru_cell_3") + ":0"] = tensor.cast(to: .float64)
    }
    weights["sequential/gru/gru_cell_3/seed_generator/seed_generator_state"] = Tensor([1, 2])
    try other.load(weights, in: .keras(), prefix: "sequential/", from: "keras-gru")
    for (a, b) in zip(layer.parameters, other.parameters) {
      #expect(a.parameter.value.elements(as: Float.self) == b.parameter.value.elements(as: Float.self))
    }
  }

  // MARK: What does not fit

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "nothing"
  }

  @Test func everyMisfitIsNamedAndNothingChanges() throws {
    var random = RandomGenerator(seed: 1)
    let layer = LSTM(3, 4, using: &random)
    let before = layer.parameters.map { $0.parameter.value.elements(as: Float.self) }
    var weights = try tensors("torch-lstm").filter { !$0.key.contains("reverse") && $0.key.contains("l0") }
    weights["weight_hh_l0"] = nil
    weights["weight_hr_l0"] = Tensor(zeros: [2, 4])
    weights["bias_ih_l0"] = Tensor(zeros: [12])
    weights["bias_hh_l0"] = Tensor([Int](repeating: 0, count: 16))
    #expect(
      message { try layer.load(weights, in: .pyTorch, from: "file") }
        == "file: not the weights of this model: weight_hh_l0 is missing; "
        + "bias_hh_l0 is [16] int64, not [16] float32; bias_ih_l0 is [12] float32, not [16] float32; "
        + "weight_hr_l0 is unexpected")
    let file = try path("keras-lstm")
    #expect(
      message { try layer.load(contentsOf: file, in: .keras(layers: ["reader"]), prefix: "sequential/") }
        == "\(file): not the weights of this model: sequential/reader/lstm_cell/bias is missing; "
        + "sequential/reader/lstm_cell/kernel is missing; sequential/reader/lstm_cell/recurrent_kernel is missing"
    )
    #expect(
      message { try layer.load(contentsOf: file, in: .keras(layers: ["a", "b"])) }
        == "2 names of Keras's layers, a, b, where there is 1 layer")
    #expect(
      message {
        let names = ["lstm/a/kernel", "lstm/b/kernel"].map { ($0, Tensor(zeros: [3, 16])) }
        try layer.load(Dictionary(uniqueKeysWithValues: names), in: .keras(), from: "file")
      } == "file: lstm/a/kernel and lstm/b/kernel would both be lstm/lstm_cell/kernel")
    #expect(layer.parameters.map { $0.parameter.value.elements(as: Float.self) } == before)
  }

  /// A layer of the other direction, of another kind, or of fewer levels is not taken for this one.
  @Test func otherLayersAreRefused() throws {
    var random = RandomGenerator(seed: 1)
    let file = try path("torch-lstm")
    #expect(
      message { try LSTM(3, 4, layers: 2, using: &random).load(contentsOf: file, in: .pyTorch) }.contains(
        "weight_ih_l0_reverse is unexpected"))
    #expect(
      message {
        let layer = LSTM(3, 4, layers: 3, isBidirectional: true, using: &random)
        try layer.load(contentsOf: file, in: .pyTorch)
      }.contains("weight_ih_l2 is missing"))
    #expect(
      message {
        let layer = GRU(3, 4, layers: 2, isBidirectional: true, using: &random)
        try layer.load(contentsOf: file, in: .pyTorch)
      }.contains("weight_ih_l0 is [16, 3] float32, not [12, 3] float32"))
    let both = try path("keras-bidirectional")
    #expect(
      message {
        try GRU(3, 4, using: &random).load(
          contentsOf: both, in: .keras(layers: ["bidirectional"]), prefix: "sequential/")
      }.contains("sequential/bidirectional/backward_gru/gru_cell/bias is unexpected"))
  }
}
