// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Some sequences and what they are to become, as the tensors that a translator reads.
public struct PairBatch: Sendable {
  /// The sources, int32 `[pairs, source]`, padded with zeros.
  public let source: Tensor
  /// How many tokens each has, int32 `[pairs]`.
  public let sourceLengths: Tensor
  /// What the decoder sees: the mark that stands before and after a sequence, then the target's tokens, int32
  /// `[pairs, steps]`.
  public let inputs: Tensor
  /// The places of the targets' tokens and ends among `pairs * steps`, int32 `[targets]`.
  public let places: Tensor
  /// These tokens and ends, int32 `[targets]`.
  public let targets: Tensor

  /// How many pairs there are.
  public var count: Int { source.shape[0] }
  /// How many tokens and ends are to be predicted.
  public var targetCount: Int { targets.shape[0] }

  /// Pairs of a source of a token or more and a target, which may be empty.
  ///
  /// - Parameter end: the number of the mark that stands before and after a target
  public init(_ sources: [[Int32]], _ targets: [[Int32]], end: Int32) {
    precondition(
      !sources.isEmpty && sources.count == targets.count && sources.allSatisfy { !$0.isEmpty },
      "PairBatch: as many targets as sources, each of a token or more, expected")
    let padded = PaddedRows(sources)
    (source, sourceLengths) = (padded.tokens, padded.lengths)
    inputs = PaddedRows(targets.map { [end] + $0 }).tokens
    let steps = inputs.shape[1]
    places = Tensor(
      targets.enumerated().flatMap { row, tokens in (0...tokens.count).map { Int32(row * steps + $0) } })
    self.targets = Tensor(targets.flatMap { $0 + [end] })
  }
}

/// Sequences side by side.
struct PaddedRows {
  /// Int32 `[sequences, longest]`, padded with zeros.
  let tokens: Tensor
  /// Int32 `[sequences]`.
  let lengths: Tensor

  init(_ sequences: [[Int32]]) {
    let width = sequences.map(\.count).max()!
    tokens = Tensor(
      sequences.flatMap { $0 + [Int32](repeating: 0, count: width - $0.count) },
      shape: [sequences.count, width])
    lengths = Tensor(sequences.map { Int32($0.count) })
  }
}
