// SPDX-License-Identifier: Apache-2.0

import Kasane

extension OperationBenchmark {
  /// What layers are made of, forward alone and with the gradient.
  static let layers: [OperationBenchmark] = normalization + pooling + losses + recurrence + attention

  /// Forward and backward: the product of a vector with the Jacobian by the input.
  private static func gradient(
    _ name: String, _ size: String, operations: Double = 0, numbers: Int, at shape: Shape,
    _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationBenchmark {
    OperationBenchmark("\(name) and gradient", size, operations: operations, numbers: numbers) {
      let x = normal(shape)
      let vector = normal(function(x).shape)
      return { _ = valueWithVectorJacobianProduct(at: x, vector: { _ in vector }, of: function) }
    }
  }

  private static func forward(
    _ name: String, _ size: String, operations: Double = 0, numbers: Int, at shape: Shape,
    _ function: @escaping @Sendable (Tensor) -> Tensor
  ) -> OperationBenchmark {
    OperationBenchmark(name, size, operations: operations, numbers: numbers) {
      let x = normal(shape)
      return { _ = function(x) }
    }
  }

  // What must be moved: forward the input and the result; backward the input again, the vector and the gradient.

  private static let normalization: [OperationBenchmark] = {
    let rows: Shape = [4096, 768], images: Shape = [16, 56, 56, 64]
    let (m, n) = (rows.elementCount, images.elementCount)
    @Sendable func layer(_ x: Tensor) -> Tensor { layerNormalization(x) }
    @Sendable func batch(_ x: Tensor) -> Tensor { batchNormalization(x).value }
    @Sendable func probabilities(_ x: Tensor) -> Tensor { softmax(x) }
    return [
      forward("layer norm", "4096 x 768", numbers: 2 * m, at: rows, layer),
      gradient("layer norm", "4096 x 768", numbers: 5 * m, at: rows, layer),
      // The statistics are of the whole batch: what is normalised is read once more.
      forward("batch norm", "16 x 56^2 x 64", numbers: 3 * n, at: images, batch),
      gradient("batch norm", "16 x 56^2 x 64", numbers: 8 * n, at: images, batch),
      forward("softmax", "4096 x 768", numbers: 2 * m, at: rows, probabilities),
      gradient("softmax", "4096 x 768", numbers: 5 * m, at: rows, probabilities),
    ]
  }()

  private static let pooling: [OperationBenchmark] = {
    let images: Shape = [8, 112, 112, 64]
    let count = images.elementCount
    @Sendable func maxima(_ x: Tensor) -> Tensor {
      maxPool2D(x, size: 3, stride: 2, padding: .explicit(1))
    }
    return [
      forward("max pool 3 / 2", "8 x 112^2 x 64", numbers: count + count / 4, at: images, maxima),
      gradient("max pool 3 / 2", "8 x 112^2 x 64", numbers: 2 * count + count, at: images, maxima),
      forward("average pool 2", "8 x 112^2 x 64", numbers: count + count / 4, at: images) {
        averagePool2D($0, size: 2)
      },
      forward("global average pool", "8 x 112^2 x 64", numbers: count, at: images) {
        globalAveragePool2D($0)
      },
    ]
  }()

  private static let losses: [OperationBenchmark] = {
    let logits: Shape = [700, 10_000]
    let count = logits.elementCount
    let labels = indices([700], below: 10_000)
    return [
      forward("cross-entropy", "700 x 10000", numbers: count, at: logits) { crossEntropy($0, labels) },
      OperationBenchmark("cross-entropy and gradient", "700 x 10000", numbers: 3 * count) {
        let x = normal(logits)
        return { _ = valueWithGradient(at: x) { crossEntropy($0, labels) } }
      },
    ]
  }()

  // MARK: Recurrent layers

  private static func recurrent<Network: Layer<Tensor, Tensor>>(
    _ name: String, _ batch: Int, _ steps: Int, _ width: Int, gates: Int,
    _ make: @escaping @Sendable (inout RandomGenerator) -> Network
  ) -> [OperationBenchmark] {
    let size = "\(batch) x \(steps) x \(width)"
    let operations = 2 * Double(batch * steps) * Double(2 * width * gates * width)
    // The weights are read in every step unless they fit into the cache; once is the least.
    let numbers = 2 * batch * steps * width + 2 * width * gates * width
    return [
      OperationBenchmark(name, size, operations: operations, numbers: numbers) {
        var random = RandomGenerator(seed: 1)
        let (network, x) = (make(&random), normal([batch, steps, width]))
        return { _ = network(x) }
      },
      OperationBenchmark("\(name) and gradients", size, operations: 3 * operations, numbers: 3 * numbers) {
        var random = RandomGenerator(seed: 1)
        let (network, x) = (make(&random), normal([batch, steps, width]))
        let vector = normal([batch, steps, width])
        return { _ = valueWithGradient(at: network, x) { network, x in (network(x) * vector).sum() } }
      },
    ]
  }

  private static let recurrence: [OperationBenchmark] =
    recurrent("RNN", 128, 5, 30, gates: 1) { RNN(30, 30, using: &$0) }
    + recurrent("LSTM", 20, 35, 650, gates: 4) { LSTM(650, 650, using: &$0) }
    + recurrent("GRU", 20, 35, 650, gates: 3) { GRU(650, 650, using: &$0) }
    + variants

  /// The cells beside each other.
  private static let variants: [OperationBenchmark] =
    cell("RNN", gates: 1) { RNNCell(128, 128, using: &$0) }
    + cell("GRU", gates: 3) { GRUCell(128, 128, using: &$0) }
    + cell("LSTM", gates: 4) { LSTMCell(128, 128, using: &$0) }
    + cell("LSTM carousel", gates: 1) { ErrorCarouselCell(128, 128, using: &$0) }
    + cell("LSTM of 1997", gates: 3) { OriginalLSTMCell(128, 128, using: &$0) }
    + cell("LSTM coupled", gates: 3) { CoupledLSTMCell(128, 128, using: &$0) }
    + cell("LSTM peepholes", gates: 4) { PeepholeLSTMCell(128, 128, using: &$0) }
    + cell("LSTM layer norm", gates: 4) { LayerNormLSTMCell(128, 128, using: &$0) }

  private static func cell<Cell: RecurrentCell>(
    _ name: String, gates: Int, _ make: @escaping @Sendable (inout RandomGenerator) -> Cell
  ) -> [OperationBenchmark] {
    recurrent(name, 32, 50, 128, gates: gates) { Recurrent(make(&$0)) }
  }

  // MARK: Attention

  private static func attention(_ heads: Int, _ places: Int, _ width: Int) -> [OperationBenchmark] {
    let shape: Shape = [heads, places, width]
    let operations = 4 * Double(heads) * Double(places * places * width)
    let size = "\(heads) x \(places) x \(width)"
    return [
      OperationBenchmark("attention", size, operations: operations, numbers: 4 * shape.elementCount) {
        let (q, k, v) = (normal(shape), normal(shape), normal(shape))
        return { _ = scaledDotProductAttention(q, k, v) }
      },
      OperationBenchmark(
        "attention and gradients", size, operations: 3.5 * operations, numbers: 11 * shape.elementCount
      ) {
        let (q, k, v, vector) = (normal(shape), normal(shape), normal(shape), normal(shape))
        return {
          _ = valueWithGradients(at: [q, k, v]) {
            (scaledDotProductAttention($0[0], $0[1], $0[2]) * vector).sum()
          }
        }
      },
    ]
  }

  private static let attention: [OperationBenchmark] =
    attention(12, 128, 64) + attention(128, 128, 64) + attention(256, 20, 64)

  // MARK: Optimizers

  /// A step of an optimizer over 4 million numbers, each read and, but for the gradients, written.
  static let updates: [OperationBenchmark] = [
    update("SGD", tensors: 3) { SGD(learningRate: 1e-3) },
    update("SGD with momentum", tensors: 5) { SGD(learningRate: 1e-3, momentum: 0.9) },
    update("Adam", tensors: 7) { Adam() }, update("AdamW", tensors: 7) { AdamW() },
  ]

  private static func update(
    _ name: String, tensors: Int, _ make: @escaping @Sendable () -> any Optimizer
  ) -> OperationBenchmark {
    OperationBenchmark(name, "4 x 1024 x 1024", numbers: tensors << 22) {
      var random = RandomGenerator(seed: 1)
      let model = Sequential { for _ in 0..<4 { Linear(1024, 1024, bias: false, using: &random) } }
      let x = normal([1, 1024])
      let gradients = valueWithGradient(at: model) { $0(x).sum() }.gradients
      let optimizer = make()
      return { optimizer.update(model, along: gradients) }
    }
  }
}
