// SPDX-License-Identifier: Apache-2.0
// Products of bfloat16 matrices by the processor's instructions for them, summed up in float32.
#ifndef KASANE_HALF_H
#define KASANE_HALF_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// A product y[m, n] (+)= the transpose of a[k, m] times b[k, n], of matrices whose rows are dense and so far apart as said.
typedef struct {
  int64_t m, n, k;
  bool accumulates;
  const uint16_t *a, *b;
  int64_t a_row, b_row;
  float *y;
  int64_t y_row;
} ks_half_product;

/// Whether this machine multiplies bfloat16 by instructions for it, and may.
bool ks_half_available(void);

/// Computes a product where `ks_half_available`. Returns 0, or -1 where there is no memory.
int32_t ks_half_multiply_transposed(const ks_half_product *task);

#pragma clang assume_nonnull end

#endif
