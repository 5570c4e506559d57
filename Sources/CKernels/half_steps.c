// SPDX-License-Identifier: Apache-2.0
#include "half_steps.h"

#include <string.h>

#include "ks_kernels.h"

#if defined(__x86_64__)
bool ks_half_available(void) {
  return strcmp(ks_instruction_set(), "avx512") == 0 && __builtin_cpu_supports("avx512bf16");
}

HALF void ks_half_pack(uint32_t *out, const float *matrix, int64_t stride, int64_t depth, int64_t columns, int64_t from,
                       int64_t to) {
  const int64_t pairs = half_pairs(depth);
  short order[32];
  for (int j = 0; j < 32; j++) order[j] = (short)(j / 2 + j % 2 * 16);
  const __m512i interleaved = _mm512_loadu_si512(order);
  for (int64_t pair = 0; pair < pairs; pair++) {
    const float *row = matrix + 2 * pair * stride;
    const bool has_second = 2 * pair + 1 < depth;
    for (int64_t panel = from; panel < to; panel++) {
      const int64_t column = panel * half_panel;
      const __mmask16 mask = first_of(columns - column);
      const __m512 low = _mm512_maskz_loadu_ps(mask, row + column);
      const __m512 high = has_second ? _mm512_maskz_loadu_ps(mask, row + stride + column) : _mm512_setzero_ps();
      const __m512i both = (__m512i)_mm512_cvtne2ps_pbh(high, low);
      _mm512_storeu_si512(out + (panel * pairs + pair) * half_panel, _mm512_permutexvar_epi16(interleaved, both));
    }
  }
}

// Sixteen pairs from 32 floats, of which `left` are there.
static inline __m512i HALF pairs_of(const float *x, int64_t left) {
  const __m512 low = _mm512_maskz_loadu_ps(first_of(left), x);
  const __m512 high = left > 16 ? _mm512_maskz_loadu_ps(first_of(left - 16), x + 16) : _mm512_setzero_ps();
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

HALF void ks_half_pack_transposed(uint32_t *out, const float *matrix, int64_t stride, int64_t depth, int64_t columns,
                                  int64_t from, int64_t to) {
  const int64_t pairs = half_pairs(depth);
  const __m512i places = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32(half_panel));
  for (int64_t panel = from; panel < to; panel++) {
    uint32_t *block = out + panel * pairs * half_panel;
    for (int64_t pair = 0; pair < pairs; pair += 16) {
      for (int64_t j = 0; j < half_panel; j++) {
        const int64_t column = panel * half_panel + j;
        const __m512i values =
            column < columns ? pairs_of(matrix + column * stride + 2 * pair, depth - 2 * pair) : _mm512_setzero_si512();
        _mm512_mask_i32scatter_epi32(block + pair * half_panel + j, first_of(pairs - pair), places, values, 4);
      }
    }
  }
}

