// SPDX-License-Identifier: Apache-2.0

internal import CKernels

extension CPUEngine {
  func learnWords(_ update: WordUpdate) -> WordUpdateOutcome {
    func memory(_ tensor: Tensor) -> UnsafeMutablePointer<Float> {
      tensor.object.pointee.data!.assumingMemoryBound(to: Float.self)
    }
    let tables = update.tables
    let threads = ks_adopt_threads()
    let sums = withExtendedLifetime(tables) {
      update.tokens.withUnsafeBufferPointer { tokens in
        update.starts.withUnsafeBufferPointer { starts in
          guard let words = tokens.baseAddress else { return ks_words_sums() }
          var job = ks_words(
            tokens: words, starts: starts.baseAddress!, sentences: Int64(starts.count - 1),
            input: memory(update.input), output: update.output.map(memory), nodes: update.nodes.map(memory),
            width: Int64(update.input.shape[1]), window: Int32(update.window), takes_mean: update.takesMean,
            rate: Float(update.rate), seed: update.seed, keep: tables.keep.pointer,
            drawn: Int32(tables.drawn), words: Int64(tables.words), shares: tables.shares.pointer,
            aliases: tables.aliases.pointer, paths: tables.paths.pointer,
            path_nodes: tables.pathNodes.pointer,
            path_turns: tables.pathTurns.pointer, parts: tables.parts.pointer,
            part_rows: tables.partRows.pointer)
          return ks_learn_words(&job, threads)
        }
      }
    }
    return WordUpdateOutcome(loss: sums.loss, predictions: Int(sums.predictions), kept: Int(sums.kept))
  }
}
