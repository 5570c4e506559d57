// SPDX-License-Identifier: Apache-2.0
// Products of a few rows with packed columns in bfloat16, summed up in float32, on the calling thread. What float32 there is
// in the operands is rounded to even.
#ifndef KASANE_HALF_STEPS_H
#define KASANE_HALF_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "ks_half.h"

enum { half_panel = 16 };

#if defined(__x86_64__)
#include <immintrin.h>

#define HALF __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

// The first so many of sixteen.
static inline __mmask16 HALF first_of(int64_t count) {
  return count >= half_panel ? (__mmask16)0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}
#endif

/// How many pairs of bfloat16 hold a row of `depth` numbers; a missing second is zero.
static inline int64_t half_pairs(int64_t depth) { return (depth + 1) / 2; }

/// The weight lies in panels of 16 columns, each with its rows by twos: [panel][half_pairs(depth)][16][2]. These are panels
/// [from, to) of the `columns` of a matrix [depth, columns] whose rows are `stride` apart.
void ks_half_pack(uint32_t *out, const float *matrix, int64_t stride, int64_t depth, int64_t columns, int64_t from,
                  int64_t to);
/// The same of the transpose of a matrix [columns, depth].
void ks_half_pack_transposed(uint32_t *out, const float *matrix, int64_t stride, int64_t depth, int64_t columns,
                             int64_t from, int64_t to);
/// Panels of the transpose of a bfloat16 matrix [columns, depth], all of them.
void ks_half_pack_across(uint32_t *out, const uint16_t *matrix, int64_t stride, int64_t depth, int64_t columns);
/// Panels of a bfloat16 matrix [depth, columns], an even number of them.
void ks_half_pack_along(uint32_t *out, const uint16_t *matrix, int64_t stride, int64_t depth, int64_t columns);
/// Rows of floats, `stride` apart, as pairs: [count][half_pairs(depth)].
void ks_half_rows(uint32_t *out, const float *rows, int64_t stride, int64_t count, int64_t depth);
/// c (+)= rows times the columns [0, columns) of panels that begin at `panels`.
void ks_half_multiply(float *c, int64_t ldc, const uint32_t *rows, const uint32_t *panels, int64_t count, int64_t columns,
                      int64_t depth, bool accumulates);
/// A product of a transpose on the calling thread; false where there is no memory.
bool ks_half_sum_rows(const ks_half_product *task);

#endif
