// SPDX-License-Identifier: Apache-2.0
// Word vectors by stochastic gradient descent, context by context. Shapes and numbers are checked by the caller.
#ifndef KASANE_WORDS_H
#define KASANE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Sentences to learn from, and all that is learned. Rows are of `width` elements.
typedef struct {
  /// The words of all sentences, and where each begins; the last start is the number of words.
  const int32_t *tokens;
  const int64_t *starts;
  int64_t sentences;
  /// Rows of words, and behind them those of parts of words where there are such.
  float *input;
  /// A row for each word where words are drawn to tell apart, and one for each inner node of a tree of words.
  float *_Nullable output;
  float *_Nullable nodes;
  int64_t width;
  /// From how many words to either side of the middle one a number is drawn.
  int32_t window;
  /// Whether the mean of a window foretells the middle, and not each of its words alone.
  bool takes_mean;
  float rate;
  uint64_t seed;
  /// A word is kept where 32 random bits are no more; all are where null.
  const uint32_t *_Nullable keep;
  /// How many words are drawn for each that is foretold, by Walker's tables over `words` words.
  int32_t drawn;
  int64_t words;
  const uint32_t *_Nullable shares;
  const int32_t *_Nullable aliases;
  /// The way from the root to a word, where there is a tree: the nodes and which way to turn, from `paths[word]` on.
  const int64_t *_Nullable paths;
  const int32_t *_Nullable path_nodes;
  const uint8_t *_Nullable path_turns;
  /// The rows of a word, its own among them, from `parts[word]` on; its own alone where null.
  const int64_t *_Nullable parts;
  const int32_t *_Nullable part_rows;
} ks_words;

/// What became of it.
typedef struct {
  /// The sum of all losses, and how many words or means were shown a word to foretell.
  double loss;
  int64_t predictions;
  /// How many words were kept.
  int64_t kept;
} ks_words_sums;

/// Learns from all sentences, on at most `threads` threads, which share the rows without waiting for each other (Niu et al.
/// 2011): the same bits come out of the same call on one thread only.
ks_words_sums ks_learn_words(const ks_words *job, int32_t threads);

#pragma clang assume_nonnull end

#endif