// Turns sixteen vectors of sixteen numbers around.
static inline void HALF transpose(__m512i *x) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    x[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    x[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(x[i], x[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_i32x4(x[i], x[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_i32x4(x[8 + i], x[12 + i], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    x[i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0x88);
    x[4 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0x88);
    x[8 + i] = _mm512_shuffle_i32x4(t[i], t[8 + i], 0xdd);
    x[12 + i] = _mm512_shuffle_i32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

HALF void ks_half_pack_across(uint32_t *out, const uint16_t *matrix, int64_t stride, int64_t depth, int64_t columns) {
  const int64_t pairs = half_pairs(depth);
  for (int64_t column = 0; column < columns; column += half_panel, out += pairs * half_panel) {
    for (int64_t pair = 0; pair < pairs; pair += 16) {
      const int64_t left = depth - 2 * pair;
      const __mmask32 mask = left >= 32 ? 0xffffffffu : (1u << left) - 1;
      __m512i x[half_panel];
      for (int64_t i = 0; i < half_panel; i++) {
        x[i] = _mm512_maskz_loadu_epi16(column + i < columns ? mask : 0, matrix + (column + i) * stride + 2 * pair);
      }
      transpose(x);
      for (int64_t i = 0; i < 16 && pair + i < pairs; i++) _mm512_storeu_si512(out + (pair + i) * half_panel, x[i]);
    }
  }
}

HALF void ks_half_rows(uint32_t *out, const float *rows, int64_t stride, int64_t count, int64_t depth) {
  const int64_t pairs = half_pairs(depth);
  for (int64_t row = 0; row < count; row++) {
    for (int64_t pair = 0; pair < pairs; pair += 16) {
      _mm512_mask_storeu_epi32(out + row * pairs + pair, first_of(pairs - pair),
                               pairs_of(rows + row * stride + 2 * pair, depth - 2 * pair));
    }
  }
}

// Some rows by some panels: at most 24 sums, which stay in registers.
__attribute__((always_inline)) static inline HALF void tile(float *c, int64_t ldc, const uint32_t *rows,
                                                            const uint32_t *panels, int64_t pairs, int64_t columns,
                                                            bool accumulates, const int count, const int width) {
  __mmask16 masks[4];
  const uint32_t *panel[4];
  __m512 sums[24];
#pragma clang loop unroll(full)
  for (int j = 0; j < width; j++) {
    masks[j] = first_of(columns - j * half_panel);
    // A panel that is not there is the first once more.
    panel[j] = panels + (j * half_panel < columns ? j * pairs * half_panel : 0);
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
      sums[i * width + j] =
          accumulates ? _mm512_maskz_loadu_ps(masks[j], c + i * ldc + j * half_panel) : _mm512_setzero_ps();
    }
  }
  for (int64_t pair = 0; pair < pairs; pair++) {
    __m512bh weights[4];
#pragma clang loop unroll(full)
    for (int j = 0; j < width; j++) weights[j] = (__m512bh)_mm512_loadu_si512(panel[j] + pair * half_panel);
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) {
      const __m512bh state = (__m512bh)_mm512_set1_epi32((int)rows[i * pairs + pair]);
#pragma clang loop unroll(full)
      for (int j = 0; j < width; j++) sums[i * width + j] = _mm512_dpbf16_ps(sums[i * width + j], state, weights[j]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < count; i++) {
#pragma clang loop unroll(full)
    for (int j = 0; j < width; j++) {
      _mm512_mask_storeu_ps(c + i * ldc + j * half_panel, masks[j], sums[i * width + j]);
    }
  }
}

HALF void ks_half_multiply(float *c, int64_t ldc, const uint32_t *rows, const uint32_t *panels, int64_t count,
                           int64_t columns, int64_t depth, bool accumulates) {
  // Few rows need more panels at once: enough sums that none waits for itself.
  enum { few = 5, most = 12 };
  const int64_t pairs = half_pairs(depth), tiles = (count + most - 1) / most;
  const int64_t step = (count <= few ? 4 : 2) * half_panel;
  for (int64_t column = 0; column < columns; column += step) {
    const uint32_t *panel = panels + column * pairs;
    for (int64_t part = 0; part < tiles; part++) {
      const int64_t row = count * part / tiles, end = count * (part + 1) / tiles;
      float *to = c + row * ldc + column;
      const uint32_t *from = rows + row * pairs;
#define ROWS(COUNT) \
  case COUNT: tile(to, ldc, from, panel, pairs, columns - column, accumulates, COUNT, COUNT <= few ? 4 : 2); break
      switch (end - row) {
        ROWS(1); ROWS(2); ROWS(3); ROWS(4); ROWS(5); ROWS(6);
        ROWS(7); ROWS(8); ROWS(9); ROWS(10); ROWS(11); ROWS(12);
      }
#undef ROWS
    }
  }
}

#else

bool ks_half_available(void) { return false; }
void ks_half_pack(uint32_t *out, const float *matrix, int64_t stride, int64_t depth, int64_t columns, int64_t from,
                  int64_t to) {}
void ks_half_pack_transposed(uint32_t *out, const float *matrix, int64_t stride, int64_t depth, int64_t columns,
                             int64_t from, int64_t to) {}
void ks_half_pack_across(uint32_t *out, const uint16_t *matrix, int64_t stride, int64_t depth, int64_t columns) {}
void ks_half_rows(uint32_t *out, const float *rows, int64_t stride, int64_t count, int64_t depth) {}
void ks_half_multiply(float *c, int64_t ldc, const uint32_t *rows, const uint32_t *panels, int64_t count, int64_t columns,
                      int64_t depth, bool accumulates) {}

#endif
