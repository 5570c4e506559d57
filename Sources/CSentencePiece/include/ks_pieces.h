// SPDX-License-Identifier: Apache-2.0
// The SentencePiece library in C.
#ifndef KASANE_PIECES_H
#define KASANE_PIECES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

typedef struct ks_pieces ks_pieces;

/// Takes bytes that hold for the call.
typedef void (*ks_pieces_sink)(void *context, const char *bytes, size_t length);
/// Hands the next line over, which holds until the next call; false after the last.
typedef bool (*ks_pieces_line)(void *context, const char *_Nullable *_Nonnull line, size_t *length);

/// Learns a model of `kind` (unigram, bpe, word or char) with so many pieces from lines, and hands its file's bytes over. Where
/// that fails it says why in a line of `size` bytes.
bool ks_pieces_train(const char *kind, int32_t pieces, double coverage, ks_pieces_line next, void *source,
                     ks_pieces_sink take, void *context, char *reason, size_t size);
/// A model of a file's bytes; null where they are none.
ks_pieces *_Nullable ks_pieces_open(const char *bytes, size_t length);
void ks_pieces_close(ks_pieces *model);

int32_t ks_pieces_count(const ks_pieces *model);
const char *ks_pieces_piece(const ks_pieces *model, int32_t number, size_t *length);
/// The pieces of a line, one after another.
void ks_pieces_encode(const ks_pieces *model, const char *line, size_t length, ks_pieces_sink take, void *context);
/// The text of pieces by number, all of which must be below the count.
void ks_pieces_decode(const ks_pieces *model, const int32_t *numbers, size_t count, ks_pieces_sink take, void *context);
/// The number of a piece, that of the unknown one where it is not there.
int32_t ks_pieces_number(const ks_pieces *model, const char *piece, size_t length);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif

#endif
