// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Windows of a text with the token that comes after each, in an order that is new in every epoch.
public struct WindowBatches: Sendable {
  private let tokens: [Int32]
  /// Tokens in a window.
  public let length: Int
  private var order: ShuffledBatches

  /// Batches of `size` of the windows of `length` tokens. There must be more tokens than that.
  public init(_ tokens: [Int32], length: Int, size: Int, seed: UInt64, stream: UInt64) {
    precondition(tokens.count > length, "WindowBatches: windows of \(length) in \(tokens.count) tokens")
    self.tokens = tokens
    self.length = length
    order = ShuffledBatches(count: tokens.count - length, size: size, seed: seed, stream: stream)
  }

  /// How many iterations an epoch has.
  public var batchesPerEpoch: Int { order.batchesPerEpoch }

  /// The windows `[batch, length]` of an iteration and the tokens after them `[batch]`, int32.
  public mutating func batch(at iteration: Int) -> (windows: Tensor, next: Tensor) {
    Self.batch(of: tokens, at: order.indices(at: iteration), length: length)
  }

  /// The windows that begin at the given places, and the tokens after them.
  public static func batch(
    of tokens: [Int32], at starts: some RandomAccessCollection<Int>, length: Int
  ) -> (windows: Tensor, next: Tensor) {
    let windows = Tensor(shape: [starts.count, length], of: Int32.self) { memory in
      var place = 0
      for start in starts {
        for step in 0..<length { memory[place + step] = tokens[start + step] }
        place += length
      }
    }
    let next = Tensor(shape: [starts.count], of: Int32.self) { memory in
      for (row, start) in starts.enumerated() { memory[row] = tokens[start + length] }
    }
    return (windows, next)
  }
}

/// A text cut into rows of equal length that are read side by side, some steps at a time: each batch goes on where the
/// one before ended, so that a state can be carried from one to the next (truncated backpropagation through time).
public struct StreamBatches: Sendable {
  private let tokens: [Int32]
  /// Rows of a batch.
  public let rows: Int
  /// Steps of a batch; the last of an epoch may have fewer.
  public let steps: Int
  private let columns: Int

  /// Batches `[rows, steps]`. Tokens that do not fill a last column are left out; each row must have at least two.
  public init(_ tokens: [Int32], rows: Int, steps: Int) {
    columns = tokens.count / max(rows, 1)
    precondition(
      rows > 0 && steps > 0 && columns > 1, "StreamBatches: \(rows) rows of \(tokens.count) tokens")
    (self.tokens, self.rows, self.steps) = (tokens, rows, steps)
  }

  /// How many batches make an epoch.
  public var batchesPerEpoch: Int { (columns - 2) / steps + 1 }
  /// How many tokens are predicted in an epoch.
  public var tokensPerEpoch: Int { rows * (columns - 1) }

  /// A batch's tokens and those that follow each, int32 `[rows, steps]`.
  public func batch(_ index: Int) -> (inputs: Tensor, targets: Tensor) {
    let start = index * steps
    let count = min(steps, columns - 1 - start)
    func part(_ offset: Int) -> Tensor {
      Tensor(shape: [rows, count], of: Int32.self) { memory in
        for row in 0..<rows {
          for step in 0..<count {
            memory[row * count + step] = tokens[row * columns + start + offset + step]
          }
        }
      }
    }
    return (part(0), part(1))
  }
}
