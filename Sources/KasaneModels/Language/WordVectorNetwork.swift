// SPDX-License-Identifier: Apache-2.0

public import Kasane

/// Vectors of words that foretell, or are foretold by, the words around them (Mikolov et al. 2013, "Efficient Estimation of
/// Word Representations in Vector Space" and "Distributed Representations of Words and Phrases and their Compositionality").
///
/// A word's vector is a row of a matrix, which is what a product of the matrix with the word's number as one 1 among zeros
/// gives: `input[n] == oneHot(n) · input`. That is why the first layer of the network needs no product.
public struct WordVectorNetwork: Module {
  /// The vectors, `[words + parts, features]`: a row for each word, then one for each part of words.
  public let input: Parameter
  /// What words are foretold by, `[words, features]`, where words are drawn to tell them from.
  public let output: Parameter?
  /// What the turns of a tree are foretold by, `[words - 1, features]`, where there is one.
  public let nodes: Parameter?
  /// What is known of the words.
  public let tables: WordTables

  /// A network whose vectors lie evenly within half a feature's share of zero, as the program word2vec draws them.
  ///
  /// - Parameter parts: how many rows the parts of words have
  public init(_ tables: WordTables, parts: Int = 0, features: Int, using generator: inout RandomGenerator) {
    self.tables = tables
    let bound = 0.5 / Double(features)
    input = Parameter(
      Initializer.uniform(bound: bound)(tables.words + parts, features, using: &generator))
    output = tables.drawn > 0 ? Parameter(Tensor(zeros: [tables.words, features])) : nil
    nodes = tables.paths.isEmpty ? nil : Parameter(Tensor(zeros: [tables.words - 1, features]))
  }

  /// Learns from sentences in place.
  ///
  /// On several threads the rows are shared without waiting (Niu et al. 2011, "Hogwild!"), and a run is not repeated to the
  /// same bits; on one thread it is.
  ///
  /// - Parameters:
  ///   - tokens: the words of all sentences by number
  ///   - starts: where each sentence begins, and at the end how many words there are
  ///   - window: how many words to either side of the middle are seen at most
  ///   - takesMean: whether the mean of a window foretells the middle (CBOW), and not each of its words alone (skip-gram)
  ///   - rate: the step size
  ///   - seed: of all that is drawn
  public func learn(
    _ tokens: [Int32], starts: [Int64], window: Int, takesMean: Bool, rate: Double, seed: UInt64
  ) -> WordUpdateOutcome {
    learnWords(
      tables, tokens, starts: starts, input: input, output: output, nodes: nodes, window: window,
      takesMean: takesMean, rate: rate, seed: seed)
  }

  /// The vectors of all words, `[words, features]`: the mean of their rows, where they have parts.
  public var vectors: Tensor {
    withoutGradient {
      guard !tables.parts.isEmpty else { return input.value }
      let rows = input.value.gathered(Tensor(tables.partRows[0..<tables.partRows.count]))
      return Tensor.concatenate(
        (0..<tables.words).map { word in
          rows.sliced(Int(tables.parts[word])..<Int(tables.parts[word + 1]), axis: 0).mean(
            axes: [0], keepingAxes: true)
        })
    }
  }
}
