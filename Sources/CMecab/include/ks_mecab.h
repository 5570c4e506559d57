// SPDX-License-Identifier: Apache-2.0
// The words of Japanese text by MeCab, which is loaded when it is first asked for.
#ifndef KASANE_MECAB_H
#define KASANE_MECAB_H

#include <stddef.h>

#pragma clang assume_nonnull begin

typedef struct ks_mecab ks_mecab;

/// A tagger with the system's dictionary, or one in a folder; null where there is none, and a line of `size` bytes that says
/// why. Threads must not use one at the same time.
ks_mecab *_Nullable ks_mecab_open(const char *_Nullable dictionary, char *reason, size_t size);
/// The words of `length` bytes of text with a space behind each, which hold until the next call, and their length; null where
/// MeCab fails.
const char *_Nullable ks_mecab_words(ks_mecab *tagger, const char *text, size_t length, size_t *count);
void ks_mecab_close(ks_mecab *tagger);

#pragma clang assume_nonnull end

#endif
