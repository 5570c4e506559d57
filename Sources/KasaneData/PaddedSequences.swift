// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Sequences of tokens side by side, each filled up to the longest of them, with their lengths, by which recurrent layers
/// and attention leave the padding out.
public struct PaddedSequences: Sendable {
  /// The tokens, int32 `[batch, time]`.
  public let tokens: Tensor
  /// How many tokens of each row are not padding, int32 `[batch]`.
  public let lengths: Tensor
  /// How many tokens are not padding.
  public let tokenCount: Int

  /// Sequences filled up by `padding`.
  ///
  /// - Parameters:
  ///   - sequences: the tokens of each; there may be empty ones
  ///   - padding: what stands after the end of a sequence
  ///   - minimumLength: how long the rows are at least
  public init(
    _ sequences: some RandomAccessCollection<some RandomAccessCollection<Int32>>, padding: Int32,
    minimumLength: Int = 0
  ) {
    precondition(!sequences.isEmpty, "PaddedSequences: no sequences")
    let width = max(sequences.lazy.map(\.count).max()!, minimumLength)
    tokens = Tensor(shape: [sequences.count, width], of: Int32.self) { memory in
      var place = 0
      for sequence in sequences {
        for token in sequence {
          memory[place] = token
          place += 1
        }
        for _ in sequence.count..<width {
          memory[place] = padding
          place += 1
        }
      }
    }
    lengths = Tensor(sequences.map { Int32($0.count) })
    tokenCount = sequences.reduce(0) { $0 + $1.count }
  }

  /// The share of padding among all that is computed.
  public var paddingShare: Double {
    let all = tokens.shape[0] * tokens.shape[1]
    return all == 0 ? 0 : 1 - Double(tokenCount) / Double(all)
  }
}
