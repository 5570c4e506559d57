// SPDX-License-Identifier: Apache-2.0

import Foundation
import Kasane
import Testing

@Suite struct RecurrentExamples {
  @Test func layers() throws {
    // example
    var random = RandomGenerator(seed: 1)
    let network = GRU(8, 16, layers: 2, isBidirectional: true, merging: .summed, dropout: 0.2, using: &random)
    let x = Tensor(normal: [3, 20, 8], using: &random)
    let (outputs, finalStates) = network(x, from: nil, lengths: Tensor([20, 7, 12]))
    print(outputs.shape)  // [3, 20, 16]
    print(finalStates.count)  // 4: two levels, each forward and backward

    let (forward, backward, _) = network.separately(x)
    // end
    #expect(outputs.shape == [3, 20, 16] && finalStates.count == 4)
    #expect(forward.shape == [3, 20, 16] && backward.shape == [3, 20, 16])

    // example
    let reader = LSTM(8, 16, using: &random)
    let optimizer = Adam()
    var states: [LSTMState]?
    for stretch in 0..<4 {
      let (_, gradients) = valueWithGradient(at: reader) { reader in
        let (outputs, finalStates) = reader(x.sliced(5 * stretch..<5 * stretch + 5, axis: 1), from: states)
        states = finalStates.map { $0.detached() }
        return square(outputs).mean()
      }
      optimizer.update(reader, along: gradients)
    }
    // end
    #expect(states!.count == 1 && states![0].cell.shape == [3, 16])

    // example
    let layer = Recurrent(inputs: 8, layers: 2) { PeepholeLSTMCell($0, 16, using: &random) }
    // end
    #expect(layer(x).shape == [3, 20, 16])

    let path = FileManager.default.temporaryDirectory.path + "/kasane-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    // example
    let encoder = LSTM(3, 4, layers: 2, isBidirectional: true, using: &random)
    try encoder.save(to: path, in: .pyTorch, prefix: "encoder.")
    try encoder.load(contentsOf: path, in: .pyTorch, prefix: "encoder.")
    print(try encoder.tensors(in: .keras(), prefix: "sequential/").keys.sorted()[0])
    // sequential/bidirectional/backward_lstm/lstm_cell/bias
    // end
    #expect(
      try encoder.tensors(in: .keras(), prefix: "sequential/").keys.sorted()[0]
        == "sequential/bidirectional/backward_lstm/lstm_cell/bias")
  }
}
